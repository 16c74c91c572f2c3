package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/setting"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
)

// Standing is how a gateway stands: what decides which command helps if it does
// not take mail, or does not send it.
type Standing struct {
	Name    string    `json:"name"`
	At      time.Time `json:"at"`
	Err     string    `json:"error,omitempty"` // why nothing is known
	Exists  bool      `json:"exists"`
	Running bool      `json:"running"`
	Paused  bool      `json:"paused"`
	Mode    string    `json:"mode"`        // effective
	Stored  string    `json:"mode_stored"` // effective from its next start
	Waiting int64     `json:"waiting"`     // messages in its stores that a mode that sends would let go; -1 if they could not be counted
}

// StandingOf is how a gateway stands by its configuration, with how many messages
// wait in it to be sent.
func StandingOf(c gateway.Config, waiting int64, at time.Time) *Standing {
	return &Standing{
		Name: c.Name, At: at, Exists: c.Exists, Running: c.Running, Paused: c.Paused,
		Mode: c.Effective.Mode.String(), Stored: c.Stored.Mode.String(), Waiting: waiting,
	}
}

// The modes in which a gateway does one of its two works.
var (
	both     = gateway.InboundOutbound.String()
	inbound  = gateway.InboundOnly.String()
	outbound = gateway.OutboundOnly.String()
)

func sends(mode string) bool { return mode == both || mode == outbound }
func takes(mode string) bool { return mode == both || mode == inbound }

// command changes a gateway for a retirement.
func command(verb, name, flags, gateway string) string {
	if flags != "" {
		flags = " " + flags
	}
	return fmt.Sprintf("ims gateway %s %s%s --reason %s", verb, setting.Quote(name), flags, setting.Quote("retire "+gateway))
}

// rescue is what lets a gateway send again that has collected mail: a mode that
// sends would release all of it at once, however old.
func rescue(name string) string {
	return "ims retire " + setting.Quote(name) + " --runbook rescue --dry-run"
}

// unready is what helps whatever the gateway is to do: it is not there, or does not
// run. It is "" if neither is so.
func (n *Standing) unready(gateway string) string {
	switch {
	case n.Err != "":
		return cmp.Or(answering(n.Err), serve)
	case !n.Exists:
		return "ims preflight " + setting.Quote(gateway) + " --to SUCCESSOR, with a gateway that is there"
	case !n.Running && !sends(n.Stored) && !takes(n.Stored):
		return n.mode(gateway)
	case !n.Running:
		return command("start", n.Name, "", gateway)
	}
	return ""
}

// mode is what makes the gateway do both works.
func (n *Standing) mode(gateway string) string {
	flags := "--mode " + both
	switch {
	case !sends(n.Mode) && n.Waiting != 0 || !n.Running && n.Waiting != 0:
		return rescue(n.Name)
	case !n.Running:
		return command("set", n.Name, flags, gateway) + " && " + command("start", n.Name, "", gateway)
	case n.Stored == both:
		return command("restart", n.Name, "", gateway)
	}
	return command("set", n.Name, flags+" --restart", gateway)
}

// Take is the command that lets the gateway take inbound mail, for the retirement
// of another; "" if nothing is known to stand in its way.
func (n *Standing) Take(gateway string) string {
	switch fix := n.unready(gateway); {
	case fix != "":
		return fix
	case n.Paused:
		return command("resume", n.Name, "", gateway)
	case !takes(n.Mode):
		return n.mode(gateway)
	}
	return ""
}

// Send is the command that lets the gateway send, for the retirement of another;
// "" if nothing is known to stand in its way.
func (n *Standing) Send(gateway string) string {
	if fix := n.unready(gateway); fix != "" {
		return fix
	}
	if !sends(n.Mode) {
		return n.mode(gateway)
	}
	return ""
}

