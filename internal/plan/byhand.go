package plan

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// Hand is one step of a plan as a person performs it without a runner: shell
// commands to do it, to see that it is done, and to undo it.
type Hand struct {
	Number  int          `json:"number"` // of the state in the runbook
	State   string       `json:"state"`
	Title   string       `json:"title"`
	Source  []string     `json:"source"`
	Kind    string       `json:"kind"`
	Back    bool         `json:"back,omitempty"`  // Do undoes what the state did
	Needs   []string     `json:"needs,omitempty"` // what must be true before it, or what it waits for
	Else    string       `json:"else,omitempty"`  // the state that comes next because Needs do not hold, as predicted
	For     string       `json:"for,omitempty"`   // and for how long
	Cached  string       `json:"cached,omitempty"`
	Decide  string       `json:"decide,omitempty"`
	Choices []HandChoice `json:"choices,omitempty"`
	If      string       `json:"if,omitempty"` // the choice without which it is not done
	Do      []string     `json:"do,omitempty"`
	Nothing []string     `json:"nothing,omitempty"` // why there is no command for it, or not for all of it
	See     []string     `json:"see,omitempty"`
	Undo    []string     `json:"undo,omitempty"`
	Warning string       `json:"warning,omitempty"`
	Mind    string       `json:"mind,omitempty"`  // what its commands leave alone
	Next    string       `json:"next,omitempty"`  // the state that comes next, of a step beside the path
	Turns   []Turn       `json:"turns,omitempty"` // where it goes on if that is not the next step
}

// Turn is where a step goes on if it does not come out as the path has it.
type Turn struct {
	If    string `json:"if"`
	Leads string `json:"leads"` // to this state
}

// HandChoice is one answer to a question, and what follows from it.
type HandChoice struct {
	Name  string   `json:"name"`
	Title string   `json:"title,omitempty"`
	Leads string   `json:"leads"` // to this state
	Do    []string `json:"do,omitempty"`
	Then  string   `json:"then,omitempty"` // the state that comes after Do
}

// Begun is what a run has begun of a plan: what it holds bears its name.
type Begun struct {
	Run    string
	States []string
}

// ByHand are the commands to finish the plan without a runner, state by state,
// and at each the commands that undo it. They are for a POSIX shell, and use
// ims for what its commands can do, curl at the gateways' control socket for
// the rest, nsupdate for zones, and dig and swaks to look.
func (p *Plan) ByHand(by Begun) []Hand {
	book, err := p.book()
	if err != nil {
		book = nil // then the turns of the path are not known
	}
	w := p.newByHand(by, book)
	all := make([]Hand, len(p.States))
	for i := range p.States {
		s := &p.States[i]
		all[i] = handOf(s)
		w.step(&all[i], s)
		if i > 0 && s.Do != nil && p.States[i-1].Asks.leads(s.ID) != nil {
			all[i].If = p.States[i-1].Asks.leads(s.ID).Name
		}
	}
	return all
}

func handOf(s *Step) Hand {
	return Hand{Number: s.Number, State: s.ID, Title: s.Title, Source: s.Source, Kind: s.Kind, Back: s.Back, Else: s.Else}
}

func (p *Plan) newByHand(by Begun, book *runbook.Book) byHand {
	return byHand{
		p: p, by: by, book: book, c: newConfiguration(p.Before, p.Places), was: map[string]*configuration{}, undo: map[string]*Hand{},
	}
}

// byHand writes a plan's steps, each for the world that the one before it left.
type byHand struct {
	p    *Plan
	by   Begun
	book *runbook.Book // or nil
	c    *configuration
	ttl  uint32                    // the longest of the records changed so far, in seconds
	was  map[string]*configuration // what an effect found, by state
	undo map[string]*Hand
	held string   // the reason that what is held bears
	digs []string // for the records changed so far
}

func (w *byHand) step(h *Hand, s *Step) {
	var reads []string
	for _, n := range s.Needs {
		h.Needs = append(h.Needs, n.That)
		reads = append(reads, n.Facts...)
	}
	switch {
	case s.Do != nil:
		w.effect(h, s)
	case s.Back:
		w.back(h)
	case s.Waits != nil:
		h.For, h.See = s.Waits.For, w.look(reads)
		if s.Waits.Follows != "" {
			h.Cached = w.cached()
		}
	case s.Asks != nil:
		h.Decide = s.Asks.Ask
		if s.Asks.When == OnlyIf {
			h.Decide = "only if its condition has come to hold: " + h.Decide
		}
		w.choices(h, s.Asks.Ways)
	default:
		h.See = w.look(reads)
	}
	w.turns(h)
}

