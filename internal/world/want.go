package world

import (
	"slices"
	"time"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// wish is what a bound runbook wants of the world: it is read from its effects,
// so that facts about wanted values have no other source.
type wish struct {
	mx        mxWish
	publishes bool // an MX is made to name the successor
	byName    bool // the successor takes over by its addresses under the host name
	limits    []limitWish
	split     []splitWish
	maxAge    time.Duration // older mail is not sent without a decision
	asked     map[facts.ID]bool
}

// mxWish is what becomes of the MX.
type mxWish uint8

const (
	mxMoves mxWish = iota // to the successor, or anywhere else
	mxNull
	mxBoth
)

// limitWish is how many sessions one of the two may have; 0 is not wanted.
type limitWish struct {
	next    bool // of the successor
	in, out int
}

// splitWish is which address spaces one of the two has.
type splitWish struct {
	next   bool
	spaces []string
}

// wishOf reads a book; without one nothing is wanted.
func wishOf(book *runbook.Book) wish {
	w := wish{asked: map[facts.ID]bool{}}
	if book == nil {
		return w
	}
	for _, g := range book.Guards {
		for _, id := range g.Refs() {
			w.asked[id] = true
		}
	}
	w.maxAge, _ = book.Duration(runbook.ReleaseMaxAge) // zero where nothing is held back
	for i := range book.Def.States {
		do := book.Def.States[i].Do
		if do == nil {
			continue
		}
		a := do.Args
		w.publishes = w.publishes || do.Action == machine.DNSRRset && (a.Type == "" || a.Type == typeMX) && !a.NullMX
		switch {
		case do.Action == machine.DNSRRset && a.NullMX:
			w.mx = mxNull
		case do.Action == machine.DNSRRset && a.Also:
			w.mx = mxBoth
		case do.Action == machine.DNSRRset && (a.Type == typeA || a.Type == typeAAAA) && !a.Drain:
			w.byName = true
		case a.MaxInbound > 0 || a.MaxOutbound > 0:
			w.limits = append(w.limits, limitWish{a.OnSuccessor, a.MaxInbound, a.MaxOutbound})
		case do.Action == machine.RouteSpaces && !a.Empty:
			w.split = append(w.split, splitWish{a.OnSuccessor, a.Spaces})
		}
	}
	return w
}

// needs reports whether the runbook asks for one of some facts.
func (w *World) needs(ids ...facts.ID) bool {
	return slices.ContainsFunc(ids, func(id facts.ID) bool { return w.want.asked[id] })
}
