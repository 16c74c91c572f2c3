package runner_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/runner"
)

// TestMonitor looks at a run while it asks and after its end, with the runner
// and without: what is shown must be what happened.
func TestMonitor(t *testing.T) {
	dir := shortDir(t)
	c, end := serve(t, runner.Options{Dir: dir, Site: site{live(t)}, People: people()})
	run, err := c.Open(t.Context(), retire("q285090"))
	if err != nil {
		t.Fatal(err)
	}
	last, err := approve(t.Context(), c, run)
	if err != nil || last.Outcome != "retired" {
		t.Fatalf("run ended with %q, %v", last.Outcome, err)
	}
	m, err := c.Monitor(t.Context(), run, "one", 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Steps) != m.States || m.Steps[0].State == "" {
		t.Errorf("%d steps, the run has %d states", len(m.Steps), m.States)
	}
	if !slices.Equal(m.Viewers, []string{"ann"}) {
		t.Errorf("viewers %q, want ann", m.Viewers)
	}
	if len(m.Lines) == 0 || !strings.Contains(m.Lines[len(m.Lines)-1].Text, "retired") {
		t.Errorf("the last of %d lines does not tell the end", len(m.Lines))
	}
	if len(m.Authorities) == 0 || !strings.Contains(m.Authorities[0].Answer, "west") {
		t.Errorf("authorities %+v, want the successor", m.Authorities)
	}
	seq := m.Lines[len(m.Lines)-2].Seq
	more, err := c.Monitor(t.Context(), run, "two", seq)
	if err != nil || len(more.Lines) != 1 || more.Lines[0].Seq <= seq || len(more.Viewers) != 2 {
		t.Errorf("after %d: %d lines, viewers %q, %v", seq, len(more.Lines), more.Viewers, err)
	}
	end()
	still, err := runner.ReadMonitor(t.Context(), dir, "")
	if err != nil || still.Run != run || len(still.Lines) != len(m.Lines) || still.Alive {
		t.Errorf("without a runner: run %q, %d lines, %v", still.Run, len(still.Lines), err)
	}
}

// TestMonitorOfAStall: a question that a stall led to is told from waiting for
// a drain that is not given up yet.
func TestMonitorOfAStall(t *testing.T) {
	for state, after := range map[string]time.Duration{"drain": time.Hour, "drain_help": 50 * time.Millisecond} {
		t.Run(state, func(t *testing.T) {
			lab := live(t)
			lab.Org.OnHandover(func(h mem.Handover) mem.Answer {
				if h.Inbound {
					return mem.Answer{}
				}
				return mem.Answer{Code: 450, Text: "later"}
			})
			lab.Org.Send(mem.Mail{From: "u@example.test", Rcpts: []string{"a@far.test"}})
			c, _ := serve(t, runner.Options{Dir: shortDir(t), Site: site{lab}, People: people()})
			r := retire("q285090")
			r.Params["stalled_after"] = after.String()
			run, err := c.Open(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			stalled := state == "drain_help"
			waitFor(t, c, run, func(s runner.Status) bool {
				if s.State == "settle" && s.Phase == "operating" { // what was on its way took longer than that, too
					if err := c.Resume(t.Context(), run, "go on"); err != nil {
						t.Errorf("resume: %v", err)
					}
				}
				return s.State == state && (s.Asked != nil) == stalled
			})
			m, err := c.Monitor(t.Context(), run, "one", 0)
			if err != nil {
				t.Fatal(err)
			}
			if (m.Stall != nil) != stalled {
				t.Errorf("stall %+v", m.Stall)
			}
			if m.Stall != nil && m.Stall.Called.Sub(m.Stall.Since) != after {
				t.Errorf("stall %+v, the runbook waits %s", m.Stall, after)
			}
		})
	}
}

// TestMonitorOfAnAbort: what the name servers said before DNS was put back is
// marked, for it is not what they say now.
func TestMonitorOfAnAbort(t *testing.T) {
	c, _ := serve(t, runner.Options{Dir: shortDir(t), Site: site{live(t)}, People: people()})
	run, err := c.Open(t.Context(), retire("q285090"))
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, c, run, func(s runner.Status) bool { return s.State == "confirm" && s.Asked != nil })
	m, err := c.Monitor(t.Context(), run, "one", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range m.Authorities {
		if a.Stale || !strings.Contains(a.Answer, "west") {
			t.Errorf("before the abort: %+v", a)
		}
	}
	if err := c.Abort(t.Context(), run, "enough"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, c, run, func(s runner.Status) bool { return s.Ended() })
	if m, err = c.Monitor(t.Context(), run, "one", 0); err != nil || len(m.Authorities) == 0 {
		t.Fatalf("%d authorities, %v", len(m.Authorities), err)
	}
	for _, a := range m.Authorities {
		if !a.Stale && strings.Contains(a.Answer, "west") {
			t.Errorf("%s is said to answer %s, as it did before the abort", a.Server, a.Answer)
		}
	}
}
