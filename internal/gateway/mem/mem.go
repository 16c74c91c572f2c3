// Package mem is an organization in memory: several gateways with the stores,
// transfer modes and routing copies of the embedded service, for tests of
// everything above the contract. Nothing moves by itself: the test sends
// ([Org.Send], [Gateway.Arrive]), moves ([Org.Tick]) and lets time pass
// ([Org.Advance]); [Org.Run] moves in the background for those who want that.
//
// It opens no connection and stores nothing. It imports the pure room
// internal/mail/routing, so that its tables are stale exactly as the service's
// are. What it does is deterministic: the same calls at the same times give
// the same ids, events and counts.
package mem

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"example.org/ims/internal/mail/routing"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// Options describe an organization.
type Options struct {
	// Domains are local at every site.
	Domains []string
	// Sites defaults to the sites that the gateways name.
	Sites []routing.Site
	// Delays are how long a routing change takes to count. Zero: at once.
	Delays routing.Delays
}

// Spec describes one gateway.
type Spec struct {
	Name     string
	Site     string
	Location string
	Hostname string
	Listen   string
	// Settings without retry list or time-outs get those of [DefaultSettings].
	Settings  gateway.Settings
	Spaces    []gateway.Space
	Sites     []gateway.Site
	ApplyLive bool // settings take effect at once, not at service start
	Stopped   bool
}

// DefaultSettings are the retry list of Q146669 and time-outs of 24, 48, 72
// and 48 hours; of these only the normal one is historical (Q184051).
func DefaultSettings() gateway.Settings {
	return gateway.Settings{
		Retry:    []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 4 * time.Hour},
		Timeouts: gateway.Timeouts{Urgent: 24 * time.Hour, Normal: 48 * time.Hour, NonUrgent: 72 * time.Hour, Report: 48 * time.Hour},
	}
}

// Org is an organization: its MTA, its gateways and the world around them. It
// is safe for concurrent use.
type Org struct {
	mu       sync.Mutex
	local    map[string]bool
	gateways []*Gateway
	copies   *routing.Copies
	balance  routing.Balancer
	offset   time.Duration
	ids      int
	log      []ledger.Event
	remote   func(Handover) Answer
	taken    []Handover
}

// New makes an organization whose gateways run, unless they say otherwise, and
// whose remote hosts take everything.
func New(o Options, specs ...Spec) *Org {
	org := &Org{local: map[string]bool{}, remote: func(Handover) Answer { return Answer{} }}
	sites := slices.Clone(o.Sites)
	r := routing.Org{Domains: o.Domains}
	for _, s := range specs {
		g := newGateway(org, s)
		org.gateways = append(org.gateways, g)
		r.Gateways = append(r.Gateways, g.routes())
		if !slices.ContainsFunc(sites, func(x routing.Site) bool { return x.Name == s.Site }) {
			sites = append(sites, routing.Site{Name: s.Site})
		}
	}
	r.Sites = sites
	for _, d := range o.Domains {
		org.local[strings.ToLower(d)] = true
	}
	for _, s := range sites {
		for _, d := range s.Domains {
			org.local[strings.ToLower(d)] = true
		}
	}
	org.copies = routing.NewCopies(r, o.Delays, org.now())
	return org
}

// Gateway returns a gateway by name, removed or not, or nil.
func (o *Org) Gateway(name string) *Gateway {
	for _, g := range o.gateways {
		if g.name == name {
			return g
		}
	}
	return nil
}

// Advance lets time pass. Nothing moves until the next Tick. Inside a synctest
// bubble time passes without it.
func (o *Org) Advance(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.offset += d
}

// Now is the organization's time.
func (o *Org) Now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now()
}

func (o *Org) now() time.Time { return time.Now().Add(o.offset) }

// Run ticks every interval until ctx is done. The caller owns the goroutine.
func (o *Org) Run(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			o.Tick()
		}
	}
}

// Log is the tracking log of the whole organization; "" in Gateway is its MTA.
func (o *Org) Log() []ledger.Event {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.log)
}

func (o *Org) id(prefix string) string {
	o.ids++
	return fmt.Sprintf("%s%06d", prefix, o.ids)
}

// emit appends a line to the tracking log.
func (o *Org) emit(e ledger.Event) {
	e.Seq, e.At = uint64(len(o.log))+1, o.now()
	e.Rcpts = slices.Clone(e.Rcpts)
	o.log = append(o.log, e)
}
