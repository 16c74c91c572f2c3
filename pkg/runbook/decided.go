package runbook

import (
	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/machine"
)

// step is a state that can be reached, and whether somebody has decided by then
// that a destructive effect may happen.
type step struct {
	state   int
	decided bool
}

// undecided finds a way to a destructive effect on which nobody has decided it,
// or somebody said no since. A no leads on, too: where the run waits for a person
// then, it asks again, and a question that is not always asked is passed.
func undecided(def *machine.Def, effect int) (no int, found bool) {
	first := step{state: def.Start}
	said, todo := map[step]int{first: machine.Here}, []step{first} // which question was answered with no, last
	add := func(s step, no int) {
		if _, ok := said[s]; !ok {
			said[s] = no
			todo = append(todo, s)
		}
	}
	for ; len(todo) > 0; todo = todo[1:] {
		at := todo[0]
		if at == (step{state: effect}) {
			return said[at], true
		}
		st := &def.States[at.state]
		for _, r := range st.Kind.Results() {
			t := int(st.Then[r])
			switch {
			case st.Kind == machine.KindApprove && (r == machine.Rejected || r == machine.Expired):
				if t < 0 {
					t = at.state
				}
				add(step{state: t}, at.state)
			case t >= 0 && (st.Kind != machine.KindApprove || st.Approve.When != machine.Here):
				add(step{t, at.decided}, said[at])
			}
		}
		if st.Kind != machine.KindApprove {
			continue
		}
		for c := range st.Approve.Choices {
			to := step{int(st.Approve.Choices[c].Target), at.decided}
			if about := def.Decides(at.state, uint8(c)); about != machine.Here {
				to.decided = about == effect
			}
			if to.state >= 0 {
				add(to, said[at])
			}
		}
	}
	return machine.Here, false
}

// checkDecided checks that a destructive effect has an approval on every way to
// it.
func (doc *Doc) checkDecided(def *machine.Def, effect int, m *strictyaml.Mistakes) {
	key := doc.States[effect].Key
	no, found := undecided(def, effect)
	switch {
	case !found:
	case no != machine.Here:
		m.Add(key.Pos, "destructive", "destructive state %q can be reached although %q was rejected or expired: a no is no approval, and voids those before it; lead both to operator, or to where somebody is asked again", key, def.States[no].ID)
	default:
		m.Add(key.Pos, "destructive", "destructive state %q can be reached without an approval: a question that is always asked must lead straight to it, with no wait between", key)
	}
}

// checkAnswers checks that the answers to a question differ in what they do.
func (doc *Doc) checkAnswers(def *machine.Def, state int, m *strictyaml.Mistakes) {
	keys := doc.States[state].Value.Approve.Choices
	all := def.States[state].Approve.Choices
	for i := range keys {
		for j := range i {
			if all[i].Target == all[j].Target && all[i].Grants == all[j].Grants && all[i].Names == all[j].Names {
				m.Add(keys[i].Key.Pos, "choices", "%q does the same as %q, whatever its title says: lead it elsewhere, or leave it out", keys[i].Key, keys[j].Key)
			}
		}
	}
}
