package engine

import (
	"context"

	"example.org/ims/pkg/machine"
)

// stay observes while the run is paused. What a wait has seen to hold goes on
// being judged, so that a soak neither loses the time of the pause nor gains
// time in which its condition failed; whatever would lead on is left for later.
func (e *Engine) stay(ctx context.Context, actions []machine.Action) error {
	if err := e.observe(ctx); err != nil {
		return err
	}
	st := e.state()
	for _, a := range actions {
		if a.Kind != machine.Judge || st.Kind != machine.KindWait {
			continue
		}
		rec, ans := e.verdict(st, a)
		now := e.hist.State
		next := e.opts.Book.Def.Next(now, rec.Event)
		if next.Cur != now.Cur || next.Phase != now.Phase || !matters(st.Wait, now, int(a.Guard), ans.Verdict) {
			continue
		}
		if err := e.append(ctx, rec); err != nil {
			return err
		}
	}
	return e.wait(ctx)
}
