package cli

import (
	"io"
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/machine"
)

// handSteps is a plan that drains, stops and restores, or removes.
func handSteps() []plan.Hand {
	all := []plan.Hand{
		{State: "ready", Kind: "assert"},
		{State: "move_mx", Kind: "do", Do: []string{"move"}, Undo: []string{"move back"}},
		{State: "drain", Kind: "wait", Cached: "it may be cached for 3s"},
		{State: "aged", Kind: "approve", Decide: "Send them?", Choices: []plan.HandChoice{
			{Name: "send", Title: "send them now", Leads: "release", Do: []string{"release\nthem"}, Then: "stop"}, {Name: "wait", Leads: "drain"},
		}},
		{State: "release", Kind: "do", Do: []string{"release\nthem"}, If: "send"},
		{State: "stop", Kind: "do", Do: []string{"stop"}, Undo: []string{"start"}},
		{State: "come_back", Kind: "do", Nothing: []string{"what follows does it"}},
		{State: "stop", Kind: "do", Back: true, Do: []string{"start"}},
		{State: "move_mx", Kind: "do", Back: true, Do: []string{"move back"}},
		{State: "done", Kind: "end"},
	}
	for i := range all {
		all[i].Number = i + 1
	}
	return all
}

// TestByHandBeginsWhereTheRunIs: on the path, off it, on the way back, aborted,
// and when it has ended.
func TestByHandBeginsWhereTheRunIs(t *testing.T) {
	status := func(state, outcome string, undoing bool, visits []string, changed ...string) runner.Status {
		s := runner.Status{}
		s.Run, s.State, s.Title, s.Outcome, s.Undoing, s.Changed, s.Phase = "east-1", state, "Title", outcome, undoing, changed, machine.Judging.String()
		if outcome != machine.Open.String() {
			s.Phase = machine.Closed.String()
		}
		for _, v := range visits {
			s.Visits = append(s.Visits, runner.Visit{Visit: machine.Visit{State: v}})
		}
		return s
	}
	const open = "open"
	for name, tt := range map[string]struct {
		status   runner.Status
		noReturn string
		want     []string
		not      []string
	}{
		"on the path": {
			status("drain", open, false, []string{"ready", "move_mx", "drain"}, "move_mx"), "",
			[]string{"is in state drain; begun and not undone: move_mx.", "TO FINISH, from drain on\n", "\n#   it may be cached for 3s\n", "TO UNDO", "\nmove back\n"},
			[]string{"\nmove\n", "undo stop"},
		},
		"off the path": {
			status("drain_help", open, false, []string{"ready", "move_mx", "drain", "drain_help"}, "move_mx"), "",
			[]string{"is in state drain_help (Title), which the plan did not predict", "it came to is drain;", "TO FINISH, from drain on"},
			[]string{"\nmove\n"},
		},
		"on the way back": {
			status("stop", open, true, []string{"ready", "move_mx", "drain", "stop", "come_back", "stop"}, "move_mx", "stop"), "",
			[]string{"TO FINISH, from stop on", "\nstart\n"},
			[]string{"\nstop\n"},
		},
		"being aborted": {
			status("stop", open, true, []string{"ready", "move_mx", "drain", "stop"}, "move_mx"), "",
			[]string{"is being aborted; it undoes stop.", "TO UNDO", "\nmove back\n"},
			[]string{"TO FINISH"},
		},
		"aborted": {
			status("stop", machine.Aborted.String(), true, []string{"ready", "move_mx", "stop"}), "",
			[]string{"has ended: aborted. There is nothing to finish"},
			[]string{"TO FINISH", "TO UNDO"},
		},
		"retired": {
			status("done", machine.Retired.String(), false, []string{"ready", "move_mx", "stop", "done"}, "move_mx", "stop"), "stop",
			[]string{"has ended: retired. There is nothing to finish", "NOTHING TO UNDO: stop was done"},
			[]string{"TO FINISH", "move back"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			page := handText(t, &plan.Plan{Gateway: "east", NoReturn: tt.noReturn}, &tt.status)
			flat := strings.ReplaceAll(page, "\n# ", " ") // sentences are broken
			for _, text := range tt.want {
				if !strings.Contains(page, text) && !strings.Contains(flat, text) {
					t.Errorf("%q is not on the page:\n%s", text, page)
				}
			}
			for _, text := range tt.not {
				if strings.Contains(page, text) {
					t.Errorf("%q is on the page:\n%s", text, page)
				}
			}
		})
	}
}

// handText is the page of handSteps, after a run or without one.
func handText(t *testing.T, pl *plan.Plan, st *runner.Status) string {
	t.Helper()
	d := &handData{Steps: handSteps()}
	if st != nil {
		d.Run, d.State, d.Title, d.Done, d.Expires = st.Run, st.State, st.Title, st.Changed, st.Expires
		d.place(*st)
	}
	var text strings.Builder
	if err := output.New(&text, io.Discard, output.Options{}).Result("plan-by-hand", d, func(p *output.Page) { handPage(p, pl, d) }); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// TestByHandTakesNoDecision: what only an answer leads to is no command that is
// run by whoever pastes the page.
func TestByHandTakesNoDecision(t *testing.T) {
	page := handText(t, &plan.Plan{Gateway: "east"}, nil)
	for _, text := range []string{"\n#     send: send them now\n#       release\n#       them\n#     (then go on at stop)\n#     wait; then go on at drain\n", "\n#   only if the answer was send, "} {
		if !strings.Contains(page, text) {
			t.Errorf("%q is not on the page:\n%s", text, page)
		}
	}
	for l := range strings.Lines(page) {
		if l == "them\n" || l == "release\n" {
			t.Errorf("a command is not commented: %s", page)
		}
	}
	st := runner.Status{}
	st.Run, st.State, st.Outcome = "east-1", "drain", machine.Open.String()
	for word, at := range map[string]time.Time{"Until ": time.Now().Add(time.Hour), "Since ": time.Now().Add(-time.Hour)} {
		st.Expires = at
		if page := handText(t, &plan.Plan{Gateway: "east"}, &st); !strings.Contains(page, "# "+word+moment(at)) {
			t.Errorf("%swhen the old MX may be cached is not said:\n%s", word, page)
		}
	}
}
