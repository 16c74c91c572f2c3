package preflight

import (
	"maps"
	"strings"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// futures are facts that a run changes, or that change while it goes on, each
// with how.
type futures map[facts.ID]string

func (f futures) note(id facts.ID, why string) {
	if _, ok := f[id]; !ok {
		f[id] = why
	}
}

// inTime is how the reason of what moves by itself begins.
const inTime = "time passes in "

// change notes an effect, which says more than that time passes.
func (f futures) change(id facts.ID, state string) {
	if strings.HasPrefix(f[id], inTime) {
		delete(f, id)
	}
	f.note(id, "changed by "+state)
}

// passing adds what moves by itself when time passes.
func (f futures) passing(why string) futures {
	out := maps.Clone(f)
	for _, id := range facts.All() {
		if id.Definition().Class != facts.Config {
			out.note(id, why)
		}
	}
	return out
}

// among are the reasons that concern some facts, each with the facts.
func (f futures) among(ids []facts.ID) []string {
	names := map[string][]string{}
	var order []string
	for _, id := range ids {
		why, ok := f[id]
		if !ok {
			continue
		}
		if names[why] == nil {
			order = append(order, why)
		}
		names[why] = append(names[why], id.String())
	}
	var out []string
	for _, why := range order {
		out = append(out, strings.Join(names[why], ", ")+": "+why)
	}
	return out
}

// hide is what was observed, without what may be otherwise by then.
func (f futures) hide(set *facts.Set) facts.Vector {
	now := set.Vector()
	for id := range f {
		now[id] = facts.Unknown
	}
	return now
}

// unknowable is what only a run can tell.
func unknowable() futures {
	f := futures{}
	for _, id := range facts.All() {
		switch name := id.String(); {
		case strings.HasPrefix(name, "run."):
			f.note(id, "a decision of the run")
		case strings.HasPrefix(name, "late."):
			f.note(id, "known once the MX has moved")
		case id == facts.GwArrivals:
			f.note(id, "counted from one look of the run to the next")
		}
	}
	return f
}

// past adds what may be otherwise once a run has passed a state: what was done
// there, and what time changes.
func (f futures) past(st *machine.StateDef, set *facts.Set) futures {
	out := maps.Clone(f)
	if st.Do != nil {
		now := set.Vector()
		for _, id := range changes(st.Do, &now) {
			out.change(id, st.ID)
		}
	}
	if st.Wait != nil || st.Approve != nil && st.Approve.When < 0 {
		return out.passing(inTime + st.ID)
	}
	return out
}
