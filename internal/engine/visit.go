package engine

import (
	"strconv"

	"example.org/ims/pkg/machine"
)

// slot is one target of one do-state, or of its undo.
type slot struct {
	state, target string
	undo          bool
}

// visits gives every effect its key, from the journal alone, so that a crash
// changes no key. All attempts within one visit of a state share a key, which a
// gateway answers once; a new visit has a new one, because what the old visit
// did may have been reverted since.
type visits struct {
	over   map[slot]int    // visits that left an intent behind, and are over
	keys   map[slot]string // key of the intent of this visit
	last   map[slot]string // key of the newest intent of all
	images map[string]string
	agreed map[slot]bool // somebody looked at an undo that was overridden, and resumed
}

func newVisits() visits {
	return visits{
		over: map[slot]int{}, keys: map[slot]string{}, last: map[slot]string{}, images: map[string]string{}, agreed: map[slot]bool{},
	}
}

// follow takes in a record that led from one state of the machine to another.
func (v *visits) follow(def *machine.Def, before, after machine.State, r machine.Record) {
	d := &r.Detail
	s := slot{d.State, d.Target, d.Undo}
	if r.Event.Kind == machine.IntentSet {
		v.keys[s], v.last[s] = d.Key, d.Key
		if d.Image != "" && !d.Undo {
			v.images[d.Key] = d.Image
		}
		if !d.Undo {
			delete(v.agreed, slot{d.State, d.Target, true})
		}
	}
	if r.Event.Kind == machine.Continue && before.Undoing && before.Why == machine.Drift {
		v.agreed[undone(def, before)] = true
	}
	if entered(before, after, r.Event) {
		v.leave(def.States[after.Cur].ID, after.Undoing)
	}
}

// undone is the slot whose undo is under way.
func undone(def *machine.Def, s machine.State) slot {
	st := &def.States[s.Cur]
	if st.Do == nil || int(s.Target) >= len(st.Do.Targets) {
		return slot{}
	}
	return slot{st.ID, st.Do.Targets[s.Target], true}
}

// entered reports whether an event began a visit: the machine came to another
// state, a person told it to go on, or a result led back to the same state.
func entered(before, after machine.State, e machine.Event) bool {
	switch {
	case before.Cur != after.Cur, before.Undoing != after.Undoing:
		return true
	case e.Kind == machine.Continue:
		return before.Phase == machine.Operating && after.Phase != machine.Doubting
	}
	return !after.Undoing && (after.Phase == machine.Judging || after.Phase == machine.Ready) &&
		after.Attempt == 0 && after.Target == 0 && (before.Attempt > 0 || before.Target > 0)
}

// leave ends the visit of a state before this one.
func (v *visits) leave(state string, undo bool) {
	for s := range v.keys {
		if s.state == state && s.undo == undo {
			v.over[s]++
			delete(v.keys, s)
		}
	}
}

// key is that of an effect: run/state/target, and from the second visit on the
// number of the visit.
func (v *visits) key(run string, s slot) string {
	if k, ok := v.keys[s]; ok {
		return k
	}
	k := run + "/" + s.state + "/" + s.target
	if s.undo {
		k += undoKey
	}
	if n := v.over[s]; n > 0 {
		k += "#" + strconv.Itoa(n+1)
	}
	return k
}

// undoKey ends the key of an undo.
const undoKey = "/undo"

// first is the key that the first visit of a slot used, under which the value
// from before the run is kept.
func first(run string, s slot) string { return run + "/" + s.state + "/" + s.target }
