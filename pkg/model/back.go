package model

import (
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// Undo writes back what an effect changed; was is the world that it found.
// What people decided and what left the gateway meanwhile stays as it is.
func (s State) Undo(a machine.ActionName, args machine.Args, was State) State {
	switch a {
	case machine.GatewayMode, machine.GatewayConfig:
		if limit(&args) != 0 {
			s.Around.set(facts.NextLimited, was.Around.of(facts.NextLimited))
			break
		}
		s.ModeSet, s.Closed, s.ShortSet = was.ModeSet, was.Closed, was.ShortSet
		s = s.restart(s.Running)
	case machine.GatewayRunning:
		s.Running = s.Exists && was.Running
		s = s.restart(s.Running)
	case machine.GatewayDependents:
		s.DependsOn = was.DependsOn
	case machine.RouteSpaces:
		if split(&args) != 0 {
			s.Around.set(facts.NextSplit, was.Around.of(facts.NextSplit))
			break
		}
		s.Spaces, s.Uncovered, s.Stale = was.Spaces, was.Uncovered, was.Stale
	case machine.RouteSites:
		s.Sites, s.Stale = was.Sites, was.Stale
	case machine.DNSRRset:
		s.MXPrimary = was.MXPrimary
		s.MXCached = s.MXCached || s.MXPrimary
		for _, id := range []facts.ID{
			facts.MxNull, facts.SpfNone, facts.NextNamed, facts.DrainNamed,
			facts.NameHere, facts.NameWanted, facts.NameAgree, facts.NameExpired,
		} {
			s.Around.set(id, was.Around.of(id))
		}
	case machine.QueueHold:
		if s.Hold > was.Hold {
			s.MTSOut, s.Hold = s.MTSOut+s.Hold-was.Hold, was.Hold
			s.Around.set(facts.GwAged, was.Around.of(facts.GwAged))
		}
	case machine.GatewayAbsent, machine.QueueRelease, machine.QueueReturn, machine.QueueRedirect, machine.QueueExport,
		machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
	return s
}
