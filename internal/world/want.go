package world

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// wish is what a bound runbook wants of the world: it is read from its effects,
// so that facts about wanted values have no other source.
type wish struct {
	mx     mxWish
	byName bool // the successor takes over by its addresses under the host name
	limits []limitWish
	split  []splitWish
	maxAge time.Duration // older mail is not sent without a decision
	asked  map[facts.ID]bool
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
	w.maxAge, _ = book.Duration("release_max_age") // zero where nothing is held back
	for i := range book.Def.States {
		do := book.Def.States[i].Do
		if do == nil {
			continue
		}
		a := do.Args
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

// dropped says which address space a split would take away from its gateway and
// give to nobody; "" for none. Mail for it would be returned, and nobody was
// asked.
func (w *World) dropped(e engine.Effect, c gateway.Config) string {
	if e.Action != machine.RouteSpaces || e.Args.Empty {
		return ""
	}
	kept := map[string]bool{}
	for _, wish := range w.want.split {
		spaces, err := spacesOf(wish.spaces)
		if err != nil {
			return err.Error()
		}
		for _, s := range spaces {
			kept[strings.ToLower(s.Type+":"+s.Pattern)] = true
		}
	}
	for _, s := range c.Spaces {
		if name := s.Type + ":" + s.Pattern; !kept[strings.ToLower(name)] {
			return fmt.Sprintf("address space %s would be taken from %s and given to nobody: name it in here_spaces or next_spaces", name, c.Name)
		}
	}
	return ""
}

// spacesOf reads wanted address spaces, "TYPE:PATTERN COST" each.
func spacesOf(list []string) ([]gateway.Space, error) {
	spaces := []gateway.Space{}
	for _, s := range list {
		name, costText, _ := strings.Cut(s, " ")
		kind, pattern, ok := strings.Cut(name, ":")
		cost, err := strconv.Atoi(costText)
		if !ok || err != nil {
			return nil, fmt.Errorf("read address space %q: want TYPE:PATTERN COST", s)
		}
		spaces = append(spaces, gateway.Space{Type: kind, Pattern: pattern, Cost: cost})
	}
	return spaces, nil
}
