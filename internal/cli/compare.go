package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	comparison "example.org/ims/internal/compare"
	"example.org/ims/internal/config"
	"example.org/ims/internal/output"
	"example.org/ims/internal/setting"
	"example.org/ims/pkg/gateway"
)

func newCompare(s *session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Compare a gateway's settings with those of its successor",
		Long: `Compare a gateway's settings with those of its successor: address spaces,
connected sites, transfer mode, intervals, time-outs, size limit, hosts, tables
and lists. Each is transferred, different, or waived by the configuration file,
where its waiver is called compare: and its name, as compare:retry. A setting that
differs comes with the command that transfers it (Q285090: ensure that the
previous settings have been transferred).

A waiver is for one direction: for the gateway and the successor that it names,
or else for retire.default and retire.successor of the configuration. One that
waives nothing is listed with the reason.

The successor may do more: a larger size limit, more sessions, a wider network
that may relay. It may not lead mail elsewhere that the gateway carries, by an
entry of its own in a table, nor keep out whom the gateway lets in. The domains
that are accepted are the organization's, not a gateway's.`,
		Example: "  ims compare east west\n  ims compare east west -o markdown",
		Args:    args(cobra.ExactArgs(2), "two gateways"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			return runCompare(cmd.Context(), s, s.printer(format), argv[0], argv[1])
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON, output.Markdown)
	return exits(cmd, output.Done, output.Blocked, output.Unknown)
}

func runCompare(ctx context.Context, s *session, p *output.Printer, old, next string) error {
	c, next, err := s.pair(old, next)
	if err != nil {
		return err
	}
	var sides [2]comparison.Side
	for i, name := range []string{old, next} {
		g, _ := c.Gateway(name)
		gw, err := s.deps.Organizations.Gateway(g)
		if err != nil {
			return err
		}
		got, err := gw.Config(ctx)
		if err != nil {
			return reading(err)
		}
		if !got.Exists {
			return output.As(output.Unknown, "", fmt.Errorf("gateway %q was removed, so its settings cannot be compared", name))
		}
		sides[i] = comparison.Side{Config: named(got, name), Site: g.Site}
	}
	waivers, aside := compareWaivers(c.Waivers, old, next)
	r := comparison.Compare(sides[0], sides[1], waivers, time.Now())
	r.Unused = append(r.Unused, aside...)
	if p.Format() == output.Markdown {
		err = p.Raw(compareMarkdown(r))
	} else {
		err = p.Result("compare", r, func(page *output.Page) { comparePage(page, r) })
	}
	if err == nil && r.Differs > 0 {
		err = output.Said(output.Blocked)
	}
	return err
}

func named(c gateway.Config, name string) gateway.Config {
	c.Name = name
	return c
}

// compareWaivers are the waivers for a pair in this direction, and those of
// settings that are for another.
func compareWaivers(list []config.Waiver, old, next string) (waivers []comparison.Waiver, aside []comparison.Unused) {
	for _, w := range list {
		one := comparison.Waiver{ID: w.ID, Reason: w.Reason, By: w.By, Expires: w.Expires}
		switch why := w.Aside(old, next); {
		case why == "":
			waivers = append(waivers, one)
		case strings.HasPrefix(w.ID, comparison.Prefix):
			aside = append(aside, comparison.Unused{Waiver: one, Why: why})
		}
	}
	return waivers, aside
}

func comparePage(page *output.Page, r comparison.Report) {
	t := output.Table{Columns: output.Columns("SETTING", "VERDICT", strings.ToUpper(r.Old)+" -> "+strings.ToUpper(r.New)), Fold: true}
	for _, l := range r.Lines {
		t.Add(l.Title, l.Verdict, compareValues(l))
	}
	page.Table(t)
	page.Blank()
	for _, l := range r.Lines {
		if l.Verdict == comparison.Different {
			prose(page, l.Title+": ", cmp.Or(l.Why, differenceWords(r, l)))
		}
		if l.Waiver != nil {
			prose(page, l.Title+": ", compareWaiver(l))
		}
		for _, fix := range l.Fix {
			if l.Verdict == comparison.Different {
				page.Line("  %s", fix)
			}
		}
	}
	for _, u := range r.Unused {
		prose(page, "waiver ", unusedWords(u))
	}
	page.Line("%s", compareVerdict(r))
}

func unusedWords(u comparison.Unused) string {
	return fmt.Sprintf("%s of %s is not used: %s", u.ID, u.By, strings.TrimPrefix(u.Why, "not needed: "))
}

// compareValues are a setting's two values, or the one that both have, in
// whatever order.
func compareValues(l comparison.Line) string {
	was, now := cmp.Or(settingWords(l.ID, l.Old), "-"), cmp.Or(settingWords(l.ID, l.New), "-")
	if was == now || l.Verdict == comparison.Transferred && slices.Equal(parts(was), parts(now)) {
		return was
	}
	return was + " -> " + now
}

func parts(list string) []string {
	out := strings.Split(list, ", ")
	slices.Sort(out)
	return out
}

// differenceWords say in a sentence how two values differ.
func differenceWords(r comparison.Report, l comparison.Line) string {
	has := func(who, value string) string {
		if value == "" {
			return who + " has none"
		}
		return who + " has " + settingWords(l.ID, value)
	}
	return has(r.Old, l.Old) + ", " + has(r.New, l.New)
}

// settingWords are a setting's value for people: what 0 means to a limit's flag.
func settingWords(id setting.ID, value string) string {
	switch {
	case value == "0" && id == "max-size":
		return "no limit"
	case value == "0" && (id == "max-inbound" || id == "max-outbound"):
		return "no limit of its own" // but the service's
	}
	return value
}

func compareVerdict(r comparison.Report) string {
	if r.Differs == 0 {
		return fmt.Sprintf("%s has taken over every setting of %s that is not waived.", r.New, r.Old)
	}
	return fmt.Sprintf("%s of %s not transferred to %s.", output.Count(int64(r.Differs), "setting"), r.Old, r.New)
}

func compareWaiver(l comparison.Line) string {
	w := l.Waiver
	if l.Verdict == comparison.Waived {
		return fmt.Sprintf("waived by %s until %s: %s", w.By, w.Expires.Format(time.DateOnly), w.Reason)
	}
	return fmt.Sprintf("its waiver by %s expired on %s", w.By, w.Expires.Format(time.DateOnly))
}

// compareMarkdown is a comparison for a ticket.
func compareMarkdown(r comparison.Report) []byte {
	m := &markdown{}
	m.line("## Settings of %s and %s", md(r.Old), md(r.New))
	m.line("")
	m.line("%s", md(compareVerdict(r)))
	m.line("")
	m.line("| setting | %s | %s | verdict |", md(r.Old), md(r.New))
	m.line("|---|---|---|---|")
	var fixes []string
	for _, l := range r.Lines {
		words := string(l.Verdict)
		switch {
		case l.Waiver != nil:
			words += ": " + compareWaiver(l)
		case l.Why != "":
			words += ": " + l.Why
		}
		m.line("| %s | %s | %s | %s |", md(l.Title), md(settingWords(l.ID, l.Old)), md(settingWords(l.ID, l.New)), md(words))
		if l.Verdict == comparison.Different {
			fixes = append(fixes, l.Fix...)
		}
	}
	if len(r.Unused) > 0 {
		m.line("")
	}
	for _, u := range r.Unused {
		m.line("- waiver %s", md(unusedWords(u)))
	}
	if len(fixes) > 0 {
		m.line("")
		m.line("To transfer them:")
		m.line("")
	}
	for _, f := range fixes {
		m.line("    %s", f)
	}
	return m.Bytes()
}