// effect adds the commands of an effect on each of its targets.
func (w *byHand) effect(h *Hand, s *Step) {
	w.was[s.ID], w.undo[s.ID] = w.c.copied(), h
	if s.Do.Action == machine.QueueHold {
		w.holds(s.ID)
	}
	for _, ch := range s.Changes {
		old, known := w.c.zones[ch.Target]
		cmd := w.commands(s.ID, *s.Do)
		w.c.track(*s.Do, ch.Target)
		switch {
		case s.Do.Action == machine.DNSRRset && s.Do.modelled():
			cmd.zone(h, ch.Target, old, w.c.zones[ch.Target], known)
			w.ttl = max(w.ttl, old.TTL)
		case s.Do.Action == machine.DNSRRset:
			w.ttl = max(w.ttl, cmd.records(h, ch))
			w.digs = append(w.digs, h.See...)
		default:
			cmd.write(h, ch.Target)
		}
	}
	if s.Do.Action == machine.RunRestore {
		h.Nothing = []string{"it is done by what follows: each undo, the newest first"}
	}
	slices.Reverse(h.Undo)
	if s.Undo != nil && s.Undo.Kind != Restore {
		h.Undo, h.Warning = nil, s.Undo.Words
	}
	if s.Do.Args.Select == machine.SelectHeld {
		h.Mind = w.othersHold()
	}
}

// holds notes the reason that what a state holds bears.
func (w *byHand) holds(state string) {
	w.held = reasonOf(w.p, state)
	if slices.Contains(w.by.States, state) {
		w.held = "run " + w.by.Run + ", " + state
	}
}

func (w *byHand) othersHold() string {
	return "these commands are about what the state before held; what somebody else holds is decided by its id: ims queue list " +
		word(w.p.Gateway) + " --store hold"
}

// commands are those of an effect on what the configuration is now.
func (w *byHand) commands(state string, do Effect) *commands {
	c := &commands{p: w.p, state: state, do: do, held: w.held, name: w.p.Gateway, before: w.c.gateway, other: w.c.next}
	if do.Args.OnSuccessor {
		c.name, c.before, c.other = w.p.Next, w.c.next, w.c.gateway
	}
	if c.before != nil { // it goes on changing
		one := *c.before
		c.before = &one
	}
	return c
}

// back adds the commands that undo what an earlier step did.
func (w *byHand) back(h *Hand) {
	did := w.undo[h.State]
	if did == nil { // a path that begins in the middle: none does
		return
	}
	h.Do, h.Nothing, h.Warning, h.See = did.Undo, did.Nothing, did.Warning, did.See
	w.c = w.was[h.State]
}

// choices adds the answers to a question, with the commands of the effects that
// they lead to.
func (w *byHand) choices(h *Hand, ways []Way) {
	for _, way := range ways {
		one := HandChoice{Name: way.Name, Title: way.Title, Leads: way.Leads}
		if way.Do != nil {
			var did Hand
			w.commands(way.Leads, *way.Do).write(&did, w.p.Gateway)
			one.Do, one.Then = did.Do, w.after(way.Leads)
			if way.Do.Args.Select == machine.SelectHeld {
				h.Mind = w.othersHold()
			}
		}
		h.Choices = append(h.Choices, one)
	}
}

// cached says for how long what was published before the changes may be cached.
func (w *byHand) cached() string {
	words := fmt.Sprintf("what was published before may be cached for %s, its TTL, once every server gives the new records", time.Duration(w.ttl)*time.Second)
	if floor := w.p.Params["floor"]; floor != "" {
		words += ", and " + floor + " longer where a resolver stretches it"
	}
	return words
}

// look are commands that show facts.
func (w *byHand) look(reads []string) []string {
	p := w.p
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
				add(digs(z, z.Domain, "MX")...)
			}
		case group == "name", group == "drain", group == "spf":
			add(w.digs...)
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
