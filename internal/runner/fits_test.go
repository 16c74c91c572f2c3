package runner_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/runbook"
)

// unseen is a site at which nobody can see whether the gateway runs.
type unseen struct{ site }

func (u unseen) World(ctx context.Context, book *runbook.Book) (engine.World, error) {
	w, err := u.site.World(ctx, book)
	return unseenWorld{w}, err
}

type unseenWorld struct{ engine.World }

func (w unseenWorld) Observe(ctx context.Context, look engine.Look) engine.Observation {
	obs := w.World.Observe(ctx, look)
	obs.Facts.Put(facts.Fact{ID: facts.GwRunning, Value: facts.Unknown, At: obs.At, From: obs.At, Provenance: facts.NotKnown, Why: "it is silent"})
	return obs
}

// TestARunBeginsWhereItsProofDoes: no run is opened in a world that its runbook is
// not for, or that cannot be seen to be one, and none is left behind.
func TestARunBeginsWhereItsProofDoes(t *testing.T) {
	lab := live(t)
	rescue := retire("")
	rescue.Runbook, rescue.Params = "rescue", nil
	for _, tt := range []struct {
		name string
		site runner.Site
		r    runner.Request
		want error
		says string
	}{
		{"it serves", site{lab}, rescue, runner.ErrRefused, "runbook rescue begins stopped"},
		{"nobody can see it", unseen{site{lab}}, retire(""), runner.ErrUnknown, "it is silent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := serve(t, runner.Options{Dir: shortDir(t), Site: tt.site, People: people()})
			run, err := c.Open(t.Context(), tt.r)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("run %q is opened: %v", run, err)
			}
			if all, err := c.List(t.Context()); err != nil || len(all) != 0 {
				t.Errorf("runs are %v, %v", all, err)
			}
		})
	}
}
