package check

import (
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// looked is the world after a look: counts since the last look begin anew.
func looked(w *model.World) model.World {
	to := *w
	to.Arrived, to.LateCame = false, false
	return to
}

// judge looks at the world and answers the guards that the machine asks about.
func (x *shell) judge(s machine.State, w *model.World) {
	st := &x.def.States[s.Cur]
	g := x.pending[0].Guard
	if st.Kind == machine.KindWait {
		x.watch(s, w, st.Wait)
		return
	}
	v := x.verdict(int(g), s, w)
	if v == machine.Pass && st.Kind == machine.KindDo && st.Do.Destructive() && w.Digest != w.ConfigFacts() {
		v = machine.Fails // the configuration changed since the last decision
	}
	x.event(actLook, fair, s, looked(w), machine.Event{Kind: machine.Judged, Guard: g, Verdict: v})
	x.blind(s, w, machine.Event{Kind: machine.Judged, Guard: g, Verdict: machine.Unknown})
}

// blind is a look at which something cannot be observed. The run looks again,
// at once or a little later, so it is blind until that ends the state or a
// person is asked: the looks between differ in nothing but their number.
func (x *shell) blind(s machine.State, w *model.World, e machine.Event) {
	x.event(actBlind, maybe, x.last(s, e), *w, e)
}

// last is the state in which an event that tells nothing is the last in a row.
func (x *shell) last(s machine.State, e machine.Event) machine.State {
	for {
		n := x.step(s, e)
		if n.Armed(machine.BackoffTimer) {
			n = x.step(n, machine.Event{Kind: machine.Elapsed, Timer: machine.BackoffTimer})
		}
		if n == s || n.Phase != s.Phase || n.Cur != s.Cur || n.Timers != s.Timers {
			return s
		}
		s = n
	}
}

// watch is a look in a wait: drift first, then the condition, then timers. The
// hold timer elapses only on a look at which the condition holds. A wait that
// is for nothing but a start of the service is for people to end.
func (x *shell) watch(s machine.State, w *model.World, wait *machine.Wait) {
	if wait.Drift != machine.Here && x.verdict(wait.Drift, s, w) == machine.Pass {
		x.event(actLook, fair, s, looked(w), machine.Event{Kind: machine.Judged, Guard: uint8(wait.Drift), Verdict: machine.Pass})
	} else {
		v := x.verdict(wait.Until, s, w)
		x.event(actLook, fair, s, looked(w), machine.Event{Kind: machine.Judged, Guard: uint8(wait.Until), Verdict: v})
		if v == machine.Pass && s.Armed(machine.HoldTimer) {
			x.elapsed(s, looked(w), machine.HoldTimer)
		}
		if to, ok := w.Started(); ok && v != machine.Pass && x.verdict(wait.Until, s, &to) == machine.Pass {
			x.add(transition{act: action(model.StartedByHand), class: person, s: s, w: to}) // it is what the wait asks people for
		}
	}
	if s.Armed(machine.TimeoutTimer) {
		x.elapsed(s, *w, machine.TimeoutTimer)
	}
	if s.Armed(machine.StallTimer) && x.fact(x.static.states[s.Cur].metric, s, w) > 0 {
		x.elapsed(s, *w, machine.StallTimer)
	}
}

func (x *shell) elapsed(s machine.State, w model.World, t machine.Timer) {
	c := fair
	if t == machine.ExpiryTimer {
		c, w.Digest = maybe, 0 // nobody agreed, which is a no
	}
	x.event(actElapsed+action(t), c, s, w, machine.Event{Kind: machine.Elapsed, Timer: t})
}
