package engine_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/mem"
	"example.org/ims/pkg/machine"
)

var books = []string{"q285090", "eleven-steps"}

// TestRetires runs both shipped procedures to their end with their own
// parameters: days pass.
func TestRetires(t *testing.T) {
	for _, name := range books {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, name, map[string]string{"poll": "10m"})
				var last engine.Status
				r.watch = func(s engine.Status) { last = s }
				ctx, cancel := context.WithCancel(t.Context())
				var wg sync.WaitGroup
				r.live(ctx, &wg)
				r.lab.Org.Send(mem.Mail{From: "u@example.test", Rcpts: []string{"a@far.test", "b@near.test"}})
				begin := time.Now()
				outcome, err := r.life(ctx)
				cancel()
				wg.Wait()
				if c, _ := r.lab.East.Config(context.Background()); c.Stored.Timeouts.Report != mem.DefaultSettings().Timeouts.Report {
					t.Errorf("reports time out after %s: they keep their own time-out", c.Stored.Timeouts.Report)
				}
				t.Logf("%s after %s, %d commits: %s", outcome, time.Since(begin), r.commits, path(last.Visits))
				if err != nil || outcome != machine.Retired {
					t.Fatalf("%s ends %s, %v; in %s %s: %+v", name, outcome, err, last.State, last.Why, last.Missing)
				}
			})
		})
	}
}
