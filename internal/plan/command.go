package plan

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/zone"
)

// commands writes the commands of one effect.
type commands struct {
	p      *Plan
	state  string
	do     Effect
	before *gateway.Config // as it is when the effect begins; nil if it was not read
}

func (c *commands) reason() string {
	id := strings.TrimPrefix(c.p.ID.Hash, "sha256:")
	return word(fmt.Sprintf("plan %s, %s, by hand", id[:min(12, len(id))], c.state))
}

// gateway writes the commands of an effect on the gateway.
func (c *commands) gateway(h *Hand) {
	name := word(c.p.Gateway)
	see := "ims gateway show " + name
	switch c.do.Action {
	case machine.GatewayMode, machine.GatewayConfig:
		h.Do = append(h.Do, c.set(c.do.Args))
		h.See = append(h.See, see, c.p.swaks())
		if c.before != nil {
			h.Undo = append(h.Undo, c.set(c.old()))
		}
	case machine.GatewayRunning:
		h.Do = append(h.Do, c.run(c.do.Args.Running))
		h.See = append(h.See, see)
		if c.before != nil {
			h.Undo = append(h.Undo, c.run(map[bool]string{true: "started", false: "stopped"}[c.before.Running]))
		}
	case machine.RouteSpaces:
		c.spaces(h)
	case machine.RouteSites:
		c.sites(h)
	case machine.GatewayAbsent:
		file := filepath.Join(c.p.Places.ArchiveDir, c.p.Gateway+"-by-hand.archive")
		h.Do = append(h.Do, c.apply(gateway.Want{Absent: &gateway.Removal{Archive: file, Discard: c.do.Args.Discard}}))
		h.See = append(h.See, see, c.p.swaks(), "ls -l "+word(file))
	default: // other has the rest
	}
}

// other writes the commands of what is not modelled, where there are any.
func (c *commands) other(h *Hand) {
	name, see := word(c.p.Gateway), "ims queue list "+word(c.p.Gateway)
	switch c.do.Action {
	case machine.QueueReturn:
		h.Do = append(h.Do, fmt.Sprintf("ims queue return %s --store out --yes --reason %s", name, c.reason()))
	case machine.QueueRetry:
		h.Do = append(h.Do, fmt.Sprintf("ims queue retry %s --reason %s", name, c.reason()))
	case machine.QueueHold:
		h.Do = append(h.Do, fmt.Sprintf("ims queue hold %s --older-than %s --reason %s", name, c.do.Args.OlderThan, c.reason()))
		h.Undo = append(h.Undo, fmt.Sprintf("ims queue release %s --store hold --reason %s", name, c.reason()))
	case machine.QueueRelease:
		h.Do = append(h.Do, fmt.Sprintf("ims queue release %s --store hold --reason %s", name, c.reason()))
	case machine.GatewayDependents:
		h.Warning = "set each that is shown to the successor: ims gateway set and ims route connect change them"
		see = "ims dependents " + name
	default:
		h.Warning = "no command does this alone: " + wantedWords(c.do)
		return
	}
	h.See = append(h.See, see)
}

// set is the command that stores settings.
func (c *commands) set(a machine.Args) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ims gateway set %s", word(c.p.Gateway))
	flag := func(given bool, name, value string) {
		if given {
			fmt.Fprintf(&b, " --%s %s", name, value)
		}
	}
	flag(a.Mode != "", "mode", a.Mode)
	flag(a.Refuse != "", "refuse", a.Refuse)
	if a.Retry != nil {
		flag(true, "retry", word(list(a.Retry)))
	}
	flag(a.Timeouts > 0, "timeout-urgent", a.Timeouts.String())
	flag(a.Timeouts > 0, "timeout-normal", a.Timeouts.String())
	flag(a.Timeouts > 0, "timeout-non-urgent", a.Timeouts.String())
	if a.Timeouts < 0 { // the three from before
		t := c.before.Stored.Timeouts
		flag(true, "timeout-urgent", t.Urgent.String())
		flag(true, "timeout-normal", t.Normal.String())
		flag(true, "timeout-non-urgent", t.NonUrgent.String())
	}
	if a.Restart {
		b.WriteString(" --restart")
	}
	return b.String() + " --reason " + c.reason()
}

func list(all []time.Duration) string {
	words := make([]string, len(all))
	for i, d := range all {
		words[i] = d.String()
	}
	return strings.Join(words, ",")
}

