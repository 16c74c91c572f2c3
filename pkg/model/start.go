package model

import "example.org/ims/pkg/machine"

// Bounds are how much can happen at once. How often it can happen is not
// bounded: messages in all, crashes, lost answers, rejected and expired
// questions, flips of destinations and of the successor.
type Bounds struct {
	Name     string `json:"name"`
	Out      uint8  `json:"outbound"` // messages to the Internet under way at once, at most 3
	In       uint8  `json:"inbound"`  // messages from the Internet under way at once, at most 3
	Reports  uint8  `json:"reports"`  // reports for the Internet under way at once, at most 3
	Attempts uint8  `json:"attempts"` // at an effect before a person is asked
	Dying    bool   `json:"dying"`    // destinations may refuse for good
	Bad      bool   `json:"bad"`      // conversion may fail
	Plain    bool   `json:"plain"`    // begin only with and without another route
	Lean     bool   `json:"lean"`     // reports, and what cannot be converted, only from the first start
}

// CIBounds are for every commit, DefaultBounds for a release.
func CIBounds() Bounds {
	return Bounds{Name: "ci", Out: 1, In: 1, Reports: 1, Attempts: 2, Bad: true, Lean: true}
}

// DefaultBounds are those of a full check.
func DefaultBounds() Bounds {
	return Bounds{Name: "default", Out: 2, In: 2, Reports: 1, Attempts: 2, Dying: true, Bad: true}
}

// Start is a world in which a run may begin.
type Start struct {
	Words string
	World World
}

// Starts lists the worlds in which a run of a runbook may begin.
func (b Bounds) Starts(begins machine.Begins) []Start {
	var all []Start
	switch begins {
	case machine.BeginsServing:
		all = serving()
	case machine.BeginsStopped:
		all = stopped()
	case machine.BeginsAlone:
		all = alone()
	case machine.BeginsJoining:
		all = joining()
	}
	for i := range all {
		if b.Lean && i > 0 {
			all[i].World.Flags |= Lean
		}
		all[i].World.Init = all[i].World.Config()
	}
	if b.Plain {
		return all[:2]
	}
	return all
}

// served is a gateway that serves, with a successor and another route.
func served() World {
	return World{
		Exists: true, Running: true, Spaces: true, Other: true, Covers: true, Next: true,
		MXPrimary: true, MXSecondary: true, MXCached: true,
		NamePrimary: NameA | NameAAAA, NameSecondary: NameA | NameAAAA, NameCached: true,
	}
}

func start(words string, change func(w *World)) Start {
	w := served()
	change(&w)
	return Start{words, w}
}

// outboundOnlyNow is a gateway to which no MX leads any more.
func outboundOnlyNow(w *World) {
	w.ModeSet, w.Mode = outboundOnly, outboundOnly
	w.RefuseSet, w.Refuse = refuseTemporary, refuseTemporary
	w.MXPrimary, w.MXSecondary, w.MXCached = false, false, false
}

// calm is a start that has a speciality: what it is about does not depend on
// what users send meanwhile, so they send nothing.
func calm(words string, change func(w *World)) Start {
	return start(words+"; no user sends", func(w *World) { change(w); w.Flags |= Calm })
}

// serving are the gateways with a successor: with and without another route
// and a connected site, and each speciality once.
func serving() []Start {
	const covered, uncovered = "another gateway covers the address space", "no other gateway covers the address space"
	return []Start{
		start(covered, func(*World) {}),
		start(uncovered, func(w *World) { w.Other = false }),
		start(covered+"; a connected site", func(w *World) { w.Sites = true }),
		start(uncovered+"; a connected site", func(w *World) { w.Other, w.Sites = false, true }),
		calm(covered+"; the successor accepts only some of the domains", func(w *World) { w.Covers = false }),
		calm(covered+"; another gateway's settings name this one", func(w *World) { w.Dependents = true }),
		start(covered+"; Outbound Only, and no MX leads here", outboundOnlyNow),
		calm(covered+"; the successor lacks a setting", func(w *World) { w.Differs = true }),
		calm(covered+"; the other gateway may stop carrying mail", func(w *World) { w.Flags |= Wavers | Lean }),
		calm(covered+"; a message older than release_max_age is in mts-out", func(w *World) { w.Old = 1 }),
		calm(covered+"; a report is in mts-out, and no other is made", func(w *World) { w.MTSRep, w.Flags = 1, w.Flags|Lean }),
	}
}

// stopped are the gateways that hold mail back.
func stopped() []Start {
	return []Start{
		start("stopped, Inbound Only; an MX leads here; a message older than release_max_age is in mts-out", func(w *World) {
			w.Running, w.ModeSet, w.Mode, w.Old = false, inboundOnly, inboundOnly, 1
		}),
		start("running, None; no MX leads here; a message is in mts-out", func(w *World) {
			outboundOnlyNow(w)
			w.ModeSet, w.Mode, w.MTSOut = none, none, 1
		}),
		start("running, Inbound Only; an MX leads here; a message older than release_max_age is in mts-out", func(w *World) {
			w.ModeSet, w.Mode, w.Old = inboundOnly, inboundOnly, 1
		}),
		start("stopped, Outbound Only; no MX leads here; a message older than release_max_age is in mts-out, and one is in mts-in", func(w *World) {
			outboundOnlyNow(w)
			w.Running, w.Old, w.MTSIn = false, 1, 1
		}),
		start("stopped, Inbound & Outbound; an MX leads here; no other gateway covers the address space; a message is in the MTA queue", func(w *World) {
			w.Running, w.Other, w.MTA = false, false, 1
		}),
	}
}

// alone are the gateways that are the only one.
func alone() []Start {
	only := func(w *World) { w.Flags, w.Next, w.Covers, w.Other = Alone, false, false, false }
	return []Start{
		start("the only gateway", only),
		start("the only gateway; a connected site", func(w *World) { only(w); w.Sites = true }),
		calm("the only gateway; a message older than release_max_age is in mts-out", func(w *World) { only(w); w.Old = 1 }),
		calm("the only gateway; another site's settings name this one", func(w *World) { only(w); w.Dependents = true }),
		calm("not the only gateway: another covers the address space", func(w *World) { only(w); w.Other = true }),
		calm("the only gateway; another may begin to carry mail", func(w *World) { only(w); w.Flags |= Comes | Lean }),
	}
}

// joining are the gateways beside which another is to serve.
func joining() []Start {
	return []Start{
		start("no other gateway covers the address space", func(w *World) { w.Other = false }),
		start("another gateway covers the address space; a connected site", func(w *World) { w.Sites = true }),
		calm("no other gateway covers the address space; the successor may stop sending", func(w *World) {
			w.Other = false
			w.Flags |= Mutes | Lean
		}),
	}
}
