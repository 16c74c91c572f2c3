package conformance

import (
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// wish is what a run wants of the world around its gateway, as its effects say:
// the wanted MX, of which facts speak, is not the same for every runbook.
type wish struct {
	null, also bool // the MX is to be the null MX, or to name both
}

func wishOf(def *machine.Def) (w wish) {
	for i := range def.States {
		if do := def.States[i].Do; do != nil && do.Action == machine.DNSRRset {
			w.null = w.null || do.Args.NullMX
			w.also = w.also || do.Args.Also
		}
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
	for known, parts := range map[facts.ID][]model.Flags{
		facts.NextLimited: {model.LimitHere, model.LimitNext},
		facts.NextSplit:   {model.SplitHere, model.SplitNext},
		facts.DrainNamed:  {model.DrainAddr, model.DrainPTR, model.DrainSPF},
	} {
		if f.seen[known] != 0 {
			continue
		}
		for bits := 1; bits < 1<<len(parts)-1; bits++ { // not all of them
			b := *w
			for i, p := range parts {
				if bits>>i&1 == 1 {
					b.Publish(p)
				}
			}
			all = append(all, b)
		}
	}
	if f.seen[facts.NameHere] != 1 {
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

// byHand are the moves that are for people: what is held, and what is in Bad,
// moves by nobody else, and neither do the settings of other gateways.
func byHand(m model.Move) bool {
	return m.Class() == model.Person && m != model.SuccessorBack
}
