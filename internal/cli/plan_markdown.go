package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"example.org/ims/internal/output"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/verdict"
)

// markdown is a text for a ticket in the making.
type markdown struct{ bytes.Buffer }

func (m *markdown) line(format string, args ...any) {
	for text := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		m.WriteString(output.Safe(text) + "\n")
	}
}

// md makes text stand for itself in Markdown, within one line.
func md(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "<", "&lt;", "|", `\|`, "[", `\[`, "#", `\#`).Replace(text)
}

// code is text in code style; a back-tick in it would end it.
func code(text string) string { return "`" + strings.ReplaceAll(text, "`", "'") + "`" }

// planMarkdown is a plan for a ticket.
func planMarkdown(pl *plan.Plan, v planView) []byte {
	m := &markdown{}
	m.line("## Plan: retire %s, successor %s, by %s", md(pl.Gateway), md(cmp.Or(pl.Next, "none")), md(pl.Runbook))
	m.line("")
	m.line("**Verdict: %s** (%s). Made %s. Nothing was changed.", strings.ToUpper(string(pl.Verdict)), pl.Counts(), moment(pl.Made))
	m.line("")
	if names := planApprovals(pl); len(names) > 0 {
		m.line("%s\n", md(approvalsWords(planStandings(pl), len(pl.Questions), names)))
	}
	m.standings(planStandings(pl), pl.Questions)
	if v.differs != nil {
		m.differs(v.differs)
	}
	if pl.Gone() {
		m.list("Notes", pl.Notes)
		return m.Bytes()
	}
	m.line("\n### What would be done\n\nTimes are local (%s), and not before. %s", zoneWords(pl.Ends), numberWords)
	for i := range pl.States {
		m.step(pl, i)
	}
	m.line("\n%s", md(endWords(pl)))
	m.messages(&pl.Messages)
	m.list("Not checked", pl.Unread)
	m.list("Notes", pl.Notes)
	m.line("\nPlan %s", code(pl.ID.Hash))
	return m.Bytes()
}

func (m *markdown) step(pl *plan.Plan, i int) {
	s := &pl.States[i]
	source := ""
	if len(s.Source) > 0 {
		source = " (" + md(strings.Join(s.Source, ", ")) + ")"
	}
	m.line("\n- **%d %s** %s%s", s.Number, md(s.ID), md(cmp.Or(s.Title, "The end")), source)
	for _, ch := range s.Changes {
		m.line("\n   ```diff")
		for _, l := range ch.Lines() {
			m.line("   %s", strings.ReplaceAll(l, "```", "'''"))
		}
		m.line("   ```")
		if ch.Note != "" {
			m.line("\n   %s", md(ch.Note))
		}
	}
	if s.Waits != nil {
		m.line("\n   Wait: %s.", md(waitWords(s.Waits)))
	}
	if s.Asks != nil {
		m.line("\n   Approval: %s", md(askWords(s.Asks)))
	}
	if s.Undo != nil {
		m.line("\n   %s.", md(undoWords(s.Undo)))
	}
	if s.ID == pl.NoReturn {
		m.line("\n   **Point of no return: from here on nothing can be undone.**")
	}
}

// standings are the checks that do not pass, gravest first, and the questions
// with what is behind each.
func (m *markdown) standings(all []standing, questions []verdict.Question) {
	for _, v := range gravest {
		for _, s := range all {
			if s.verdict == v && (v != verdict.Ask || s.word != "") {
				m.line("- **%s** %s: %s. Fix: %s", cmp.Or(s.word, v.Word()), code(s.id), md(s.why), code(s.fix))
			}
		}
		if v == verdict.Ask {
			m.questions(all, questions)
		}
	}
}

func (m *markdown) questions(all []standing, questions []verdict.Question) {
	for _, q := range questions {
		first := true
		for _, s := range all {
			if s.asked != q.State || s.word != "" {
				continue
			}
			if first {
				m.line("- **%s** %s: asks %s", verdict.Ask.Word(), code(q.State), md(questionWords(q)))
				first = false
			}
			m.line("  - %s: %s. To mend it before: %s", code(s.id), md(s.why), code(s.fix))
		}
	}
}

func (m *markdown) messages(list *plan.Messages) {
	m.line("\n### Messages\n\n%d queued now: %d deliver, %d return, %d held.", list.Queued, list.Delivered, list.Returned, list.Held)
	for _, n := range list.Notes {
		m.line("\n%s", md(n))
	}
	if len(list.Fates) == 0 {
		return
	}
	m.line("\n| fate | store | message | from | to | why |\n|---|---|---|---|---|---|")
	for _, f := range list.Fates {
		m.line("| %s | %s | %s | %s | %s | %s |", f.Fate, f.Store, md(f.Message), md(cmp.Or(f.From, "<>")), md(strings.Join(f.Rcpts, " ")), md(f.Why))
	}
}

func (m *markdown) differs(d *planDiff) {
	m.line("\n### Since plan %s, made %s\n", code(short12(d.Plan)), moment(d.Made))
	if len(d.Binds) == 0 {
		m.line("Nothing has changed that it binds to.")
	}
	for _, one := range append(append([]plan.Difference{}, d.Binds...), d.News...) {
		m.line("- %s %s: %s → %s", md(one.What), code(one.Name), code(strings.Join(one.Was, "; ")), code(strings.Join(one.Now, "; ")))
		if one.Fix != "" {
			m.line("  - fix: %s", code(one.Fix))
		}
	}
}

func (m *markdown) list(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	m.line("\n### %s\n", title)
	for _, l := range lines {
		m.line("- %s", md(l))
	}
}
