package cli

import (
	"context"
	"fmt"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/machine"
)

// atWork is a run that is open on a gateway of a plan, and who performs it: two
// hands on one gateway is how mail is lost.
type atWork struct {
	Run      string    `json:"run"`
	State    string    `json:"state,omitempty"`
	Runner   bool      `json:"runner"`        // one is alive that performs it
	PID      int       `json:"pid,omitempty"` // of that runner
	Paused   string    `json:"paused,omitempty"`
	Problem  string    `json:"problem,omitempty"` // a runner is alive and does not perform it
	Again    time.Time `json:"again,omitzero"`    // when that runner tries again by itself
	NotKnown string    `json:"unknown,omitempty"` // why it is not known who performs it
	ours     bool      // it performs the plan
}

// lookWithin is how long a runner has to answer: one that was stopped never does.
const lookWithin = 5 * time.Second

// look finds the run that used the plan up, if the journal here knows it, and who
// is at work on the plan's gateways. A configuration or a journal that cannot be
// read is no hindrance: by hand is for when things are broken.
func (d *handData) look(ctx context.Context, s *session, pl *plan.Plan) (st runner.Status, performed bool) {
	c, err := s.configuration()
	if err != nil {
		d.NotKnown = err.Error()
		return st, false
	}
	all, err := runner.ReadList(ctx, c.StateDir)
	if err != nil {
		d.NotKnown = err.Error()
		return st, false
	}
	for _, one := range all {
		ours := one.Nonce == pl.Nonce
		if !ours && (one.Closed != nil || one.Gateway != pl.Gateway && one.Gateway != pl.Next) {
			continue
		}
		asked, done := context.WithTimeout(ctx, lookWithin)
		now, err := present(asked, c, one.Run)
		done()
		if err != nil {
			now, _ = runner.Read(ctx, c.StateDir, one.Run) // what the journal knows; the error is told
		}
		if one.Closed == nil && !now.Ended() {
			d.Work = append(d.Work, working(one.Run, &now, err, ours))
		}
		if ours && now.Run != "" {
			st, performed = now, true
			d.Run, d.State, d.Title, d.Done, d.Expires, d.Waits = st.Run, st.State, st.Title, st.Changed, st.Expires, operatorWords(&st)
		}
	}
	return st, performed
}

// operatorWords say why a run waits for its operator, and what helps.
func operatorWords(st *runner.Status) string {
	if st.Phase != machine.Operating.String() {
		return ""
	}
	words := st.Why
	if c := st.Cause; c != nil {
		words += ": " + c.Words()
		if c.Fix != "" {
			words += "; fix: " + c.Fix
		}
	}
	return words
}

func working(run string, st *runner.Status, err error, ours bool) atWork {
	w := atWork{Run: run, State: st.State, Runner: st.Alive, PID: st.PID, Problem: st.Problem, Again: st.Again, ours: ours}
	if err != nil {
		w.NotKnown = err.Error()
	}
	if st.Paused != nil {
		w.Paused = fmt.Sprintf("by %s since %s: %s", st.Paused.Actor, clock(st.Paused.Since), st.Paused.Reason)
	}
	return w
}

// words say who performs the run, and whether it must be paused first.
func (w *atWork) words() (text string, pause bool) {
	text = "Run " + w.Run
	if !w.ours {
		text += ", which performs another plan,"
	}
	runner := "No runner is alive"
	if w.Runner {
		runner = fmt.Sprintf("A runner is alive (process %d)", w.PID)
	}
	switch {
	case w.Paused != "":
		return fmt.Sprintf("%s is paused, %s. %s; it does nothing in this run until ims continue %s.", text, w.Paused, runner, w.Run), false
	case w.NotKnown != "":
		return fmt.Sprintf("WHETHER A RUNNER IS AT WORK IS NOT KNOWN (%s). %s is open. Two hands on one gateway is how mail is lost. "+
			"If the command below hangs, pgrep -a ims shows the runner, and kill -KILL PID ends it, which a run survives.", w.NotKnown, text), true
	case w.Runner:
		return fmt.Sprintf("A RUNNER IS AT WORK, process %d. %s is in its hands, in state %s. Two hands on one gateway is how mail is lost.", w.PID, text, w.State), true
	case w.Problem != "":
		again := "once somebody mends it"
		if !w.Again.IsZero() {
			again = "at " + clock(w.Again) + ", by itself"
		}
		return fmt.Sprintf("A RUNNER IS ALIVE. %s is not performed now (%s), and goes on %s.", text, w.Problem, again), true
	}
	return fmt.Sprintf("No runner is alive. %s is open, and the next runner goes on with it: ims retire, ims resume and service managers start one.", text), true
}

// warnings are for whoever reads no page.
func (d *handData) warnings(pl *plan.Plan) []string {
	var out []string
	if d.NotKnown != "" {
		out = append(out, fmt.Sprintf("whether a runner is at work on %s is not known: %s", pl.Gateway, d.NotKnown))
	}
	for i := range d.Work {
		if text, pause := d.Work[i].words(); pause {
			out = append(out, text+" First: "+pauseCommand(pl, d.Work[i].Run))
		}
	}
	return out
}

func pauseCommand(pl *plan.Plan, run string) string {
	return fmt.Sprintf("ims pause %s --reason %s", quoted(run), quoted("plan "+short12(pl.ID.Hash)+", by hand"))
}

// workPage says who is at work, with the command that makes it leave the gateways
// alone: the first of all.
func workPage(page *output.Page, pl *plan.Plan, d *handData) {
	switch {
	case d.NotKnown != "":
		comment(page, "# ", fmt.Sprintf("WHETHER A RUNNER IS AT WORK IS NOT KNOWN (%s). Two hands on one gateway is how mail is lost. "+
			"This shows every process of ims; ims pause RUN makes a run wait, and kill -INT PID ends a runner at a commit:", d.NotKnown))
		page.Line("pgrep -a ims")
	case len(d.Work) == 0 && pl.Next == "":
		comment(page, "# ", fmt.Sprintf("No run is open on %s, so no runner has it in hand.", pl.Gateway))
	case len(d.Work) == 0:
		comment(page, "# ", fmt.Sprintf("No run is open on %s or %s, so no runner has them in hand.", pl.Gateway, pl.Next))
	}
	for i := range d.Work {
		text, pause := d.Work[i].words()
		if !pause {
			comment(page, "# ", text)
			continue
		}
		if d.Work[i].Runner {
			text += " First this, which answers once an effect that is under way is finished:"
		} else {
			text += " First:"
		}
		comment(page, "# ", text)
		page.Line("%s", pauseCommand(pl, d.Work[i].Run))
	}
}

// afterPage says what becomes of the run that was not let go on.
func afterPage(page *output.Page, d *handData) {
	if d.Run == "" || d.Outcome != "" {
		return
	}
	page.Blank()
	comment(page, "# ", fmt.Sprintf("AFTERWARDS run %s is still open, and holds its gateways: ims continue %s lets it look at what is there and go on from its state, "+
		"ims abort %s undoes what is left of what it did, and ims status %s says what it needs.", d.Run, d.Run, d.Run, d.Run))
}
