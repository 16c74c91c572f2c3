package runbook

import (
	"slices"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/guard"
	"example.org/ims/pkg/machine"
)

// fits says what is true of every world that a proof begins in, so that a run
// which begins in another one is refused: the proof says nothing of it.
var fits = map[machine.Begins][]struct{ that, why, fix string }{
	machine.BeginsServing: serves,
	machine.BeginsAlone:   serves,
	machine.BeginsJoining: {
		serves[0],
		{"gw.mode == 'inbound-outbound'", "the proof is about a gateway that sends and accepts: one that does less has no work to share", "ims gateway set ${gateway} --mode inbound-outbound --restart --reason 'retire ${gateway}'"},
	},
	machine.BeginsStopped: {
		{"!gw.running || gw.mode == 'none' || gw.mode == 'inbound-only'", "the proof is about a gateway that is stopped, Inbound Only or None, and this one sends", "ims runbook list"},
	},
}

// serves is true of a gateway that is not only there to be rescued.
var serves = []struct{ that, why, fix string }{
	{"gw.running", "the proof is about a gateway that serves", "ims retire ${gateway} --runbook rescue"},
	{"gw.mode == 'inbound-outbound' || gw.mode == 'outbound-only'", "the proof is about a gateway that serves: Inbound Only and None hold mail back", "ims retire ${gateway} --runbook rescue"},
}

// begins reads the worlds in which a run may begin, and makes the guards that
// hold in each.
func (b *binder) begins() {
	def, t := b.book.Def, b.doc.Begins
	def.Begins = machine.BeginsServing
	if t.Value != "" {
		if def.Begins = machine.Begins(t.Value); !slices.Contains(machine.AllBegins(), def.Begins) {
			b.add(t, "begins", "%q is nothing a run can begin with: want serving, stopped, alone or joining", t)
		}
	}
	var conds []Cond
	for _, f := range fits[def.Begins] {
		conds = append(conds, Cond{That: strictyaml.Text{Value: f.that}, Why: strictyaml.Text{Value: f.why}, Fix: strictyaml.Text{Value: f.fix}})
	}
	b.book.Begins = b.compile("begins", conds)
}

// checkBegins checks that a runbook which takes the gateway away begins where a
// proof looks at all that a removal can break: at other gateways that name it, at
// settings and domains that the successor lacks.
func (doc *Doc) checkBegins(def *machine.Def, reach map[int]bool, m *strictyaml.Mistakes) {
	if def.Begins != machine.BeginsJoining && def.Begins != machine.BeginsStopped {
		return
	}
	for i := range def.States {
		if end := def.States[i].End; reach[i] && (end == machine.Retired || end == machine.ReleasePending) {
			m.Add(doc.pos(doc.Begins), "begins", "a runbook that can end %s (state %q) may not begin %s: no such world has what a removal can break in it; say serving, or alone if there is no successor", end, def.States[i].ID, def.Begins)
			return
		}
	}
}

// Unfit lists the guards of Begins that do not hold, or of which it is not known,
// in a world that was observed. Of a gateway that is gone nothing is said.
func (b *Book) Unfit(v *facts.Vector) (all []guard.Finding) {
	if v[facts.GwExists] == 0 {
		return nil
	}
	for _, f := range b.Begins.Findings(v) {
		if f.Verdict != machine.Pass {
			all = append(all, f)
		}
	}
	return all
}

// Unsaid is Unfit without what the state that a run begins in says as well.
func (b *Book) Unsaid(v *facts.Vector) []guard.Finding {
	st := &b.Def.States[b.Def.Start]
	if st.Kind != machine.KindAssert {
		return b.Unfit(v)
	}
	own := b.Guards[st.Assert].Findings(v)
	return slices.DeleteFunc(b.Unfit(v), func(f guard.Finding) bool {
		return slices.ContainsFunc(own, func(o guard.Finding) bool {
			return o.Verdict == f.Verdict && slices.ContainsFunc(f.Guard.Refs, func(id facts.ID) bool { return slices.Contains(o.Guard.Refs, id) })
		})
	})
}
