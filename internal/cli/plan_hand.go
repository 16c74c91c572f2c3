package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/machine"
)

// handOptions choose what of a plan is printed as commands.
type handOptions struct {
	file  string
	state string // only this one
	undo  bool   // only what undoes it
}

// handData is a plan as commands.
type handData struct {
	Plan    string      `json:"plan,omitempty"`
	Config  string      `json:"config,omitempty"`  // the configuration that its ims commands need
	Run     string      `json:"run,omitempty"`     // that performed it, as far as the journal here knows
	State   string      `json:"state,omitempty"`   // where that run is
	Title   string      `json:"title,omitempty"`   // of State
	Last    string      `json:"last,omitempty"`    // the last state of the plan that the run came to, if State is none of them
	Outcome string      `json:"outcome,omitempty"` // how the run has ended
	Undoing bool        `json:"undoing,omitempty"` // the run is being undone
	Expires time.Time   `json:"expires,omitzero"`  // until when what was published before may be cached
	Done    []string    `json:"done,omitempty"`    // states whose effect was begun and not undone
	Steps   []plan.Hand `json:"steps"`

	from int // of Steps: where there is something left to finish; len(Steps) is nowhere
}

func runByHand(ctx context.Context, s *session, p *output.Printer, opts handOptions) error {
	pl, _, err := readPlan(opts.file)
	if err != nil {
		return err
	}
	data := handData{Plan: pl.ID.Hash}
	st, ok := performed(ctx, s, pl)
	if ok {
		data.Run, data.State, data.Title, data.Done, data.Expires = st.Run, st.State, st.Title, st.Changed, st.Expires
	}
	data.Steps = pl.ByHand(plan.Begun{Run: data.Run, States: data.Done})
	if opts.state != "" {
		return oneByHand(p, data.Steps, opts)
	}
	if file, err := filepath.Abs(s.config); err == nil {
		data.Config = file
	}
	if ok {
		data.place(st)
	}
	return p.Result("plan-by-hand", data, func(page *output.Page) { handPage(page, pl, &data) })
}

// place finds where in the plan a run is.
func (d *handData) place(st runner.Status) {
	at := func(state string, back bool) int {
		return slices.IndexFunc(d.Steps, func(h plan.Hand) bool { return h.State == state && h.Back == back })
	}
	restores := slices.IndexFunc(d.Steps, func(h plan.Hand) bool { return h.Back })
	visited := func(state string) bool {
		return slices.ContainsFunc(st.Visits, func(v runner.Visit) bool { return v.State == state && !v.Undo })
	}
	d.from = at(st.State, false)
	switch {
	case st.Ended():
		d.Outcome, d.from = st.Outcome, len(d.Steps)
	case st.Undoing && restores > 0 && visited(d.Steps[restores-1].State): // the plan itself undoes this
		d.from = max(at(st.State, true), restores)
	case st.Undoing:
		d.Undoing, d.from = true, len(d.Steps)
	case d.from < 0:
		for _, v := range slices.Backward(st.Visits) {
			if i := at(v.State, false); i >= 0 && !v.Undo {
				d.from, d.Last = i, v.State
				return
			}
		}
		d.from = 0
	}
}

// oneByHand prints the commands of one state alone, for a shell.
func oneByHand(p *output.Printer, steps []plan.Hand, opts handOptions) error {
	var names []string
	for _, h := range steps {
		names = append(names, h.State)
	}
	i := slices.Index(names, opts.state)
	if i < 0 {
		return output.As(output.Usage, "ims plan show "+quoted(opts.file), fmt.Errorf("the plan has no state %q%s", opts.state, didYouMean(opts.state, names)))
	}
	cmds := steps[i].Do
	if opts.undo {
		cmds = steps[i].Undo
	}
	if len(cmds) == 0 {
		return output.As(output.Failed, "", fmt.Errorf("there is no command for %s: %s", opts.state, nothingWords(&steps[i], opts.undo)))
	}
	return p.Result("plan-by-hand", handData{Steps: steps[i : i+1]}, func(page *output.Page) {
		for _, c := range cmds {
			page.Line("%s", c)
		}
	})
}

func nothingWords(h *plan.Hand, undo bool) string {
	switch {
	case h.Warning != "":
		return h.Warning
	case undo:
		return "it has nothing to undo"
	}
	if len(h.Nothing) > 0 {
		return strings.Join(h.Nothing, "; ")
	}
	return map[string]string{
		machine.KindWait.String():    "it waits",
		machine.KindApprove.String(): "people decide in it; the commands of each answer are in ims plan --by-hand without --state",
		machine.KindAssert.String():  "it only looks whether something holds",
		machine.KindEnd.String():     "it is the end",
	}[h.Kind]
}

// performed is the run that used the plan up, if the journal here knows it. A
// configuration or a journal that cannot be read is no hindrance: by hand is
// for when things are broken.
func performed(ctx context.Context, s *session, pl *plan.Plan) (runner.Status, bool) {
	c, err := s.configuration()
	if err != nil {
		return runner.Status{}, false
	}
	all, err := runner.ReadList(ctx, c.StateDir)
	if err != nil {
		return runner.Status{}, false
	}
	for _, one := range all {
		if one.Nonce != pl.Nonce {
			continue
		}
		st, err := runner.Read(ctx, c.StateDir, one.Run)
		return st, err == nil
	}
	return runner.Status{}, false
}

