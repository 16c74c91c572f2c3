package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/internal/preflight"
	"example.org/ims/pkg/facts"
)

func newFacts(s *session) *cobra.Command {
	var opts requestOptions
	var format output.Format
	var out string
	var probe bool
	cmd := &cobra.Command{
		Use:   "facts [GATEWAY]",
		Short: "Observe a gateway, and print or save every fact about its retirement",
		Long: `Observe a gateway, its successor, routes, MX records, mail log and dependents,
and print every fact with its value, class, source, provenance and time.
Nothing is changed: queries, a transfer of each zone, and SMTP up to RCPT are
sent, never a message. With --probe the name servers are asked, too, whether
they would make the changes of a run, by UPDATEs that cannot succeed.

What --out saves, ims preflight --facts judges, on any machine. The file holds
addresses of recipients and host names of the organization.`,
		Example: "  ims facts east\n  ims facts east --to west --out facts.json\n  ims preflight --facts facts.json",
		Args:    args(cobra.MaximumNArgs(1), "at most one gateway"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			if err := opts.parse(cmd, argv); err != nil {
				return err
			}
			return runFacts(cmd.Context(), s, s.printer(format), opts, probe, out)
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON)
	opts.flags(cmd)
	probeFlag(cmd, &probe)
	cmd.Flags().StringVar(&out, "out", "", "save the facts to this `file`, too")
	if err := cmd.MarkFlagFilename("out", "json"); err != nil {
		panic(err) // the flag was added in the line above
	}
	return exits(cmd, output.Done, output.Unknown)
}

func runFacts(ctx context.Context, s *session, p *output.Printer, opts requestOptions, probe bool, out string) error {
	c, err := s.configuration()
	if err != nil {
		return err
	}
	if err := opts.check(s, c); err != nil {
		return err
	}
	snap, _, err := s.deps.Observations.Observe(ctx, c, Look{opts.request, probe})
	if err != nil {
		return output.As(output.Usage, "", err)
	}
	if out != "" {
		if err := saveFacts(out, snap); err != nil {
			return err
		}
		p.Note("saved %s", out)
	}
	if err := p.Result("facts", snap, func(page *output.Page) { factsPage(page, snap) }); err != nil {
		return err
	}
	if set, err := snap.Set(); err == nil && set[facts.GwExists].Value == facts.Unknown {
		why := set[facts.GwExists].Why
		return output.As(output.Unknown, answering(why), fmt.Errorf("gateway %s does not answer: %s", snap.Gateway, why))
	}
	return nil
}

// saveFacts writes what -o json prints, for its owner alone.
func saveFacts(file string, snap *preflight.Snapshot) error {
	var b bytes.Buffer
	if err := output.New(&b, &b, output.Options{Format: output.JSON}).Result("facts", snap, nil); err != nil {
		return err
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("save facts: %w", err)
	}
	return nil
}

func factsPage(page *output.Page, snap *preflight.Snapshot) {
	page.Line("FACTS %s -> %s   observed %s", snap.Gateway, cmp.Or(snap.Successor, "no successor"), page.Time(snap.Made))
	table := output.Table{Columns: output.Columns("FACT", "VALUE", "CLASS", "PROVENANCE", "TIME", "SOURCE", "WHY"), Fold: true}
	table.Columns[2].Drop, table.Columns[4].Drop, table.Columns[5].Drop = 1, 2, 3
	for _, f := range snap.Facts {
		at := ""
		if !f.At.IsZero() {
			at = page.Time(f.At)
		}
		table.Add(f.Name, f.Value, f.Class, f.Provenance, at, f.Source, f.Why)
	}
	page.Table(table)
	page.Blank()
	coverTables(page, snap)
	for _, d := range snap.Dependents {
		for _, n := range d.Names {
			prose(page, "", fmt.Sprintf("names %s: %s", snap.Gateway, n.What))
		}
	}
	for _, r := range snap.Runs {
		page.Line("run %s is open", r)
	}
	for _, n := range snap.Notes {
		prose(page, "note      ", n)
	}
}

func coverTables(page *output.Page, snap *preflight.Snapshot) {
	out := output.Table{Columns: output.Columns("CARRIES", "FROM", "WITHOUT IT", "WHY"), Fold: true}
	for _, part := range snap.Outbound.Parts {
		out.Add(part.Name, part.From, part.Verdict, part.Why)
	}
	if len(out.Rows) > 0 {
		page.Table(out)
		page.Blank()
	}
	in := output.Table{Columns: output.Columns("TAKES", "KNOWN FROM", "MESSAGES#", "LARGEST#", "HERE", "THERE", "STRANGER HERE", "STRANGER THERE")}
	in.Columns[1].Drop, in.Columns[2].Drop, in.Columns[3].Drop = 3, 1, 2
	for _, d := range snap.Inbound.List {
		in.Add(d.Name, strings.Join(d.From, ","), d.Messages, d.Largest, d.Old.Known.Reply, d.New.Known.Reply, d.Old.Random.Reply, d.New.Random.Reply)
	}
	if len(in.Rows) > 0 {
		page.Table(in)
		page.Blank()
	}
}
