package world

import (
	"fmt"
	"path/filepath"
	"slices"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// wanted is what to ask a gateway for; now are the address spaces whose scope a
// split keeps.
func wanted(e engine.Effect, archiveDir string, now []gateway.Space) (gateway.Want, error) {
	switch e.Action {
	case machine.GatewayMode, machine.GatewayConfig:
		p, err := patch(e)
		return gateway.Want{Settings: &p}, err
	case machine.GatewayRunning:
		var r gateway.RunState
		err := r.UnmarshalText([]byte(e.Args.Running))
		return gateway.Want{Running: &r}, err
	case machine.GatewayAbsent:
		r := gateway.Removal{Discard: e.Args.Discard}
		if archiveDir != "" { // one file a run, the same over attempts
			r.Archive = filepath.Join(archiveDir, e.Target+"-"+e.Run+".archive")
		}
		return gateway.Want{Absent: &r}, nil
	case machine.RouteSpaces:
		list, err := gateway.ParseSpaces(e.Args.Spaces) // none, if the list is to be empty
		list = gateway.Scoped(list, now)
		return gateway.Want{Spaces: &list}, err
	case machine.RouteSites:
		return gateway.Want{Sites: &[]gateway.Site{}}, nil
	case machine.DNSRRset, machine.GatewayDependents, machine.QueueHold, machine.QueueRelease, machine.QueueReturn,
		machine.QueueRedirect, machine.QueueExport, machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
	return gateway.Want{}, fmt.Errorf("%s is no value of a gateway", e.Action)
}

// patch is the settings that an effect names.
func patch(e engine.Effect) (gateway.SettingsPatch, error) {
	p := gateway.SettingsPatch{Restart: e.Args.Restart}
	if e.Args.Mode != "" {
		p.Mode = new(gateway.Mode)
		if err := p.Mode.UnmarshalText([]byte(e.Args.Mode)); err != nil {
			return p, err
		}
	}
	if e.Args.Refuse != "" {
		p.Refuse = new(gateway.Refuse)
		if err := p.Refuse.UnmarshalText([]byte(e.Args.Refuse)); err != nil {
			return p, err
		}
	}
	if len(e.Args.Retry) > 0 {
		p.Retry = &e.Args.Retry
	}
	if t := e.Args.Timeouts; t > 0 {
		// Reports keep their own time-out: they tell senders of the flush.
		p.Timeouts = &gateway.Timeouts{Urgent: t, Normal: t, NonUrgent: t}
	}
	if n := e.Args.MaxInbound; n > 0 {
		p.MaxInbound = &n
	}
	if n := e.Args.MaxOutbound; n > 0 {
		p.MaxOutbound = &n
	}
	return p, nil
}

// made reports whether the wanted value is there: in effect if the effect
// includes a restart, else as stored.
func made(e engine.Effect, c gateway.Config) bool {
	switch e.Action {
	case machine.GatewayMode, machine.GatewayConfig:
		p, err := patch(e)
		if err != nil || !holds(p, c.Stored) {
			return false
		}
		return !p.Restart || (c.Running && holds(p, c.Effective))
	case machine.GatewayRunning:
		return c.Running == (e.Args.Running != gateway.Stopped.String())
	case machine.GatewayAbsent:
		return !c.Exists && len(c.Leftovers) == 0
	case machine.RouteSpaces:
		list, err := gateway.ParseSpaces(e.Args.Spaces)
		return err == nil && sameSplit(c.Spaces, list)
	case machine.RouteSites:
		return len(c.Sites) == 0
	case machine.DNSRRset, machine.GatewayDependents, machine.QueueHold, machine.QueueRelease, machine.QueueReturn,
		machine.QueueRedirect, machine.QueueExport, machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
	return false
}

// holds reports whether settings have the values of a patch.
func holds(p gateway.SettingsPatch, s gateway.Settings) bool {
	return (p.Mode == nil || *p.Mode == s.Mode) &&
		(p.Refuse == nil || *p.Refuse == s.Refuse) &&
		(p.MaxInbound == nil || *p.MaxInbound == s.MaxInbound) &&
		(p.MaxOutbound == nil || *p.MaxOutbound == s.MaxOutbound) &&
		(p.Retry == nil || slices.Equal(*p.Retry, s.Retry)) &&
		(p.Timeouts == nil || sameTimeouts(*p.Timeouts, s.Timeouts))
}

// sameTimeouts ignores the reports' own time-out when it is not asked for.
func sameTimeouts(want, have gateway.Timeouts) bool {
	if want.Report == 0 {
		want.Report = have.Report
	}
	return want == have
}

// written reports whether the stored value is still what the effect wrote, so
// that undoing it overwrites nobody else's change.
func written(e engine.Effect, c gateway.Config) bool {
	switch e.Action {
	case machine.GatewayMode, machine.GatewayConfig:
		p, err := patch(e)
		return err == nil && holds(p, c.Stored)
	case machine.GatewayRunning, machine.GatewayAbsent, machine.RouteSpaces, machine.RouteSites:
		return made(e, c)
	case machine.DNSRRset, machine.GatewayDependents, machine.QueueHold, machine.QueueRelease, machine.QueueReturn,
		machine.QueueRedirect, machine.QueueExport, machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
	return false
}

// back is what to ask a gateway for to undo an effect. Settings that were
// undone count at once: the service restarts if it runs with others.
func back(e engine.Effect, old gateway.Config) gateway.Want {
	switch e.Action {
	case machine.GatewayMode, machine.GatewayConfig:
		p := backPatch(e, old)
		return gateway.Want{Settings: &p}
	case machine.GatewayRunning:
		r := gateway.Stopped
		if old.Running {
			r = gateway.Started
		}
		return gateway.Want{Running: &r}
	case machine.RouteSpaces:
		return gateway.Want{Spaces: &old.Spaces}
	case machine.RouteSites:
		return gateway.Want{Sites: &old.Sites}
	case machine.GatewayAbsent, machine.DNSRRset, machine.GatewayDependents, machine.QueueHold, machine.QueueRelease, machine.QueueReturn,
		machine.QueueRedirect, machine.QueueExport, machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
	return gateway.Want{}
}

func backPatch(e engine.Effect, old gateway.Config) gateway.SettingsPatch {
	p := gateway.SettingsPatch{Restart: true}
	if e.Args.Mode != "" {
		p.Mode = &old.Stored.Mode
	}
	if e.Args.Refuse != "" {
		p.Refuse = &old.Stored.Refuse
	}
	if len(e.Args.Retry) > 0 {
		p.Retry = &old.Stored.Retry
	}
	if e.Args.Timeouts > 0 {
		p.Timeouts = &old.Stored.Timeouts
	}
	if e.Args.MaxInbound > 0 {
		p.MaxInbound = &old.Stored.MaxInbound
	}
	if e.Args.MaxOutbound > 0 {
		p.MaxOutbound = &old.Stored.MaxOutbound
	}
	return p
}

// restored reports whether the value from before is there again, and in
// effect.
func restored(e engine.Effect, c, old gateway.Config) bool {
	switch e.Action {
	case machine.GatewayMode, machine.GatewayConfig:
		p := backPatch(e, old)
		return holds(p, c.Stored) && (!c.Running || holds(p, c.Effective))
	case machine.GatewayRunning:
		return c.Running == old.Running
	case machine.RouteSpaces:
		return sameSpaces(c.Spaces, old.Spaces)
	case machine.RouteSites:
		return sameSites(c.Sites, old.Sites)
	case machine.GatewayAbsent, machine.DNSRRset, machine.GatewayDependents, machine.QueueHold, machine.QueueRelease, machine.QueueReturn,
		machine.QueueRedirect, machine.QueueExport, machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
	return false
}
