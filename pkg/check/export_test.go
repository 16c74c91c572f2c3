package check

import (
	"context"

	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// Step is the machine's step.
type Step = func(machine.State, machine.Event) machine.State

// Broken lets a check explore a machine that was broken on purpose.
func Broken(o Options, breakIt func(*machine.Def) Step) Options {
	o.step = breakIt
	return o
}

// Footprint is how many bytes a state takes beside its key, under the first
// reading.
func Footprint(ctx context.Context, b *Runbook, bounds Bounds) float64 {
	l := b.limited(bounds.Attempts)
	x := newShell(l, model.Rules{Bounds: bounds})
	g := explore(ctx, x, x.rules.Starts(x.def.Begins), limits{})
	return float64(g.bytes())/float64(g.states.len()) - keyBytes
}

// Undrifted is the runbook whose wait does not notice drift.
func Undrifted(b *Runbook, state string) *Runbook {
	c := b.clone()
	st := &c.Def.States[c.Def.Find(state)]
	wait := *st.Wait
	wait.Drift = machine.Here
	st.Wait = &wait
	return c
}

// Overlooked are the waits of a runbook that overlook a change by others.
func Overlooked(ctx context.Context, b *Runbook) []string {
	var words []string
	for _, g := range meddled(ctx, b, nil).overlooked() {
		words = append(words, g.Text)
	}
	return words
}
