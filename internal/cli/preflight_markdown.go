package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/preflight"
	"example.org/ims/internal/verdict"
)

// preflightMarkdown is a report for a ticket or a pull request.
func preflightMarkdown(r *preflight.Report) []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("## Preflight %s → %s: %s", cellText(r.Gateway), cellText(cmp.Or(r.Successor, "no successor")), preflightWhole(r))
	line("")
	ends := ""
	if r.Removed == nil {
		ends = "; " + strings.Replace(preflightEnds(r), "now", "then", 1) + " " + r.Ends.UTC().Format(time.RFC3339) + " at the earliest"
	}
	line("Runbook %s, %s. As of %s%s. Nothing was changed.",
		cellText(r.Runbook), strings.TrimSuffix(r.Counts.String()+", "+preflightOthers(r), ", "), r.Now.UTC().Format(time.RFC3339), ends)
	line("")
	if len(r.Approvals) > 0 {
		line("%s", cellText(approvalsWords(preflightStandings(r), len(r.Questions), r.Approvals)))
		line("")
	}
	for _, q := range r.Questions {
		line("- **%s** %s: asks %s", verdict.Ask.Word(), cellCode(q.State), cellText(questionWords(q)))
	}
	if len(r.Questions) > 0 {
		line("")
	}
	line("| | Check | Wanted | Reason | Fix | Provenance |")
	line("|---|---|---|---|---|---|")
	for _, v := range append(slices.Clone(gravest), verdict.Pass) {
		for i := range r.Checks {
			c := &r.Checks[i]
			if c.Verdict != v {
				continue
			}
			mark := cmp.Or(preflightWord(c), v.Word())
			if c.Open() {
				mark = "**" + mark + "**"
			}
			line("| %s | %s | %s | %s | %s | %s |", mark, cellCode(c.ID), cellCode(c.That), cellText(strings.Join(append([]string{c.Reason}, preflightDetail(c)...), "; ")), cellCode(c.Fix), c.Provenance)
		}
	}
	if len(r.Waivers) > 0 {
		line("")
		line("| Waiver | By | Until | Reason | |")
		line("|---|---|---|---|---|")
		for _, w := range r.Waivers {
			line("| %s | %s | %s | %s | %s |", cellCode(w.ID), cellText(w.By), w.Expires.UTC().Format(time.RFC3339), cellText(w.Reason), cellText(w.Note))
		}
	}
	if len(r.Later) > 0 && r.Removed == nil {
		line("")
		line("| Not judged yet | Guard | Why |")
		line("|---|---|---|")
		for _, l := range r.Later {
			line("| %s | %s | %s |", cellCode(l.ID), cellCode(l.That), cellText(l.Why))
		}
	}
	if r.Removed != nil {
		line("")
		for _, n := range r.Notes {
			line("- %s", cellText(n))
		}
	}
	return []byte(b.String())
}

// cellText is text from strangers inside a table.
func cellText(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`).Replace(output.Safe(s))
}

// cellCode is text to be read letter by letter inside a table, where a bar must be
// escaped even then, and a backtick ends it.
func cellCode(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.NewReplacer("|", `\|`, "`", "'").Replace(output.Safe(s)) + "`"
}
