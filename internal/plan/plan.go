// Package plan predicts a run: it drives the runbook's real machine through
// the abstract world, seeded with what was observed, and performs nothing. It
// does no I/O: what was observed is handed in, what was predicted comes out.
//
// A plan can be saved and performed once. What it binds to is its identity,
// [ID]: the version of the core, the runbook, what the run is about, its
// parameters, where the gateways, the servers of the zones and their authorities
// are, every fact of class config, every stored setting, address space and
// connected site of the two gateways, the states that the run would pass through,
// and the values that it would change, before and after. So a plan is good for no
// other organization of the same shape. Counts and clocks are shown and bind
// nothing: they move every second. [Plan.Differences] says what has changed in a
// plan's identity, which is drift. The verdicts that a plan shows bind in one
// direction: [Plan.Worse] says which checks stand in the way now and did not, which
// is drift as well. [Plan.News] says what else has changed.
//
// A saved plan is canonical JSON (RFC 8785) with a seal over all of it and a
// nonce. The seal shows a file that was damaged or edited; it is no signature:
// who may perform a plan is decided where it is performed.
//
// By hand, [Plan.ByHand] are the commands of the states that the plan predicts,
// and [Plan.Beside] those of the others.
package plan

import (
	"time"

	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
)

// Verdict of a plan.
type Verdict = verdict.Whole

// Verdicts, mildest first: Ready to start; Unknown because a fact could not be
// read; Asks people something as things are now; Blocked by what must be mended.
const (
	Ready   = verdict.Ready
	Unknown = verdict.NotKnown
	Asks    = verdict.Asks
	Blocked = verdict.Blocked
)

// Format is the version of a saved plan. A file of another one is refused: what
// it binds to is another thing. Format 1 bound to no places, format 2 to no
// settings and no verdicts.
const Format = 3

// Plan is what a run would do.
type Plan struct {
	Verdict Verdict   `json:"verdict"`
	Gateway string    `json:"gateway"`
	Next    string    `json:"successor"`
	Runbook string    `json:"runbook"`
	Made    time.Time `json:"made"`
	Checks  []Check   `json:"checks"`
	States  []Step    `json:"states"`
	// Questions are what the run would ask as things are now, or as predicted.
	Questions []verdict.Question `json:"questions"`
	Messages  Messages           `json:"messages"`
	NoReturn  string             `json:"point_of_no_return,omitempty"`
	Unread    []string           `json:"not_checked"`
	Notes     []string           `json:"notes,omitempty"`
	Ends      time.Time          `json:"ends_not_before"`
	ID        ID                 `json:"plan"`

	Definition Definition        `json:"definition"`
	Bound      runbook.Binding   `json:"binding"`
	Params     map[string]string `json:"params"` // every parameter, resolved
	Facts      []Fact            `json:"facts"`
	Before     Before            `json:"before"`
	Places     Places            `json:"places"`
	Approvers  []string          `json:"may_approve,omitempty"` // who may answer what the run asks, by name

	asking []verdict.Question // every question of the runbook
	made   *runbook.Book      // that it was made from, if it was not read

	// What only a saved plan has.
	Format int    `json:"format,omitempty"`
	Nonce  string `json:"nonce,omitempty"` // used up by the run that performs it
	Seal   string `json:"seal,omitempty"`  // over everything else in the file
}

// ID identifies a plan: two plans with the same hash do the same.
type ID struct {
	Hash string `json:"hash"`
	Core string `json:"core"`
}

// Definition is the runbook of a plan.
type Definition struct {
	File   string `json:"file"`
	Digest string `json:"digest"`           // SHA-256 of the source, hexadecimal
	Source string `json:"source,omitempty"` // the text; in saved plans only
}

// Fact is what was observed of one fact. Those of class config bind.
type Fact struct {
	Name       string           `json:"name"`
	Class      string           `json:"class"`
	Value      string           `json:"value"`
	Provenance facts.Provenance `json:"provenance"`
	Source     string           `json:"source,omitempty"`
	Why        string           `json:"why,omitempty"`
}

