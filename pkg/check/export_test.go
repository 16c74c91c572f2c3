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
	g := explore(ctx, newShell(l, model.Rules{Bounds: bounds}), maxStates, 0)
	n := g.keys.len()
	bytes := 8*len(g.table.slots) + 4*g.parent.size() + 2*g.act.size() + 4*g.offset.size() + 4*g.edges.size()
	bytes += 2 * n / 8 // bitmaps of liveness
	bytes += 8 * n     // orders of the search for circles
	return float64(bytes) / float64(n)
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
	_, blind := meddled(ctx, b)
	var words []string
	for _, g := range blind {
		words = append(words, g.Text)
	}
	return words
}
