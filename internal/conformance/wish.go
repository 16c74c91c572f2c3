package conformance

import (
	"slices"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// wish is what a run wants of the world around its gateway, as its effects say:
// the wanted MX, of which facts speak, is not the same for every runbook, and
// what no effect is about need not be told apart.
type wish struct {
	null, also, drain, name, limits, split bool
}

func wishOf(def *machine.Def) (w wish) {
	for i := range def.States {
		do := def.States[i].Do
		if do == nil {
			continue
		}
		a := &do.Args
		w.limits = w.limits || a.MaxInbound+a.MaxOutbound > 0
		w.split = w.split || len(a.Spaces) > 0
		w.drain = w.drain || a.Drain
		w.null = w.null || a.NullMX
		w.also = w.also || a.Also
		w.name = w.name || (!a.Drain && (a.Type == "A" || a.Type == "AAAA"))
	}
	return w
}

// primary reports whether the server that takes updates has the wanted MX.
func (h wish) primary(w *model.World) bool {
	switch {
	case h.null:
		return w.Flags&model.Null != 0
	case h.also:
		return w.Flags&model.Also != 0 && w.MXPrimary
	}
	return !w.MXPrimary
}

// everywhere reports whether every authority has it.
func (h wish) everywhere(w *model.World) bool {
	switch {
	case h.null:
		return w.Published(model.Null)
	case h.also:
		return w.Published(model.Also) && w.MXPrimary && w.MXSecondary
	}
	return !w.MXHere()
}

// unsaid are the worlds after an effect on the successor, or on who has which
// address space: the model does not say which settings and spaces there are, so
// whether something is not taken over and whether all is covered may change.
func (h wish) unsaid(all []node, it *item) []node {
	a := it.do.Action
	if split := a == machine.RouteSpaces && !it.do.Args.Empty; !split && !it.do.Args.OnSuccessor && a != machine.GatewayDependents {
		return all
	} else if split {
		all = each(all, func(w *model.World) { w.Other = !w.Other })
	}
	return each(all, func(w *model.World) { w.Differs = !w.Differs })
}

// each doubles worlds: as they are, and changed.
func each(all []node, change func(w *model.World)) []node {
	for _, n := range all {
		change(&n.w)
		all = append(all, n)
	}
	return all
}

// begins are the worlds of a first observation that one fact about several
// records or settings leaves open: which of them are there already, and which
// addresses a host name has.
func (f *follower) begins(w *model.World) []model.World {
	all := []model.World{*w}
	for _, u := range f.unseen() {
		all = some(all, u.parts)
	}
	if !f.wish.name || f.seen[facts.NameHere] != 1 {
		return all
	}
	for _, b := range all[:len(all):len(all)] {
		for _, name := range []model.Name{model.NameA, model.NameAAAA} {
			b.NamePrimary, b.NameSecondary = name, name
			all = append(all, b)
		}
	}
	return all
}

// unseen are parts of which only whether all are there is seen.
type unseen struct {
	wanted bool
	whole  facts.ID
	parts  []model.Flags
}

// unseen are the records and settings of which one fact says that not all are
// there, and none which.
func (f *follower) unseen() (all []unseen) {
	for _, one := range []unseen{
		{f.wish.limits, facts.NextLimited, []model.Flags{model.LimitHere, model.LimitNext}},
		{f.wish.split, facts.NextSplit, []model.Flags{model.SplitHere, model.SplitNext}},
		{f.wish.drain, facts.DrainNamed, []model.Flags{model.DrainAddr, model.DrainAddr6, model.DrainPTR, model.DrainSPF}},
	} {
		if one.wanted && f.seen[one.whole] == 0 {
			all = append(all, one)
		}
	}
	return all
}

// hidden are the nodes that look the same, because what no effect of the run has
// changed yet may be as it wants already.
func (f *follower) hidden(n node) []node {
	all := []node{n}
	for _, u := range f.unseen() {
		for _, part := range u.parts {
			if f.tried(&n, part) {
				continue
			}
			var there model.World
			there.Publish(part)
			for i, m := range all[:len(all):len(all)] {
				m.w.Flags |= there.Flags
				all[i].w.Flags &^= there.Flags
				all = append(all, m)
			}
		}
		all = slices.DeleteFunc(all, func(m node) bool { return f.compared(u.whole, &m.w) && !f.shows(u.whole, &m) })
	}
	return all
}

// tried reports whether an effect on a record or setting may have happened.
func (f *follower) tried(n *node, part model.Flags) bool {
	for state, slot := range f.slots {
		var w model.World
		do := f.def.States[state].Do
		if w.Apply(do.Action, &do.Args); w.Flags&part != 0 {
			return n.known&(1<<slot) != 0
		}
	}
	return true
}

// some are worlds with none of the parts there, or some, but not all.
func some(all []model.World, parts []model.Flags) (out []model.World) {
	for bits := range 1<<len(parts) - 1 {
		for _, w := range all {
			for i, p := range parts {
				if bits>>i&1 == 1 {
					w.Publish(p)
				}
			}
			out = append(out, w)
		}
	}
	return out
}

// byHand are the moves that are for people: what is held, and what is in Bad,
// moves by nobody else, and neither do the settings of other gateways. A successor
// that was away comes back, and sends, in any run.
func byHand(m model.Move) bool {
	return m.Class() == model.Person && m != model.SuccessorBack && m != model.SuccessorSends
}