// restarts judges what the next start of the successor would make of it: settings
// take effect at service start.
func (r *Report) restarts(s *Snapshot) {
	n := s.Next
	if n == nil || n.Err != "" || !n.Exists || !n.Running || n.Mode == n.Stored {
		return
	}
	c := Check{
		ID: "successor.mode", Group: GroupSuccessor, Provenance: s.provenance(), At: n.At,
		That: "a restart of " + n.Name + " leaves it the work that it has",
	}
	var lost []string
	if takes(n.Mode) && !takes(n.Stored) {
		lost = append(lost, "take no inbound mail")
	}
	if sends(n.Mode) && !sends(n.Stored) {
		lost = append(lost, "send nothing, and keep what is routed to it")
	}
	if len(lost) == 0 {
		r.add(c.pass("its mode is %s, and %s from its next start", n.Mode, n.Stored))
		return
	}
	r.add(c.fail(command("set", n.Name, "--mode "+n.Mode, s.Gateway),
		"its mode is %s, but %s is stored: from its next start it would %s, and nobody would be told", n.Mode, n.Stored, strings.Join(lost, ", and ")))
}

// mend says what helps against a guard that does not hold, by what causes it. What
// the runbook says is for every cause.
func (s *Snapshot) mend(fix string, refs []facts.ID, set *facts.Set) string {
	for _, id := range refs {
		if better := s.mending(fix, id, set); better != "" {
			return better
		}
	}
	return fix
}

func (s *Snapshot) mending(fix string, id facts.ID, set *facts.Set) string {
	no := set[id].Value == 0
	switch id {
	case facts.GwMode, facts.GwRunning:
		if slices.ContainsFunc([]string{"--mode " + both, "--runbook rescue", "ims gateway start "}, func(w string) bool { return strings.Contains(fix, w) }) {
			return s.waking(id, set)
		}
	case facts.GwReply, facts.GwAccepts:
		if s.Own != nil && s.Own.Running && s.Own.Paused {
			return command("resume", s.Gateway, "", s.Gateway)
		}
	case facts.NextAccepts:
		if no && s.Next != nil {
			return s.taking()
		}
	case facts.NextSends:
		if no && s.Next != nil {
			return s.Next.Send(s.Gateway)
		}
	case facts.NextCoversIn:
		if no && s.Next != nil {
			return s.covering()
		}
	default:
	}
	return ""
}

// waking is what lets the gateway itself send: not a mode, and not a start, if what
// has waited for long would then leave at once.
func (s *Snapshot) waking(id facts.ID, set *facts.Set) string {
	mode, running, aged := set[facts.GwMode], set[facts.GwRunning], set[facts.GwAged]
	if mode.Value == facts.Unknown || running.Value == facts.Unknown {
		return ""
	}
	silent := running.Value == 0 || !sends(facts.GwMode.Format(mode.Value))
	stored := command("set", s.Gateway, "--mode "+both, s.Gateway)
	switch {
	case silent && aged.Value > 0 && aged.Value != facts.Unknown:
		return rescue(s.Gateway)
	case id == facts.GwRunning, silent && aged.Value != 0:
		return ""
	case running.Value == 0:
		return stored + " && " + command("start", s.Gateway, "", s.Gateway)
	}
	return command("set", s.Gateway, "--mode "+both+" --restart", s.Gateway)
}

// taking is what lets the successor take inbound mail.
func (s *Snapshot) taking() string {
	in := &s.Inbound
	fix := s.Next.Take(s.Gateway)
	switch {
	case fix != "":
	case in.New.Closed:
		fix = in.start(s)
	case in.Named.Verdict == Fail:
		fix = in.Named.Fix
	}
	return fix
}

// covering is what lets the successor accept the domains that it does not.
func (s *Snapshot) covering() string {
	in := &s.Inbound
	if fix := s.taking(); fix != "" {
		return fix
	}
	if in.New.Rejects != "" {
		return in.admit(s)
	}
	var fixes []string
	for _, name := range s.members(facts.NextCoversIn) {
		for i := range in.List {
			if d := &in.List[i]; d.Name == name {
				fixes = append(fixes, in.fix(s, d))
			}
		}
	}
	return strings.Join(fixes, "; ")
}
