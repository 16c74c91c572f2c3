package runner_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/runner"
)

// TestAdopt loses the journal in the middle of a run: a new journal is refused
// until somebody says that the old one is gone; then it finds done what was, and
// waits for caches as if the MX had been moved just now.
func TestAdopt(t *testing.T) {
	lab := live(t)
	c, end := serve(t, runner.Options{Dir: shortDir(t), Site: site{lab}, People: people()})
	run, err := c.Open(t.Context(), retire(""))
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, c, run, func(s runner.Status) bool { return s.State == "confirm" && s.Asked != nil })
	end()
	starts, changes := lab.East.Starts(), len(lab.Zone.Applied())

	c, _ = serve(t, runner.Options{Dir: shortDir(t), Site: site{lab}, People: people()})
	if _, err = c.Open(t.Context(), retire("")); !errors.Is(err, runner.ErrRefused) || !strings.Contains(err.Error(), "ims adopt east") {
		t.Fatalf("a new journal on a gateway that remembers an old one: %v", err)
	}
	r := retire("")
	r.Adopt = "the host is lost"
	if run, err = c.Open(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	s := waitFor(t, c, run, func(s runner.Status) bool {
		return s.State == "accepting" && s.Phase == "judging" && s.Seen.After(s.Opened)
	})
	if !s.Expires.After(time.Now()) || !slices.Contains(s.Changed, "move_mx") {
		t.Errorf("old MX may be cached until %s; changed %v", s.Expires, s.Changed)
	}
	if n := lab.East.Starts(); n != starts {
		t.Errorf("the gateway was started %d times more although everything was made", n-starts)
	}
	if n := len(lab.Zone.Applied()); n != changes {
		t.Errorf("the zone was changed %d times more although the MX was moved", n-changes)
	}
}
