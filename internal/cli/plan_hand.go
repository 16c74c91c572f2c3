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
	Plan     string      `json:"plan,omitempty"`
	File     string      `json:"file,omitempty"`
	Config   string      `json:"config,omitempty"`       // the configuration that its ims commands need
	Work     []atWork    `json:"at_work,omitempty"`      // runs that are open on its gateways, and who performs them
	NotKnown string      `json:"work_unknown,omitempty"` // why that could not be found out
	Run      string      `json:"run,omitempty"`          // that performed it, as far as the journal here knows
	State    string      `json:"state,omitempty"`        // where that run is
	Title    string      `json:"title,omitempty"`        // of State
	Last     string      `json:"last,omitempty"`         // the last state of the plan that the run came to, if nothing leads from State to the plan
	Outcome  string      `json:"outcome,omitempty"`      // how the run has ended
	Waits    string      `json:"waits,omitempty"`        // why the run waits for its operator
	Undoing  bool        `json:"undoing,omitempty"`      // the run is being undone
	Expires  time.Time   `json:"expires,omitzero"`       // until when what was published before may be cached
	Done     []string    `json:"done,omitempty"`         // states whose effect was begun and not undone
	Steps    []plan.Hand `json:"steps"`
	Aside    []plan.Hand `json:"aside,omitempty"`  // from State on, if that is not among Steps
	Joins    string      `json:"joins,omitempty"`  // the state of Steps that comes after Aside
	Beside   []plan.Hand `json:"beside,omitempty"` // the other states of the runbook

	from int // of Steps: where there is something left to finish; len(Steps) is nowhere
}

func runByHand(ctx context.Context, s *session, p *output.Printer, opts handOptions) error {
	pl, _, err := readPlan(opts.file)
	if err != nil {
		return err
	}
	data := handData{Plan: pl.ID.Hash, File: opts.file}
	st, ok := data.look(ctx, s, pl)
	by := plan.Begun{Run: data.Run, States: data.Done}
	data.Steps = pl.ByHand(by)
	if data.Beside, err = pl.Beside(by); err != nil {
		p.Note("ims: what the plan does not predict is left out: %s", err)
	}
	if opts.state != "" {
		for _, one := range data.warnings(pl) {
			p.Note("ims: %s", one)
		}
		return oneByHand(p, slices.Concat(data.Steps, data.Beside), opts)
	}
	if file, err := filepath.Abs(s.config); err == nil {
		data.Config = file
	}
	if file, err := filepath.Abs(opts.file); err == nil {
		data.File = file
	}
	if ok {
		data.place(st)
	}
	return p.Result("plan-by-hand", data, func(page *output.Page) { handPage(page, pl, &data) })
}

// place finds where in the plan a run is, or what leads from there to the plan.
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
	case d.from < 0 && d.aside(st.State):
	case d.from < 0:
		d.from = 0
		for _, v := range slices.Backward(st.Visits) {
			if i := at(v.State, false); i >= 0 && !v.Undo {
				d.from, d.Last = i, v.State
				break
			}
		}
	}
}

// aside takes from the states beside the plan those that lead from one of them to
// the plan, and reports whether there are any.
func (d *handData) aside(state string) bool {
	at := func(list []plan.Hand, state string) int {
		return slices.IndexFunc(list, func(h plan.Hand) bool { return h.State == state && !h.Back })
	}
	for i := at(d.Beside, state); i >= 0; i = at(d.Beside, state) {
		h := d.Beside[i]
		d.Aside, d.Beside = append(d.Aside, h), slices.Delete(slices.Clone(d.Beside), i, i+1)
		state = h.Next
	}
	if len(d.Aside) == 0 {
		return false
	}
	d.from = at(d.Steps, state)
	if d.Joins = state; d.from < 0 {
		d.Joins, d.from = "", len(d.Steps)
	}
	return true
}

// undoable are the steps whose effect may have to be undone, the newest first: as
// a run undoes them, in the order of the runbook.
func (d *handData) undoable() []plan.Hand {
	var all []plan.Hand
	for _, h := range slices.Concat(d.Steps, d.Aside, d.Beside) {
		switch {
		case h.Back, len(h.Undo) == 0 && h.Warning == "":
		case slices.ContainsFunc(all, func(o plan.Hand) bool { return o.State == h.State }):
		case d.Run != "" && !slices.Contains(d.Done, h.State):
		case d.Run == "" && !slices.ContainsFunc(d.Steps, func(o plan.Hand) bool { return o.State == h.State }):
		default:
			all = append(all, h)
		}
	}
	slices.SortStableFunc(all, func(a, b plan.Hand) int { return b.Number - a.Number })
	return all
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