func handPage(page *output.Page, pl *plan.Plan, d *handData) {
	comment(page, "# ", fmt.Sprintf("Plan %s: retire %s by %s, by hand. Lines without # are commands; look at what each shows before the next one. "+
		"No runner may be at work on it: ims status says so, and ims runner --help how to end one.", short12(pl.ID.Hash), pl.Gateway, pl.Runbook))
	if d.Config != "" {
		page.Line("export IMS_CONFIG=%s", quoted(d.Config))
	}
	if d.Run != "" {
		comment(page, "# ", d.words())
	}
	if !d.Expires.IsZero() && d.Outcome == "" {
		comment(page, "# ", "Until "+moment(d.Expires)+" what was published before may be cached.")
	}
	if d.from < len(d.Steps) {
		page.Blank()
		page.Line("# ======== TO FINISH, from %s on", d.Steps[d.from].State)
		for i := d.from; i < len(d.Steps); i++ {
			finishPage(page, &d.Steps[i], i)
		}
	}
	undoPage(page, pl, d)
}

// words say where the run is that performed the plan.
func (d *handData) words() string {
	begun := "; begun and not undone: " + orNothing(d.Done) + "."
	switch {
	case d.Outcome != "":
		return fmt.Sprintf("Run %s performed this plan and has ended: %s. There is nothing to finish%s", d.Run, d.Outcome, begun)
	case d.Undoing:
		return fmt.Sprintf("Run %s performed this plan and is being aborted; it undoes %s. There is nothing to finish%s", d.Run, d.State, begun)
	case d.Last != "":
		return fmt.Sprintf("Run %s performed this plan and is in state %s (%s), which the plan did not predict: ims status %s says what it waits for, or asks. "+
			"The last state of the plan that it came to is %s; what follows goes on from there, once that is settled%s",
			d.Run, d.State, d.Title, d.Run, d.Last, begun)
	}
	return fmt.Sprintf("Run %s performed this plan and is in state %s%s", d.Run, d.State, begun)
}

// undoPage are the commands that undo what was done, unless the gateway is gone:
// what leads to it must not come back.
func undoPage(page *output.Page, pl *plan.Plan, d *handData) {
	if d.Run != "" && slices.Contains(d.Done, pl.NoReturn) {
		page.Blank()
		comment(page, "# ", fmt.Sprintf("NOTHING TO UNDO: %s was done, and it cannot be undone; what led to %s must not lead there again.", pl.NoReturn, pl.Gateway))
		return
	}
	if d.Outcome != "" && len(d.Done) == 0 {
		return
	}
	page.Blank()
	page.Line("# ======== TO UNDO, the newest first; only what was done")
	for _, h := range slices.Backward(d.Steps) {
		if h.Back || d.Run != "" && !slices.Contains(d.Done, h.State) || len(h.Undo) == 0 && h.Warning == "" {
			continue
		}
		page.Blank()
		comment(page, "# ", fmt.Sprintf("undo %s: %s", h.State, h.Title))
		if h.Warning != "" {
			comment(page, "# ", h.Warning)
		}
		commandLines(page, h.Undo)
	}
}

func finishPage(page *output.Page, h *plan.Hand, i int) {
	page.Blank()
	source := ""
	if len(h.Source) > 0 {
		source = " [" + strings.Join(h.Source, " ") + "]"
	}
	comment(page, "# ", fmt.Sprintf("%s %s: %s%s", ordinal(i), h.State, h.Title, source))
	lead := "#   must hold: "
	if h.Else != "" {
		lead = "#   look whether this holds: "
	}
	for _, n := range h.Needs {
		comment(page, lead, n)
	}
	if h.Else != "" {
		comment(page, "#   ", fmt.Sprintf("it does not, as predicted, so %s is next; if it does, make the plan anew", h.Else))
	}
	if h.Cached != "" {
		comment(page, "#   ", h.Cached)
	}
	if d, err := time.ParseDuration(h.For); err == nil && d > 0 {
		page.Line("#   and stay so for %s", output.Duration(d))
	}
	if h.Decide != "" {
		page.Line("#   decide, and write down who did:")
		comment(page, "#     ", h.Decide)
	}
	choicesPage(page, h.Choices)
	for _, n := range h.Nothing {
		comment(page, "#   no command: ", n)
	}
	if h.Warning != "" {
		comment(page, "#   NOTE: ", h.Warning)
	}
	if h.If != "" {
		page.Line("#   only if the answer was %s, and then as it stands there", h.If)
	} else {
		commandLines(page, h.Do)
	}
	if len(h.See) > 0 {
		page.Line("#   to see it:")
		commandLines(page, h.See)
	}
}

// choicesPage are the answers to a question; none of their commands is run by
// whoever pastes the page.
func choicesPage(page *output.Page, choices []plan.HandChoice) {
	for _, c := range choices {
		title := c.Name
		if c.Title != "" {
			title += ": " + c.Title
		}
		if len(c.Do) == 0 {
			title += "; then go on at " + c.Leads
		}
		comment(page, "#     ", title)
		for _, cmd := range c.Do {
			for l := range strings.SplitSeq(cmd, "\n") {
				page.Line("#       %s", l)
			}
		}
	}
}

// commandLines prints commands so that they can be pasted.
func commandLines(page *output.Page, cmds []string) {
	for _, c := range cmds {
		for l := range strings.SplitSeq(c, "\n") {
			page.Line("%s", l)
		}
	}
}

// comment breaks text into lines that a shell ignores.
func comment(page *output.Page, lead, text string) {
	for i, l := range broken(lead, output.Safe(text)) {
		if i > 0 {
			l = "#" + l[1:] // broken indents by at least the lead
		}
		page.Line("%s", l)
	}
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}
