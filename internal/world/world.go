// Package world is the real world as a run sees it: facts in, effects out,
// over the contracts of gateways and zones. It knows no adapter, and of
// a runbook only which facts its guards ask for and what its effects want; what
// it observes is always fresh, and what it must not forget over a crash it hands
// to its caller as memory.
//
// A consent to losing a last route covers the address spaces that it named.
// That stands in the grant, and not in a fact: an observation voids
// run.granted.ndr_no_route while a space is uncovered that nobody was asked
// about. So route.uncovered says how the routes are, whoever asks, before a run
// as in one; it is a fact of the configuration, which a decision must not
// change, because decisions and plans are bound to those. And the guard
// "route.uncovered == 0 || run.granted('ndr_no_route')" reads as what it means.
package world

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"example.org/ims/internal/compare"
	"example.org/ims/internal/dependents"
	"example.org/ims/internal/engine"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
)

// Config says what a run is about. Successor may be absent.
type Config struct {
	Name     string // of the gateway
	Hostname string // the name that MX records use
	Address  string // ip:port that the Internet connects to
	Gateway  gateway.Gateway

	Successor         gateway.Gateway
	SuccessorName     string
	SuccessorHostname string
	SuccessorAddress  string
	SuccessorSite     string

	Domains []Domain
	// Zones are where other names live: host names, drain names, and those that
	// addresses lead back to.
	Zones            []Zone
	Machine          Machine
	SuccessorMachine Machine
	Neighbours       []Neighbour // other gateways
	// LookUp asks a resolver for the records of a name that lies in no zone of
	// the configuration, and follows no alias. A name without such records, or
	// that does not exist, has an RRset without data. nil knows of none.
	LookUp func(ctx context.Context, name, typ string) (zone.RRset, error)
	// Hosts are addresses of names, by canonical name, that count where no server
	// of a zone of the configuration answers. They hide nothing that is published.
	Hosts   map[string]netip.Addr
	Prober  Prober
	Routing Routing
	// Dependents changes what names the gateway elsewhere; nil refuses to.
	Dependents *dependents.Mover
	Waivers    []compare.Waiver // of settings that the successor need not take over

	// Book is the bound runbook: what its effects want is what facts about wanted
	// values compare with, and only what its guards name is looked for where that
	// is costly. Without one, those facts are unknown.
	Book       *runbook.Book
	Floor      time.Duration // added to the time until which an old MX may be cached
	FlushAfter time.Duration // the short time-out that a flush would set
	ArchiveDir string        // where a removal writes its archive; "" lets the gateway choose
}

// Domain is a mail domain that the gateway accepts, and where its MX lives.
type Domain struct {
	Name   string
	Rcpt   string // a known recipient, for probes
	Zone   string
	Writer zone.Writer
	Watch  zone.Watcher
}

// Prober asks a listener what it would tell a client on the Internet side: at
// most EHLO, MAIL, RCPT, RSET, QUIT. Nothing is sent.
type Prober interface {
	// Probe returns one of the facts.Reply values and the reply in words; the
	// error says why nothing is known.
	Probe(ctx context.Context, address, rcpt string) (facts.Value, string, error)
}

// Routing answers questions about the organization's routing as a whole.
type Routing interface {
	// Cover says what would become of mail for the address spaces and connected
	// sites of the gateway without it.
	Cover(ctx context.Context) (Cover, error)
	// Dependents names the settings of other gateways that name this one.
	Dependents(ctx context.Context) ([]string, error)
}

// Cover names address spaces and connected sites, and other gateways. What is
// swallowed is not among what is uncovered: of mail without a route the sender is
// told, so people may accept it; what a black hole takes stays there in silence,
// and no consent is to be had for that.
type Cover struct {
	Uncovered []string // some of whose mail finds no route
	Swallowed []string // some of whose mail goes to a gateway that carries nothing
	Others    []string // other gateways that an address space or connected site routes mail to
}

