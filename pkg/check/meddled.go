package check

import (
	"context"
	"fmt"

	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// mostMeddled bounds the search for what only somebody else's hand can bring
// about.
const mostMeddled = 2_000_000

// meddled explores worlds in which somebody else changes something once. A
// guard against such changes never fails in the worlds that a proof is about,
// in which nobody else changes anything; that it can fail at all is seen here,
// at the smallest bounds. No property is judged.
func meddled(ctx context.Context, b *Runbook, memory *share) *graph {
	bounds := model.Bounds{Name: "meddled", Out: 1, In: 1, Attempts: 1, Plain: true}
	x := newShell(b.limited(bounds.Attempts), model.Rules{Params: readings(b.Def, nil)[0].params, Bounds: bounds})
	return explore(ctx, x, bounds.Meddled(x.rules.Starts(x.def.Begins)), limits{maxStates: mostMeddled, memory: memory})
}

// overlooked lists the waits in which nobody notices that somebody leads mail
// to a gateway that does not take it any more. A question is open for a time only, and
// its answer is bound to the configuration that people were shown.
func (g *graph) overlooked() []Gap {
	var blind [machine.MaxStates]bool
	for i := range g.states.len() {
		s, w := g.states.at(i).unpack()
		waits := s.Phase == machine.Judging && !s.Undoing && g.def.States[s.Cur].Kind == machine.KindWait
		if !waits || blind[s.Cur] || w.Flags&model.Meddle == 0 || !accepted(w.Init) {
			continue
		}
		for _, to := range w.LedAgain() {
			blind[s.Cur] = blind[s.Cur] || !g.notices(s, to)
		}
	}
	var all []Gap
	for i := range g.def.States {
		if id := g.def.States[i].ID; blind[i] {
			all = append(all, Gap{State: id, Text: fmt.Sprintf("state %s never notices that somebody leads mail to the gateway", id)})
		}
	}
	return all
}

// notices reports whether a run that looks and acts, and lets no time-out
// decide, comes to where a person is told that something is wrong.
func (g *graph) notices(s machine.State, w model.World) bool {
	seen, todo := map[key]bool{}, []key{pack(s, &w)}
	for ; len(todo) > 0; todo = todo[1:] {
		s, w := todo[0].unpack()
		if s.Phase == machine.Operating {
			return true
		}
		if s.Phase == machine.Asking || s.Phase == machine.Closed {
			continue
		}
		for _, m := range g.successors(s, &w) {
			timer := m.act >= actElapsed && m.act < actAnswer && m.event.Timer != machine.HoldTimer
			k := pack(m.s, &m.w)
			if m.class != fair || timer || seen[k] {
				continue
			}
			seen[k] = true
			todo = append(todo, k)
		}
	}
	return false
}

// wantsGaps reports whether a check is one of the whole runbook as it is.
func (o *Options) wantsGaps() bool {
	return len(o.Until) == 0 && o.step == nil && o.Starts == nil && !o.why
}