// Before is the configuration that the run would change, as it was observed.
type Before struct {
	Gateway *gateway.Config       `json:"gateway,omitempty"` // nil if it could not be read
	Zones   map[string]zone.RRset `json:"zones,omitempty"`   // MX by mail domain; one that could not be read is left out
	// Leads are the names of each of Zones that lead to the gateway beside its host
	// name, and how; of a domain without MX its own name (RFC 5321 5.1).
	Leads  map[string]map[string]string `json:"leads,omitempty"`
	Words  map[string]string            `json:"words,omitempty"`  // of whatever else effects change, by STATE/TARGET
	Wanted map[string]string            `json:"wanted,omitempty"` // what becomes of Words, where that follows from what was read

	Mends     map[string]string `json:"mends,omitempty"`     // edits that make what is unknown among Words known, or let what is Refused be done
	Refused   map[string]string `json:"refused,omitempty"`   // why an effect would be refused as things are, by STATE/TARGET
	Successor *gateway.Config   `json:"successor,omitempty"` // nil if there is none or it could not be read
	Others    map[string]Others `json:"others,omitempty"`    // what other gateways are to have, by STATE/TARGET
}

// Others are the commands that make other gateways name the successor, and those
// that take that back.
type Others struct {
	Do   []string `json:"do,omitempty"`
	Undo []string `json:"undo,omitempty"`
	Open []string `json:"open,omitempty"` // what has no clear replacement, and why
}

// Places say where everything is, for people without this program's help.
type Places struct {
	Adapter     string        `json:"adapter,omitempty"`
	Socket      string        `json:"socket,omitempty"` // control socket of the gateway
	Listen      string        `json:"listen,omitempty"` // address:port of its Internet listener
	Hostname    string        `json:"hostname,omitempty"`
	Successor   string        `json:"successor,omitempty"` // host name that MX records get
	Rcpt        string        `json:"rcpt,omitempty"`      // a known recipient, for probes
	ArchiveDir  string        `json:"archive_dir,omitempty"`
	Replication time.Duration `json:"replication,omitempty"` // until every site knows a route
	Next        Place         `json:"next,omitzero"`         // where the successor is
	Zones       []Zone        `json:"zones,omitempty"`       // of the mail domains
	Names       []Zone        `json:"names,omitempty"`       // of other records that the run changes, by name of the record
}

// Place is where a gateway is.
type Place struct {
	Adapter string `json:"adapter,omitempty"`
	Socket  string `json:"socket,omitempty"`
	Listen  string `json:"listen,omitempty"`
}

// Zone is where the records of a mail domain, or of another name, are changed.
type Zone struct {
	Domain      string   `json:"domain"` // the mail domain, or the name
	Zone        string   `json:"zone"`
	Server      string   `json:"server"`   // address:port that takes updates
	KeyFile     string   `json:"key_file"` // of the TSIG key
	Authorities []string `json:"authorities,omitempty"`
}

// Check is one guard, judged at the point where the run would judge it, or
// something else that was judged of the world as it is.
type Check struct {
	ID         string           `json:"id"`
	That       string           `json:"that"`
	Verdict    verdict.Check    `json:"verdict"`
	Asked      string           `json:"asked_in,omitempty"`  // the state in which people are asked, of verdict Ask
	Predicted  bool             `json:"predicted,omitempty"` // it is about what the run will find, not about now
	Waived     string           `json:"waived,omitempty"`    // why it does not count, who says so, and until when
	Why        string           `json:"why"`
	Fix        string           `json:"fix"`
	Provenance facts.Provenance `json:"provenance"`
	Missing    []string         `json:"missing,omitempty"`
	// Binds says that the plan relies on it: if it stands in the way when the plan
	// is performed, and did not in the plan, that is drift.
	Binds bool `json:"binds,omitempty"`
}

// Open reports whether a check stands in the way.
func (c *Check) Open() bool { return c.Verdict != verdict.Pass && c.Waived == "" }

