package runner_test

import (
	"errors"
	"strings"
	"testing"

	"example.org/ims/internal/runner"
)

// TestAdopt loses the journal in the middle of a run: a new journal is refused
// until somebody says that the old one is gone, and then finds done what was.
func TestAdopt(t *testing.T) {
	lab := live(t)
	c, end := serve(t, runner.Options{Dir: shortDir(t), Site: site{lab}, People: people()})
	run, err := c.Open(t.Context(), retire("eleven-steps"))
	if err != nil {
		t.Fatal(err)
	}
	approveUntil := func(c *runner.Client, run string, enough func(runner.Status) bool) runner.Status {
		t.Helper()
		return waitFor(t, c, run, func(s runner.Status) bool {
			if enough(s) || s.Asked == nil {
				return enough(s)
			}
			err := c.Approve(t.Context(), run, runner.Answer{State: s.State, Choice: s.Choices[0].Name})
			if err != nil && !errors.Is(err, runner.ErrRefused) {
				t.Error(err)
			}
			return false
		})
	}
	approveUntil(c, run, func(s runner.Status) bool { return s.State == "confirm" && s.Asked != nil })
	end()
	starts := lab.East.Starts()

	c, _ = serve(t, runner.Options{Dir: shortDir(t), Site: site{lab}, People: people()})
	if _, err = c.Open(t.Context(), retire("eleven-steps")); !errors.Is(err, runner.ErrRefused) || !strings.Contains(err.Error(), "ims adopt east") {
		t.Fatalf("a new journal on a gateway that remembers an old one: %v", err)
	}
	r := retire("eleven-steps")
	r.Adopt = "the host is lost"
	if run, err = c.Open(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	last := approveUntil(c, run, func(s runner.Status) bool { return s.Ended() })
	if last.Outcome != "retired" || last.Ledger["unaccounted"] != 0 {
		t.Errorf("the adopted run ends %s in %s, ledger %v", last.Outcome, last.State, last.Ledger)
	}
	if n := lab.East.Starts(); n != starts {
		t.Errorf("the gateway was started %d times more although everything was made", n-starts)
	}
}