// old are the arguments that write the settings from before back. Time-outs
// differ by priority, which set knows by a negative one.
func (c *commands) old() machine.Args {
	s, a := c.before.Stored, c.do.Args
	out := machine.Args{Restart: true}
	if a.Mode != "" {
		out.Mode = s.Mode.String()
	}
	if a.Refuse != "" {
		out.Refuse = s.Refuse.String()
	}
	if len(a.Retry) > 0 {
		out.Retry = append([]time.Duration{}, s.Retry...)
	}
	if a.Timeouts > 0 {
		out.Timeouts = -1
	}
	return out
}

// run is the command that starts or stops the service.
func (c *commands) run(want string) string {
	verb := map[string]string{"stopped": "stop", "restarted": "restart"}[want]
	if verb == "" {
		verb = "start"
	}
	yes := ""
	if verb == "stop" {
		yes = " --yes"
	}
	return fmt.Sprintf("ims gateway %s %s%s --reason %s", verb, word(c.p.Gateway), yes, c.reason())
}

func (c *commands) spaces(h *Hand) {
	h.See = append(h.See, "ims route list --copies")
	if c.before == nil {
		return
	}
	for _, s := range c.before.Spaces {
		at := fmt.Sprintf("%s --type %s --pattern %s", word(c.p.Gateway), word(s.Type), word(s.Pattern))
		h.Do = append(h.Do, fmt.Sprintf("ims route remove %s --reason %s", at, c.reason()))
		h.Undo = append(h.Undo, fmt.Sprintf("ims route add %s --cost %d --scope %s --reason %s", at, s.Cost, s.Scope, c.reason()))
	}
}

func (c *commands) sites(h *Hand) {
	h.See = append(h.See, "ims route list --copies")
	if c.before == nil {
		return
	}
	for _, s := range c.before.Sites {
		at := fmt.Sprintf("%s --site %s", word(c.p.Gateway), word(s.Name))
		h.Do = append(h.Do, fmt.Sprintf("ims route disconnect %s --reason %s", at, c.reason()))
		h.Undo = append(h.Undo, fmt.Sprintf("ims route connect %s --via %s --cost %d --reason %s", at, word(s.RoutingAddress), s.Cost, c.reason()))
	}
}

// apply is a change at the gateways' control socket. Each call has a key of its
// own: the same key would get the first answer again.
func (c *commands) apply(w gateway.Want) string {
	reason := strings.Trim(c.reason(), "'")
	body, err := json.Marshal(map[string]any{"key": "KEY", "reason": reason, "want": w})
	if err != nil { // texts and numbers only
		return "# " + err.Error()
	}
	text := strings.Replace(word(string(body)), "KEY", `by-hand/'"$(date +%s%N)"'`, 1)
	return fmt.Sprintf("curl --fail-with-body --silent --show-error --unix-socket %s http://ims/v1/gateways/%s/apply \\\n  --json %s",
		word(c.p.Places.Socket), c.p.Gateway, text)
}

// zone writes the commands of a change of a domain's MX: a compare-and-swap by
// value-dependent prerequisites (RFC 2136 2.4.2), and its reverse.
func (c *commands) zone(h *Hand, domain string, old, next zone.RRset, known bool) {
	for _, z := range c.p.Places.Zones {
		if z.Domain != domain {
			continue
		}
		h.See = append(h.See, digs(z)...)
		switch {
		case !known:
			h.Warning = "the MX of " + domain + " could not be read when the plan was made: write the update by hand"
		case !old.SameData(next):
			h.Do = append(h.Do, update(z, old, next))
			h.Undo = append(h.Undo, update(z, next, old))
		}
	}
}

func update(z Zone, old, next zone.RRset) string {
	host, port := hostPort(z.Server)
	lines := []string{
		"nsupdate -k " + word(z.KeyFile) + " <<'END'",
		"server " + host + " " + port,
		"zone " + zone.CanonicalName(z.Zone),
	}
	if old.Empty() {
		lines = append(lines, fmt.Sprintf("prereq nxrrset %s %s", old.Name, old.Type))
	}
	for _, d := range old.Data {
		lines = append(lines, fmt.Sprintf("prereq yxrrset %s %s %s", old.Name, old.Type, d))
	}
	lines = append(lines, fmt.Sprintf("update delete %s %s", old.Name, old.Type))
	for _, d := range next.Data {
		lines = append(lines, fmt.Sprintf("update add %s %d %s %s", next.Name, next.TTL, next.Type, d))
	}
	return strings.Join(append(lines, "send", "END"), "\n")
}
