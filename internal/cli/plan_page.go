package cli

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"example.org/ims/internal/output"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/verdict"
)

// planData is a plan as it is printed.
type planData struct {
	*plan.Plan
	Counts  plan.Counts `json:"counts"`
	Differs *planDiff   `json:"differs,omitempty"`
}

// planView says how a plan is shown.
type planView struct {
	messages bool      // the fate of every message
	saved    bool      // it comes from a file
	differs  *planDiff // from an earlier one, or nil
}

// showPlan prints a plan. Its error only carries the exit code: the plan is
// printed whatever its verdict.
func showPlan(p *output.Printer, pl *plan.Plan, v planView) error {
	one := *pl
	if !v.saved { // the text of a runbook that nobody asked for
		one.Definition.Source = ""
	}
	if !v.messages {
		one.Messages.Fates = nil
	}
	if p.Format() == output.Markdown {
		if err := p.Raw(planMarkdown(&one, v)); err != nil {
			return err
		}
	} else if err := p.Result("plan", planData{&one, one.Counts(), v.differs}, func(page *output.Page) { planPage(page, &one, v) }); err != nil {
		return err
	}
	kind := kindOfWhole(pl.Verdict)
	if v.differs != nil && len(v.differs.Binds) > 0 {
		kind = output.Worse(kind, output.Drift)
	}
	return output.Said(kind)
}

func planPage(page *output.Page, pl *plan.Plan, v planView) {
	what := "DRY RUN: nothing was changed"
	if v.saved {
		what = "saved " + moment(pl.Made)
	}
	page.Line("PLAN  %s -> %s   runbook %s   %s", pl.Gateway, cmp.Or(pl.Next, "no successor"), pl.Runbook, what)
	counts := pl.Counts()
	verdictLine(page, pl.Verdict, counts.Tally.String())
	if counts.Predicted.Any() {
		page.Line("predicted of what the run will find: %s", counts.Predicted)
	}
	approvalsPage(page, planStandings(pl), len(pl.Questions), planApprovals(pl))
	if len(pl.Approvers) > 0 {
		prose(page, "", "May approve: "+strings.Join(pl.Approvers, ", ")+".")
	}
	standingsPage(page, planStandings(pl), pl.Questions)
	if v.differs != nil {
		page.Blank()
		diffPage(page, v.differs)
	}
	if pl.Gone() {
		section(page, "NOTES", pl.Notes)
		return
	}
	page.Blank()
	page.Line("WHAT WOULD BE DONE; times are local (%s), and not before", zoneWords(pl.Ends))
	prose(page, "  ", numberWords)
	for i := range pl.States {
		stepPage(page, pl, i)
	}
	prose(page, "", endWords(pl))
	page.Blank()
	messagesPage(page, pl)
	section(page, "NOT CHECKED", pl.Unread)
	section(page, "NOTES", pl.Notes)
	page.Blank()
	page.Line("plan %s", pl.ID.Hash)
	verdictLine(page, pl.Verdict, counts.Tally.String()) // above it, there are screens of text
}

// numberWords say how the states are counted.
const numberWords = "A state has its number in the runbook, as in ims status; those left out are for what is not predicted."

// endWords say when a run would end, or that the prediction does not come to
// that.
func endWords(pl *plan.Plan) string {
	if n := len(pl.States); !pl.Complete() && n > 0 {
		return fmt.Sprintf("The prediction comes no further than %s: what comes after it, and what becomes of messages, is known once what blocks is mended.", pl.States[n-1].ID)
	}
	return fmt.Sprintf("Ends %s at the earliest.", moment(pl.Ends))
}

// planStandings are the checks of a plan that do not pass.
func planStandings(pl *plan.Plan) []standing {
	var out []standing
	for i := range pl.Checks {
		c := &pl.Checks[i]
		if c.Verdict == verdict.Pass {
			continue
		}
		s := standing{verdict: c.Verdict, asked: c.Asked, id: c.ID, why: c.Why, note: string(c.Provenance), fix: c.Fix}
		if c.Predicted {
			s.note = "predicted"
		}
		if c.That != "" {
			s.details = append(s.details, "wanted: "+c.That)
		}
		for _, m := range c.Missing {
			s.details = append(s.details, "could not be observed: "+m)
		}
		if c.Waived != "" {
			s.word, s.details = "waived", append(s.details, "waived: "+c.Waived)
		}
		out = append(out, s)
	}
	return out
}

// planApprovals are the states in which the run asks whatever it finds.
func planApprovals(pl *plan.Plan) []string {
	var names []string
	for i := range pl.States {
		if q := pl.States[i].Asks; q != nil && q.When == plan.Always {
			names = append(names, pl.States[i].ID)
		}
	}
	return names
}

