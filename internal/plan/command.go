package plan

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// commands writes the commands of one effect.
type commands struct {
	p      *Plan
	state  string
	do     Effect
	name   string          // of the gateway that it changes
	before *gateway.Config // of that gateway, as it is when the effect begins; nil if it was not read
	other  *gateway.Config // of the successor, or of the gateway if that is the successor
	held   string          // the reason that is given for what is held
}

func (c *commands) reason() string { return word(reasonOf(c.p, c.state)) }

// reasonOf is what a command of a state gives as its reason.
func reasonOf(p *Plan, state string) string {
	id := strings.TrimPrefix(p.ID.Hash, "sha256:")
	return fmt.Sprintf("plan %s, %s, by hand", id[:min(12, len(id))], state)
}

// write writes the commands of an effect on one target, but for records.
func (c *commands) write(h *Hand, target string) {
	see := "ims gateway show " + word(c.name)
	switch c.do.Action {
	case machine.GatewayMode, machine.GatewayConfig:
		h.Do = append(h.Do, c.set(patched(gateway.Settings{}, c.do.Args), c.do.Args.Restart))
		h.See = append(h.See, see)
		if c.name == c.p.Gateway {
			h.See = append(h.See, c.p.swaks())
		}
		if c.before != nil {
			h.Undo = append(h.Undo, c.set(c.before.Stored, true))
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
	case machine.GatewayDependents:
		c.dependents(h, target)
	case machine.QueueHold, machine.QueueRelease, machine.QueueReturn, machine.QueueExport, machine.QueueRetry:
		c.queue(h)
	case machine.QueueRedirect, machine.ProbeSend, machine.DNSRRset, machine.RunRestore:
		h.Nothing = append(h.Nothing, "no command does this alone: "+wantedWords(c.do))
	}
}

// set is the command that stores those settings that the effect names, with the
// values that they have in s.
func (c *commands) set(s gateway.Settings, restart bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ims gateway set %s", word(c.name))
	flag := func(given bool, name, value string) {
		if given {
			fmt.Fprintf(&b, " --%s %s", name, value)
		}
	}
	a := c.do.Args
	flag(a.Mode != "", "mode", s.Mode.String())
	flag(a.Refuse != "", "refuse", s.Refuse.String())
	flag(len(a.Retry) > 0, "retry", word(list(s.Retry)))
	flag(a.Timeouts > 0, "timeout-urgent", s.Timeouts.Urgent.String())
	flag(a.Timeouts > 0, "timeout-normal", s.Timeouts.Normal.String())
	flag(a.Timeouts > 0, "timeout-non-urgent", s.Timeouts.NonUrgent.String())
	flag(a.MaxInbound > 0, "max-inbound", strconv.Itoa(s.MaxInbound))
	flag(a.MaxOutbound > 0, "max-outbound", strconv.Itoa(s.MaxOutbound))
	if restart {
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
	return fmt.Sprintf("ims gateway %s %s%s --reason %s", verb, word(c.name), yes, c.reason())
}

// spaces adds what is new before it takes away what goes, and back likewise: no
// address is without a route in between.
func (c *commands) spaces(h *Hand) {
	h.See = append(h.See, "ims route list --copies")
	if c.before == nil {
		h.Warning = "the address spaces of " + c.name + " could not be read when the plan was made: ims route add and ims route remove change them"
		return
	}
	now, wanted := c.before.Spaces, split(c.do.Args.Spaces, c.before, c.other)
	if len(now) == 0 && len(wanted) == 0 {
		h.Nothing = append(h.Nothing, c.name+" has no address space")
	}
	h.Do = append(h.Do, c.routes(now, wanted)...)
	undo := c.routes(wanted, now)
	slices.Reverse(undo) // a step's undo is turned round as a whole
	h.Undo = append(h.Undo, undo...)
	if len(h.Do) == 0 && len(now) > 0 {
		h.Nothing = append(h.Nothing, c.name+" has the address spaces that it is to have")
	}
}

func (c *commands) routes(from, to []gateway.Space) []string {
	var out []string
	at := func(verb string, s gateway.Space) string {
		return fmt.Sprintf("ims route %s %s --type %s --pattern %s", verb, word(c.name), word(s.Type), word(s.Pattern))
	}
	for _, s := range to {
		if !slices.Contains(from, s) {
			out = append(out, fmt.Sprintf("%s --cost %d --scope %s --reason %s", at("add", s), s.Cost, s.Scope, c.reason()))
		}
	}
	for _, s := range from {
		if !slices.ContainsFunc(to, func(o gateway.Space) bool { return sameSpace(o, s) }) {
			out = append(out, fmt.Sprintf("%s --reason %s", at("remove", s), c.reason()))
		}
	}
	return out
}

func (c *commands) sites(h *Hand) {
	h.See = append(h.See, "ims route list --copies")
	switch {
	case c.before == nil:
		h.Warning = "the connected sites of " + c.name + " could not be read when the plan was made: ims route disconnect takes them away"
		return
	case len(c.before.Sites) == 0:
		h.Nothing = append(h.Nothing, c.name+" has no connected site")
	}
	for _, s := range c.before.Sites {
		at := fmt.Sprintf("%s --site %s", word(c.name), word(s.Name))
		h.Do = append(h.Do, fmt.Sprintf("ims route disconnect %s --reason %s", at, c.reason()))
		h.Undo = append(h.Undo, fmt.Sprintf("ims route connect %s --via %s --cost %d --reason %s", at, word(s.RoutingAddress), s.Cost, c.reason()))
	}
}

// dependents writes the changes of other gateways that the plan found.
func (c *commands) dependents(h *Hand, target string) {
	h.See = append(h.See, "ims dependents "+word(c.p.Gateway))
	found, known := c.p.Before.Others[c.state+"/"+target]
	switch {
	case !known:
		h.Warning = "what names " + c.p.Gateway + " elsewhere could not be read when the plan was made: ims dependents shows it, with the commands"
	case len(found.Open) > 0:
		h.Warning = "decide: " + strings.Join(found.Open, "; ")
	case len(found.Do) == 0:
		h.Nothing = append(h.Nothing, "no setting of another gateway names "+c.p.Gateway)
	}
	h.Do, h.Undo = append(h.Do, found.Do...), append(h.Undo, found.Undo...)
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
