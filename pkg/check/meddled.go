package check

import (
	"context"

	"example.org/ims/pkg/model"
)

// mostMeddled bounds the search for what only somebody else's hand can bring
// about.
const mostMeddled = 2_000_000

// meddled lists what is not even seen when somebody else changes something
// once. A guard against such changes never fails in the worlds that a proof is
// about, in which nobody else changes anything; that it can fail at all is
// seen here, at the smallest bounds. No property is judged.
func meddled(ctx context.Context, b *Runbook) map[string]bool {
	bounds := model.Bounds{Name: "meddled", Out: 1, In: 1, Attempts: 1, Plain: true}
	x := newShell(b.limited(bounds.Attempts), model.Rules{Params: readings(b.Def)[0].params, Bounds: bounds})
	g := exploreFrom(ctx, x, mostMeddled, 0, bounds.Meddled(x.rules.Starts(x.def.Begins)))
	gaps := map[string]bool{}
	for _, gap := range g.gaps() {
		gaps[gap] = true
	}
	return gaps
}

// wantsGaps reports whether a check is one of the whole runbook as it is.
func (o *Options) wantsGaps() bool {
	return len(o.Until) == 0 && o.step == nil && o.Starts == nil && !o.why
}