// Step is one state of the predicted path.
type Step struct {
	ID      string    `json:"id"`
	Number  int       `json:"number"` // machine.Def.Number, as the status of a run counts; 0 in a plan of before
	Title   string    `json:"title"`
	Source  []string  `json:"source"`
	Because string    `json:"because,omitempty"`
	Kind    string    `json:"kind"`
	Back    bool      `json:"back,omitempty"` // the effect of the state is undone
	Do      *Effect   `json:"do,omitempty"`
	Changes []Change  `json:"changes,omitempty"`
	Needs   []Need    `json:"needs,omitempty"` // what must hold before it acts, or what it waits for
	Waits   *Wait     `json:"waits,omitempty"`
	Asks    *Question `json:"asks,omitempty"`
	Undo    *Undo     `json:"undo,omitempty"`
	Else    string    `json:"else,omitempty"` // the state that comes next because Needs do not hold
}

// Effect is what a state does to the world.
type Effect struct {
	Action machine.ActionName `json:"action"`
	Args   machine.Args       `json:"args"`
}

// Change is what an effect changes at one target, line by line. Lines that
// stand on both sides stay as they are.
type Change struct {
	Target string   `json:"target"`
	Before []string `json:"before"`
	After  []string `json:"after"`
	Note   string   `json:"note,omitempty"` // how it comes about
}

// Need is one condition of a state.
type Need struct {
	That  string   `json:"that"`
	Why   string   `json:"why"`
	Fix   string   `json:"fix"`
	Facts []string `json:"facts"` // that it reads
}

// Wait is how long a state takes at least, and at most before people are asked.
type Wait struct {
	For      string    `json:"for"`
	AtMost   string    `json:"at_most"`
	Begins   time.Time `json:"begins"`   // at the earliest
	Earliest time.Time `json:"earliest"` // wall-clock end, not before
	Latest   time.Time `json:"latest"`   // when people are asked, if it began at the earliest
	Follows  string    `json:"follows,omitempty"`
}

// Question is what people are asked, and whether they will be.
type Question struct {
	verdict.Question
	When string `json:"when"`           // always; now, because its condition holds; or only if it comes to hold
	Ways []Way  `json:"ways,omitempty"` // where several answers lead
}

// Way is where an answer leads, and what that state does if nothing else leads
// there.
type Way struct {
	Name  string  `json:"name"`
	Title string  `json:"title,omitempty"`
	Leads string  `json:"leads"`
	Do    *Effect `json:"do,omitempty"`
}

// leads finds the answer without which a state is not come to, if the question
// is put.
func (q *Question) leads(state string) *Way {
	if q == nil || q.When == OnlyIf {
		return nil
	}
	for i := range q.Ways {
		if q.Ways[i].Leads == state && q.Ways[i].Do != nil {
			return &q.Ways[i]
		}
	}
	return nil
}

// When people are asked.
const (
	Always = "always"
	Now    = "now"
	OnlyIf = "only-if"
)

// Undo is how an effect is undone, and what that costs.
type Undo struct {
	Kind  string `json:"kind"` // restore, nothing, impossible
	Words string `json:"words"`
	Cost  string `json:"cost,omitempty"`
}

// Kinds of undo.
const (
	Restore    = "restore"
	Nothing    = "nothing"
	Impossible = "impossible"
)

// Path is the sequence of states that a plan predicts.
func (p *Plan) Path() []string {
	ids := make([]string, len(p.States))
	for i := range p.States {
		ids[i] = p.States[i].ID
	}
	return ids
}

// Complete reports whether the predicted path comes to an end.
func (p *Plan) Complete() bool {
	return len(p.States) > 0 && p.States[len(p.States)-1].Kind == machine.KindEnd.String()
}

// Performable reports whether a run may perform the plan: nothing blocks it, and
// all that it relies on is known. What it asks, the run asks.
func (p *Plan) Performable() bool {
	n := p.Counts()
	return p.Complete() && (p.Verdict == Ready || p.Verdict == Asks) && n.Unknown+n.Predicted.Unknown == 0
}

// Block adds a failing check.
func (p *Plan) Block(c Check) {
	c.Verdict = verdict.Fail
	p.Verdict = Blocked
	p.Checks = append(p.Checks, c)
}
