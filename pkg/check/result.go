package check

import (
	"cmp"
	"context"
	"slices"

	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// explore explores a runbook under every reading that makes a difference to it.
// The error is that of ctx.
func (res *Result) explore(ctx context.Context, b *Runbook, o Options, memory *share) error {
	for _, p := range properties {
		res.Properties = append(res.Properties, Finding{ID: p.id, Title: p.title, Verdict: Proved, Trace: []Line{}})
	}
	var unseen []map[Gap]bool
	starts := o.Starts
	if starts == nil {
		starts = o.Bounds.Starts(b.Def.Begins)
	}
	for _, s := range starts {
		res.Starts = append(res.Starts, s.Words)
	}
	for _, r := range readings(b.Def, starts) {
		x := newShell(b, model.Rules{Params: r.params, Bounds: o.Bounds})
		if o.step != nil {
			x.step = o.step(b.Def)
		}
		wanted := named(o.Until)
		g := explore(ctx, x, r.starts, limits{o.MaxStates, wanted &^ found(res), memory, o.after(res.States), o.Now})
		if g.ended == complete {
			g.liveness(ctx)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		res.Readings = append(res.Readings, r.words)
		res.merge(g, r.words)
		unseen = append(unseen, g.gaps())
		if wanted != 0 && wanted&^found(res) == 0 {
			break
		}
	}
	if res.Bound == "" {
		res.vacuity(ctx, b, o, memory, unseen)
	}
	return ctx.Err()
}

// idle says of which properties a runbook has no effect that could break them.
func (res *Result) idle(def *machine.Def) {
	for p, a := range map[property]machine.ActionName{s7: machine.ProbeSend, s9: machine.QueueRedirect} {
		has := slices.ContainsFunc(def.States, func(st machine.StateDef) bool {
			return st.Do != nil && (st.Do.Action == a || p == s7 && st.Do.Action == machine.QueueRedirect)
		})
		for i := range res.Properties {
			if f := &res.Properties[i]; f.ID == properties[p].id && f.Verdict == Proved && !has {
				f.Note = "no effect of this runbook could break it"
			}
		}
	}
}

// vacuity lists what was not seen, neither under any reading nor where somebody
// else changes something. A state among that leaves the runbook inconclusive.
func (res *Result) vacuity(ctx context.Context, b *Runbook, o Options, memory *share, unseen []map[Gap]bool) {
	if !o.wantsGaps() {
		res.gaps(unseen)
		return
	}
	g := meddled(ctx, b, memory)
	res.Bytes = max(res.Bytes, g.peak)
	if g.ended == hitMemory {
		res.hit(g.ended)
		return
	}
	res.gaps(append(unseen, g.gaps()))
	res.Gaps = append(res.Gaps, g.overlooked()...)
	if res.Verdict == Proved && slices.ContainsFunc(res.Gaps, func(g Gap) bool { return g.Unreached }) {
		res.Verdict = Inconclusive
	}
}

// named are the properties with these ids.
func named(ids []string) (s set) {
	for p := range numProperties {
		s.add(p, slices.Contains(ids, properties[p].id))
	}
	return s
}

// found are the properties that are known to be violated.
func found(res *Result) (s set) {
	for p := range res.Properties {
		s.add(property(p), res.Properties[p].Verdict == Violated)
	}
	return s
}

// gaps keeps what no reading has seen.
func (res *Result) gaps(unseen []map[Gap]bool) {
	for gap := range unseen[0] {
		everywhere := true
		for _, u := range unseen {
			everywhere = everywhere && u[gap]
		}
		if everywhere {
			res.Gaps = append(res.Gaps, gap)
		}
	}
	slices.SortFunc(res.Gaps, func(a, b Gap) int { return cmp.Compare(a.Text, b.Text) })
}

// hit notes the bound that ended an exploration. What was proved before stays
// so; the runbook as a whole is not.
func (res *Result) hit(why stop) {
	switch why {
	case hitStates:
		res.Bound = BoundStates
	case hitMemory:
		res.Bound = BoundMemory
	case complete, enough, crowded, cancelled:
		return
	}
	if res.Verdict == Proved {
		res.Verdict = Inconclusive
	}
}

// merge adds what the exploration under one reading found.
func (res *Result) merge(g *graph, reading string) {
	res.States += g.states.len()
	res.Exploring += g.took
	res.Edges += g.count
	res.Bytes = max(res.Bytes, g.peak)
	res.hit(g.ended)
	for p := range numProperties {
		f := &res.Properties[p]
		v := g.found[p]
		switch {
		case f.Verdict == Violated:
		case v.is:
			f.Verdict, f.Reading, f.Note, f.Trace = Violated, reading, v.note, g.counterexample(v)
			res.Verdict = Violated
		case g.ended != complete:
			f.Verdict, f.Note = Inconclusive, "not everything was seen"
			if res.Bound != "" {
				f.Note = "bound hit: " + string(res.Bound)
			}
			if res.Verdict == Proved {
				res.Verdict = Inconclusive
			}
		}
	}
}
