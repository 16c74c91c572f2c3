package model

import "strings"

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
}

// CIBounds are for every commit, DefaultBounds for a release.
func CIBounds() Bounds { return Bounds{Name: "ci", Out: 1, In: 1, Reports: 1, Attempts: 2, Bad: true} }

// DefaultBounds are those of a full check.
func DefaultBounds() Bounds {
	return Bounds{Name: "default", Out: 2, In: 2, Reports: 1, Attempts: 2, Dying: true, Bad: true}
}

// Start is a world in which a run may begin.
type Start struct {
	Words string
	World World
}

// Starts lists the worlds in which a run may begin: with and without another
// route and a connected site, and each speciality once.
func (b Bounds) Starts() []Start {
	var all []Start
	for n := range 7 {
		if b.Plain && n > 1 {
			break
		}
		other, sites := n&1 == 0, n < 4 && n&2 != 0
		covers, dependents, outbound := n != 4, n == 5, n == 6
		w := World{
			Exists: true, Running: true, Spaces: true, Sites: sites, Other: other || n >= 4, Covers: covers, Dependents: dependents,
			MXPrimary: true, MXSecondary: true, MXCached: true, Next: true,
		}
		if outbound {
			w.ModeSet, w.Mode = outboundOnly, outboundOnly
			w.RefuseSet, w.Refuse = refuseTemporary, refuseTemporary
			w.MXPrimary, w.MXSecondary, w.MXCached = false, false, false
		}
		w.Init = w.Config()
		var words []string
		for _, x := range []struct {
			is    bool
			words string
		}{
			{w.Other, "another gateway covers the address space"},
			{!w.Other, "no other gateway covers the address space"},
			{sites, "a connected site"},
			{!covers, "the successor accepts only some of the domains"},
			{dependents, "another gateway's settings name this one"},
			{outbound, "Outbound Only, and no MX leads here"},
		} {
			if x.is {
				words = append(words, x.words)
			}
		}
		all = append(all, Start{strings.Join(words, "; "), w})
	}
	return all
}
