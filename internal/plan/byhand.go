package plan

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"example.org/ims/pkg/machine"
)

// Hand is one step of a plan as a person performs it without a runner: shell
// commands to do it, to see that it is done, and to undo it.
type Hand struct {
	State   string   `json:"state"`
	Title   string   `json:"title"`
	Source  []string `json:"source"`
	Kind    string   `json:"kind"`
	Needs   []string `json:"needs,omitempty"` // what must be true before it, or what it waits for
	For     string   `json:"for,omitempty"`   // and for how long
	Decide  string   `json:"decide,omitempty"`
	Do      []string `json:"do,omitempty"`
	See     []string `json:"see,omitempty"`
	Undo    []string `json:"undo,omitempty"`
	Warning string   `json:"warning,omitempty"`
}

// ByHand are the commands to finish the plan without a runner, state by state,
// and at each the commands that undo it. They are for a POSIX shell, and use
// ims for what its commands can do, curl at the gateways' control socket for
// the rest, nsupdate for zones, and dig and swaks to look.
func (p *Plan) ByHand() []Hand {
	c := newConfiguration(p.Before, p.Places)
	all := make([]Hand, 0, len(p.States))
	for i := range p.States {
		s := &p.States[i]
		h := Hand{State: s.ID, Title: s.Title, Source: s.Source, Kind: s.Kind}
		var reads []string
		for _, n := range s.Needs {
			h.Needs = append(h.Needs, n.That)
			reads = append(reads, n.Facts...)
		}
		switch {
		case s.Do != nil:
			p.byHand(&h, c, s)
		case s.Waits != nil:
			h.For, h.See = s.Waits.For, p.look(reads)
		case s.Asks != nil:
			h.Decide = s.Asks.Ask
			if s.Asks.When == OnlyIf {
				h.Decide = "only if its condition has come to hold: " + h.Decide
			}
		default:
			h.See = p.look(reads)
		}
		all = append(all, h)
	}
	return all
}

// byHand adds the commands of an effect on each of its targets.
func (p *Plan) byHand(h *Hand, c *configuration, s *Step) {
	for _, ch := range s.Changes {
		before := c.gateway
		if before != nil {
			one := *before
			before = &one
		}
		old := c.zones[ch.Target]
		_, known := c.zones[ch.Target]
		c.apply(*s.Do, ch.Target, "", "")
		cmd := commands{p: p, state: s.ID, do: *s.Do, before: before}
		switch {
		case s.Do.Action == machine.DNSRRset && s.Do.modelled():
			cmd.zone(h, ch.Target, old, c.zones[ch.Target], known)
		case s.Do.modelled():
			cmd.gateway(h)
		default:
			cmd.other(h)
		}
	}
	if s.Undo != nil && s.Undo.Kind != Restore {
		h.Undo, h.Warning = nil, s.Undo.Words
	}
}

// look are commands that show facts.
func (p *Plan) look(reads []string) []string {
	var out []string
	add := func(cmds ...string) {
		for _, one := range cmds {
			if !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	for _, name := range reads {
		switch group, rest, _ := strings.Cut(name, "."); {
		case group == "mx":
			for _, z := range p.Places.Zones {
				add(digs(z)...)
			}
		case group == "route":
			add("ims route list --copies")
		case group == "late":
			add("ims gateway clients " + word(p.Gateway))
		case group == "ledger" || rest == "unaccounted" || rest == "arrivals":
			add("ims track --gateway " + word(p.Gateway))
		case group == "next":
			add("ims gateway show " + word(p.Next))
		case strings.HasPrefix(rest, "q.") || strings.HasPrefix(rest, "side.") || rest == "expiring" || rest == "oldest":
			add("ims queue list " + word(p.Gateway))
		case rest == "reply" || rest == "accepts":
			add(p.swaks())
		case group == "gw":
			add("ims gateway show " + word(p.Gateway))
		}
	}
	return out
}

// swaks asks the gateway's listener what it tells a client on the Internet
// side, up to RCPT.
func (p *Plan) swaks() string {
	return fmt.Sprintf("swaks --server %s --helo probe.invalid --from '<>' --to %s --quit-after RCPT", word(p.Places.Listen), word(p.Places.Rcpt))
}

// digs ask every authority for the MX of a domain.
func digs(z Zone) []string {
	servers := z.Authorities
	if !slices.Contains(servers, z.Server) {
		servers = append([]string{z.Server}, servers...)
	}
	out := make([]string, len(servers))
	for i, s := range servers {
		host, port := hostPort(s)
		out[i] = fmt.Sprintf("dig @%s -p %s %s MX +norecurse +noall +answer", word(host), port, word(z.Domain))
	}
	return out
}

func hostPort(s string) (host, port string) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return s, "53"
	}
	return host, port
}

// word is a word as a POSIX shell wants it.
func word(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./@:=+,%", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
