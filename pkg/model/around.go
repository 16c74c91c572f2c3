package model

import (
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// Around are facts that a dry run takes over as they are, known or not, until
// an effect that it predicts makes them so.
type Around [len(aroundFacts)]facts.Value

var aroundFacts = [...]facts.ID{
	facts.GwAged, facts.RouteSwallowed, facts.RouteOthers, facts.MxNull, facts.SpfNone,
	facts.NameHere, facts.NameWanted, facts.NameAgree, facts.NameExpired, facts.DrainNamed,
	facts.NextSends, facts.NextDiffers, facts.NextNamed, facts.NextLimited, facts.NextSplit,
}

func (a *Around) of(id facts.ID) facts.Value {
	for i, f := range aroundFacts {
		if f == id {
			return a[i]
		}
	}
	return facts.Unknown
}

func (a *Around) set(id facts.ID, v facts.Value) {
	for i, f := range aroundFacts {
		if f == id {
			a[i] = v
		}
	}
}

// now sets facts to true.
func (a *Around) now(ids ...facts.ID) {
	for _, id := range ids {
		a.set(id, 1)
	}
}

// publish is what a record does once every authority has it. Of several
// records that make one fact true, the prediction takes the first for all.
func (s State) publish(args machine.Args) State {
	switch f := record(&args); {
	case f == Null:
		s.MXPrimary = false
		s.Around.now(facts.MxNull)
	case f == Also:
		s.Around.now(facts.NextNamed)
	case f == SPFNone:
		s.Around.now(facts.SpfNone)
	case f != 0:
		s.Around.now(facts.DrainNamed)
	case name(&args) != 0:
		s.Around.set(facts.NameHere, 0)
		s.Around.now(facts.NameWanted, facts.NameAgree)
	default:
		s.MXPrimary = false
	}
	return s
}

// handle is what an effect does to queued mail.
func (s State) handle(a machine.ActionName, args machine.Args) State {
	held := args.Select == machine.SelectHeld
	switch {
	case a == machine.QueueHold:
		left := uint16(max(s.Around.of(facts.GwAged), 0))
		for _, store := range []*uint16{&s.MTSOut, &s.Out, &s.MTA} {
			n := min(left, *store)
			*store -= n
			s.Hold += n
			left -= n
		}
		s.Around.set(facts.GwAged, 0)
	case a == machine.QueueRelease:
		s.MTSOut, s.Hold = s.MTSOut+s.Hold, 0
	case a == machine.QueueReturn && held:
		s.MTSIn, s.Hold = s.MTSIn+s.Hold, 0 // the reports
	case held:
		s.Hold = 0
	case a == machine.QueueReturn:
		s.MTSIn, s.Out = s.MTSIn+s.Out, 0
	default:
		s.Out = 0
	}
	return s
}
