package wire

import (
	"slices"
	"testing"
	"time"

	"example.org/ims/internal/cli"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/preflight"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/verdict"
)

// TestWhatARunHoldsBlocksOthers: while a run of east to west is open, none of
// west to east can be, and a preflight and a dry run say so with its name.
func TestWhatARunHoldsBlocksOthers(t *testing.T) {
	o := newSmall(t)
	_, raw := o.plan()
	if err := o.open(raw); err != nil {
		t.Fatal(err)
	}
	r := runner.Request{Gateway: "west", Successor: "east"}
	s, book, err := observations{}.Observe(t.Context(), o.cfg, cli.Look{Request: r})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := preflight.Make(preflight.Input{Snapshot: s, Book: book, Made: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	p, err := runs{}.Plan(t.Context(), o.cfg, cli.Look{Request: r})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"lease.gateway/east", "lease.gateway/west", "lease.space/SMTP:*", "lease.site/branch"} {
		i := slices.IndexFunc(rep.Checks, func(c preflight.Check) bool { return c.ID == id && c.Verdict == verdict.Fail })
		j := slices.IndexFunc(p.Checks, func(c plan.Check) bool { return c.ID == id && c.Verdict == verdict.Fail })
		if i < 0 || j < 0 {
			t.Errorf("%s is held, and that blocks nothing: preflight %s, dry run %s", id, rep.Verdict, p.Verdict)
		}
	}
	if n := p.Counts(); rep.Counts.Blockers != n.Blockers {
		t.Errorf("preflight %s, dry run %s", rep.Counts, n)
	}
}