// stepPage is one state: what it changes as a difference, how long it takes,
// whom it asks, and how it is undone.
func stepPage(page *output.Page, pl *plan.Plan, i int) {
	s := &pl.States[i]
	head := fmt.Sprintf("%3d  %s", s.Number, s.ID)
	title := cmp.Or(s.Title, "the end")
	if len(s.Source) > 0 {
		title += " [" + strings.Join(s.Source, " ") + "]"
	}
	prose(page, pad(head, 24)+"  ", title)
	for _, ch := range s.Changes {
		for _, l := range ch.Lines() {
			page.Line("       %s", l)
		}
		if len(ch.Before)+len(ch.After) == 0 {
			page.Line("       nothing to change")
		}
		if ch.Note != "" {
			prose(page, "       ", ch.Note)
		}
	}
	if s.Waits != nil {
		prose(page, "       ", waitWords(s.Waits))
	}
	if s.Asks != nil {
		prose(page, "       ", askWords(s.Asks))
	}
	if s.Undo != nil {
		prose(page, "       ", undoWords(s.Undo))
	}
	if s.ID == pl.NoReturn {
		page.Line("       ** POINT OF NO RETURN: from here on nothing can be undone **")
	}
}

func waitWords(w *plan.Wait) string {
	text := fmt.Sprintf("waits until %s: what it waits for must hold for %s", moment(w.Earliest), words0(w.For))
	if d, err := time.ParseDuration(w.For); err == nil && d == 0 {
		text = fmt.Sprintf("waits until it holds, from %s on", moment(w.Begins))
	}
	if w.Follows != "" {
		text += "; the clock begins when no cache can hold the old MX any more"
	}
	return text + "; a person is asked after " + moment(w.Latest)
}

// words0 is a duration of a plan as people write it.
func words0(s string) string {
	d, err := time.ParseDuration(s)
	if err != nil {
		return s
	}
	return output.Duration(d)
}

func askWords(q *plan.Question) string {
	lead := map[string]string{plan.Always: "asks ", plan.Now: "AS THINGS ARE NOW, asks ", plan.OnlyIf: "if it comes to that, asks "}[q.When]
	return lead + questionWords(q.Question)
}

func undoWords(u *plan.Undo) string {
	text := "undo: " + u.Words
	if u.Cost != "" {
		text += "; cost: " + u.Cost
	}
	return text
}

// messagesPage is the predicted fate of what is queued now.
func messagesPage(page *output.Page, pl *plan.Plan) {
	m := &pl.Messages
	page.Line("MESSAGES  %d queued now: %d deliver, %d return, %d held", m.Queued, m.Delivered, m.Returned, m.Held)
	for _, n := range m.Notes {
		prose(page, "  ", n)
	}
	if len(m.Fates) == 0 {
		if m.Queued > 0 {
			page.Line("  the fate of each: ims retire %s --dry-run --messages", pl.Gateway)
		}
		return
	}
	table := output.Table{Columns: output.Columns("FATE", "STORE", "MESSAGE", "FROM", "TO", "WHY"), Fold: true}
	for _, f := range m.Fates {
		table.Add(f.Fate, f.Store, f.Message, cmp.Or(f.From, "<>"), strings.Join(f.Rcpts, " "), f.Why)
	}
	page.Table(table)
}

func section(page *output.Page, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	page.Blank()
	page.Line("%s", title)
	for _, l := range lines {
		prose(page, "  - ", l)
	}
}

// moment is a wall-clock time where people are.
func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("Mon 2006-01-02 15:04:05 MST")
}

func zoneWords(t time.Time) string {
	name, _ := t.Local().Zone()
	return name + ", UTC" + t.Local().Format("-07:00")
}

// proseWidth is what every terminal has.
const proseWidth = 80

// prose breaks text between words at 80 columns; what follows the first line
// stands under the beginning of the text. Commands are never given to it.
func prose(page *output.Page, lead, text string) {
	for _, l := range broken(lead, output.Safe(text)) {
		page.Line("%s", l)
	}
}

func broken(lead, text string) []string {
	var out []string
	line, width, empty := lead, utf8.RuneCountInString(lead), true
	indent := strings.Repeat(" ", width)
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		if !empty && width+1+n > proseWidth {
			out = append(out, line)
			line, width, empty = indent, len(indent), true
		}
		if !empty {
			line, width = line+" ", width+1
		}
		line, width, empty = line+word, width+n, false
	}
	return append(out, line)
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}