// World observes and changes one gateway and what leads to it. Its methods are
// called by one goroutine at a time.
type World struct {
	cfg     Config
	want    wish
	history map[subject][]zone.Observation // compacted
	book    *ledger.Book
	seq     uint64 // last tracking event read
	pairs   ledger.Ledger
	seen    []netip.Addr // that the host name led to in this run, if nobody named the gateway's
	until   time.Time    // old MX may be cached until then, as of the last observation
	agedAt  time.Time    // what had grown old by then is held; zero if nothing is
}

var _ engine.World = (*World)(nil)

// New makes a World.
func New(cfg Config) *World {
	return &World{cfg: cfg, want: wishOf(cfg.Book), history: map[subject][]zone.Observation{}, book: ledger.NewBook(cfg.Name)}
}

// Observe reads every fact. It ends after lookWithin at the latest; what was not
// read by then is unknown.
func (w *World) Observe(ctx context.Context, look engine.Look) engine.Observation {
	ctx, cancel := looking(ctx)
	defer cancel()
	o := &observer{World: w, ctx: ctx, look: look, set: facts.NewSet(), now: time.Now(), memory: map[string]string{}}
	for k, v := range look.Memory {
		o.memory[k] = v
	}
	o.recall()
	o.gateway()
	o.stores()
	o.reply()
	o.routes()
	o.mx()
	o.names()
	o.moved()
	o.until = o.safe
	o.next()
	o.differs()
	o.share()
	o.aged()
	o.late()
	o.ledger()
	o.put(facts.RunExported, facts.Bool(o.hasExport(look.Run)), "archive")
	o.memory[memSeen] = o.now.Format(time.RFC3339Nano)
	o.memorize()
	return engine.Observation{
		At: o.now, Since: o.since, Facts: o.set, Memory: o.memory, Notes: o.notes, Void: o.void, Expires: o.safe, Counts: o.counts,
	}
}

// CachedUntil is the time until which an old MX may be cached, floor included,
// as of the last observation; while an MX still leads here, if it went now.
func (w *World) CachedUntil() time.Time { return w.until }

// Names of what an observation remembers.
const (
	memSeen     = "seen"     // time of the last observation
	memInstance = "instance" // of the gateway's counters
	memAccepted = "accepted"
	memRouted   = "routed"
	memWas      = "was"      // the gateway's settings when the run began
	memCompared = "compared" // those beside the successor's, as compare.Report
	memAged     = "aged"     // when this run was first seen to hold old mail
	memHost     = "host"     // addresses that the host name led to
	memSwitched = "switched" // when what leads to the successor was first seen everywhere
)

// observer is one observation under way.
type observer struct {
	*World
	ctx    context.Context
	look   engine.Look
	set    *facts.Set
	now    time.Time
	since  time.Time
	memory map[string]string
	notes  []string
	void   []facts.ID
	counts map[string]int64
	config gateway.Config
	census gateway.Census
	leads  *Leads
	// otherwise: an MX leads here by another name than the host name
	otherwise zone.Verdict
	safe      time.Time // when the old MX has left every cache that obeys, floor included
}

func (o *observer) put(id facts.ID, v facts.Value, source string) {
	o.set.Put(facts.Fact{ID: id, Value: v, At: o.now, From: o.now, Source: source, Provenance: facts.Live})
}

// unknown says why facts could not be read.
func (o *observer) unknown(err error, source string, ids ...facts.ID) {
	if o.ctx.Err() != nil {
		err = context.Cause(o.ctx) // whatever was asked last is not to blame
	}
	for _, id := range ids {
		o.set.Put(facts.Fact{ID: id, Value: facts.Unknown, At: o.now, From: o.now, Source: source, Provenance: facts.NotKnown, Why: err.Error()})
	}
}

func (o *observer) note(format string, args ...any) {
	o.notes = append(o.notes, fmt.Sprintf(format, args...))
}

// time reads a remembered time.
func (o *observer) time(key string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, o.memory[key])
	return t, err == nil
}
