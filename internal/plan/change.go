package plan

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/zone"
)

// configuration is what effects change, carried along the predicted path, so
// that each step is shown as the difference from the step before it.
type configuration struct {
	gateway *gateway.Config
	next    *gateway.Config // the successor's; only track changes it
	zones   map[string]zone.RRset
	leads   map[string]map[string]string // see Before
	places  Places
}

func newConfiguration(b Before, p Places) *configuration {
	c := &configuration{zones: map[string]zone.RRset{}, leads: b.Leads, places: p}
	if b.Gateway != nil {
		one := *b.Gateway
		c.gateway = &one
	}
	if b.Successor != nil {
		one := *b.Successor
		c.next = &one
	}
	for d, rr := range b.Zones {
		c.zones[d] = rr
	}
	return c
}

// unknownPrefix begins the line of a value that could not be read; unread is
// such a line.
const (
	unknownPrefix = "unknown: "
	unread        = unknownPrefix + "it could not be read"
)

// modelled reports whether an effect is on what this package carries along. Of
// the others a plan shows the value that was read, and what is wanted.
func (e Effect) modelled() bool {
	a := e.Args
	switch e.Action {
	case machine.GatewayMode, machine.GatewayConfig:
		return !a.OnSuccessor && a.MaxInbound+a.MaxOutbound == 0
	case machine.GatewayRunning, machine.RouteSites:
		return !a.OnSuccessor
	case machine.RouteSpaces:
		return !a.OnSuccessor && len(a.Spaces) == 0
	case machine.GatewayAbsent:
		return true
	case machine.DNSRRset:
		return (a.Type == "" || a.Type == "MX") && !a.Also
	case machine.GatewayDependents, machine.QueueHold, machine.QueueRelease, machine.QueueReturn, machine.QueueRedirect,
		machine.QueueExport, machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
	return false
}

// apply changes the configuration as an effect would, and says how. Words is
// the present value of what is not modelled, "" if it has none; wanted is what
// becomes of it, "" if only the effect can tell.
func (c *configuration) apply(e Effect, target, words, wanted string) Change {
	if !e.modelled() {
		ch := Change{Target: target, Before: []string{}, After: []string{cmp.Or(wanted, wantedWords(e))}}
		if words != "" {
			ch.Before = append(ch.Before, words)
		}
		return ch
	}
	ch := Change{Target: target, Before: c.lines(e, target)}
	switch e.Action {
	case machine.DNSRRset:
		c.publish(e, target)
	case machine.GatewayMode, machine.GatewayConfig:
		c.settings(e.Args)
		ch.Note = "takes effect at the next start"
		if e.Args.Restart {
			ch.Note = "with a restart of the service"
		}
	default:
		ch.Note = c.routes(e)
	}
	ch.After = c.lines(e, target)
	if e.Action == machine.DNSRRset && slices.Contains(ch.Before, unread) {
		ch.After = []string{"the same, naming " + c.places.Successor}
	}
	return ch
}

// publish changes the MX of a domain.
func (c *configuration) publish(e Effect, domain string) {
	rr, ok := c.zones[domain]
	switch {
	case !ok:
	case e.Args.NullMX:
		c.zones[domain] = zone.NewMX(domain, rr.TTL, zone.MX{Host: "."})
	case rr.Empty() && len(c.leads[domain]) > 0:
		c.zones[domain] = zone.NewMX(domain, firstTTL, zone.MX{Pref: firstPref, Host: c.places.Successor})
	default:
		for name := range c.leads[domain] {
			rr = rr.ReplaceHost(name, c.places.Successor)
		}
		c.zones[domain] = rr.ReplaceHost(c.places.Hostname, c.places.Successor)
	}
}

// Of the MX that a domain gets which had none.
const (
	firstTTL  = 300 // seconds
	firstPref = 10
)

// routes changes whether a gateway is there, runs, and is routed to.
func (c *configuration) routes(e Effect) (note string) {
	if c.gateway == nil {
		return ""
	}
	switch e.Action {
	case machine.GatewayRunning:
		c.gateway.Running = e.Args.Running != gateway.Stopped.String()
		if e.Args.Running == gateway.Restarted.String() {
			return "the service is restarted: what is stored takes effect"
		}
	case machine.GatewayAbsent:
		c.gateway.Exists, c.gateway.Running = false, false
		return "its configuration and spool are archived and read back first: " + filepath.Join(c.places.ArchiveDir, c.gateway.Name+"-RUN.archive")
	case machine.RouteSpaces:
		c.gateway.Spaces = nil
	default: // route.sites: apply names the others
		c.gateway.Sites = nil
	}
	return ""
}

func (c *configuration) settings(a machine.Args) {
	if c.gateway != nil {
		c.gateway.Stored = patched(c.gateway.Stored, a)
	}
}

// patched are settings with those that an effect names.
func patched(s gateway.Settings, a machine.Args) gateway.Settings {
	// A word that a runbook may not use was refused when it was loaded.
	if a.Mode != "" {
		_ = s.Mode.UnmarshalText([]byte(a.Mode))
	}
	if a.Refuse != "" {
		_ = s.Refuse.UnmarshalText([]byte(a.Refuse))
	}
	if len(a.Retry) > 0 {
		s.Retry = a.Retry
	}
	if t := a.Timeouts; t > 0 {
		s.Timeouts.Urgent, s.Timeouts.Normal, s.Timeouts.NonUrgent = t, t, t
	}
	if a.MaxInbound > 0 {
		s.MaxInbound = a.MaxInbound
	}
	if a.MaxOutbound > 0 {
		s.MaxOutbound = a.MaxOutbound
	}
	return s
}

// lines are the values that an effect is about.
func (c *configuration) lines(e Effect, target string) []string {
	if e.Action == machine.DNSRRset {
		rr, ok := c.zones[target]
		if !ok {
			return []string{unread}
		}
		return c.mxLines(target, rr)
	}
	if c.gateway == nil {
		return []string{unread}
	}
	out := []string{}
	switch e.Action {
	case machine.GatewayMode, machine.GatewayConfig:
		return settingLines(e.Args, c.gateway.Stored)
	case machine.GatewayRunning:
		return []string{"service " + map[bool]string{true: "running", false: "stopped"}[c.gateway.Running]}
	case machine.GatewayAbsent:
		return []string{"gateway " + c.gateway.Name + map[bool]string{true: " exists", false: " removed"}[c.gateway.Exists]}
	case machine.RouteSpaces:
		for _, s := range c.gateway.Spaces {
			out = append(out, fmt.Sprintf("address space %s:%s cost %d scope %s", s.Type, s.Pattern, s.Cost, s.Scope))
		}
	default: // route.sites: apply names the others
		for _, s := range c.gateway.Sites {
			out = append(out, fmt.Sprintf("connected site %s cost %d via %s", s.Name, s.Cost, s.RoutingAddress))
		}
	}
	return out
}

// mxLines are the records of an MX, one a line, with what leads to the gateway
// under another name.
func (c *configuration) mxLines(domain string, rr zone.RRset) []string {
	out := []string{}
	for _, d := range rr.Data {
		line := fmt.Sprintf("%s %d %s %s", rr.Name, rr.TTL, rr.Type, d)
		for name, how := range c.leads[domain] {
			if rr.NamesHost(name) && strings.HasSuffix(d, " "+zone.CanonicalName(name)) {
				line += " (leads to " + how + ")"
			}
		}
		out = append(out, line)
	}
	if how := c.leads[domain][zone.CanonicalName(domain)]; rr.Empty() && how != "" {
		out = append(out, zone.CanonicalName(domain)+" has no MX, so its mail goes to that name itself (RFC 5321 5.1; leads to "+how+")")
	}
	return out
}

// settingLines are those settings that an effect names.
func settingLines(a machine.Args, s gateway.Settings) []string {
	out := []string{}
	add := func(named bool, format string, args ...any) {
		if named {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	add(a.Mode != "", "transfer mode %s", s.Mode.Title())
	add(a.Refuse != "", "refuse %s", s.Refuse)
	add(len(a.Retry) > 0, "retry after %s", durations(s.Retry))
	add(a.Timeouts > 0, "time-outs urgent %s, normal %s, non-urgent %s",
		s.Timeouts.Urgent, s.Timeouts.Normal, s.Timeouts.NonUrgent)
	return out
}

func durations(list []time.Duration) string {
	if len(list) == 0 {
		return "no interval"
	}
	words := make([]string, len(list))
	for i, d := range list {
		words[i] = d.String()
	}
	return strings.Join(words, ",")
}

// wantedWords is what an effect wants that is not modelled.
func wantedWords(e Effect) string {
	a := e.Args
	which := "every message that waits for a destination"
	switch {
	case a.Select == machine.SelectHeld:
		which = "what the run holds"
	case a.OlderThan > 0:
		which = "every message that was accepted more than " + a.OlderThan.String() + " ago"
	}
	switch e.Action {
	case machine.QueueHold:
		return "hold " + which
	case machine.QueueRelease:
		return "release " + which
	case machine.QueueReturn:
		return "return " + which + " to its sender, with a report"
	case machine.QueueRedirect:
		return "give " + which + " to the successor"
	case machine.QueueExport:
		return "write " + which + " to a file, and verify it"
	case machine.QueueRetry:
		return "try " + which + " now"
	case machine.ProbeSend:
		return "send a probe"
	case machine.RunRestore:
		return "everything that the run changed is as it was before"
	case machine.GatewayDependents:
		return "what names this gateway elsewhere names the successor"
	case machine.DNSRRset:
		return rrsetWords(a)
	case machine.RouteSpaces:
		return "address spaces " + strings.Join(a.Spaces, ", ")
	case machine.GatewayMode, machine.GatewayConfig, machine.GatewayRunning, machine.GatewayAbsent, machine.RouteSites:
	}
	return settingWords(a)
}

func rrsetWords(a machine.Args) string {
	words := a.Type
	switch {
	case a.SPF != "":
		words += " with SPF " + a.SPF
	case a.Also:
		words += " naming the successor, too"
	}
	if a.Drain {
		words += " of the drain name"
	}
	return words + " as wanted"
}

func settingWords(a machine.Args) string {
	var words []string
	add := func(given bool, format string, value any) {
		if given {
			words = append(words, fmt.Sprintf(format, value))
		}
	}
	add(a.Mode != "", "transfer mode %s", a.Mode)
	add(a.Refuse != "", "refuse %s", a.Refuse)
	add(len(a.Retry) > 0, "retry after %s", durations(a.Retry))
	add(a.Timeouts > 0, "time-outs %s", a.Timeouts)
	add(a.MaxInbound > 0, "at most %d inbound sessions", a.MaxInbound)
	add(a.MaxOutbound > 0, "at most %d outbound sessions", a.MaxOutbound)
	add(a.Running != "", "service %s", a.Running)
	return strings.Join(words, ", ")
}
