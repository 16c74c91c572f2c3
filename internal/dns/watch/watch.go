// Package watch asks every address of every authoritative server of a zone
// what it publishes, and says of each answer whether it counts. It compares
// data, not serials: equal serials do not prove equal data. It never asks a
// server to recurse, never takes an answer without authority, and leaves no
// server out because it is silent.
//
// It imports miekg/dns for the records of delegations.
package watch

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"example.org/ims/internal/dns/msg"
	"example.org/ims/pkg/zone"
)

// Config says which servers are the authorities of a zone: those configured
// and, with Discover, those that the parent and the zone itself name, and the
// primary that the SOA names.
type Config struct {
	Zone        string
	Authorities []string // ip or ip:port; also where discovery begins
	// Discover asks for NS and SOA in every round, because a delegation may
	// change meanwhile. It needs Authorities or Resolvers.
	Discover  bool
	Resolvers []string // recursive servers; they find parents and addresses, never certify
	// Parents are servers of the parent zone, ip or ip:port. Without them they
	// are found through Resolvers; without those the parent is not asked.
	Parents []string
	// Hosts gives name servers addresses, ip:port, ahead of the DNS.
	Hosts map[string][]string
	// SkipMName leaves the primary that the SOA names out, unless it is also a
	// name server: a hidden primary may not be reachable.
	SkipMName bool
	Timeout   time.Duration // of one question, over UDP and then TCP; 0 means 5 s
}

// Watcher observes one zone. It is safe for concurrent use and keeps nothing.
type Watcher struct{ cfg Config }

var _ zone.Watcher = (*Watcher)(nil)

// New checks cfg. It does not touch the network.
func New(cfg Config) (*Watcher, error) {
	cfg.Zone = zone.CanonicalName(cfg.Zone)
	cfg.Authorities, cfg.Parents, cfg.Resolvers = withPorts(cfg.Authorities), withPorts(cfg.Parents), withPorts(cfg.Resolvers)
	cfg.Timeout = cmp.Or(cfg.Timeout, 5*time.Second)
	hosts := map[string][]string{}
	for h, addrs := range cfg.Hosts {
		hosts[zone.CanonicalName(h)] = withPorts(addrs)
	}
	cfg.Hosts = hosts
	switch {
	case len(cfg.Authorities) == 0 && !cfg.Discover:
		return nil, fmt.Errorf("watch zone %q: no authorities, and none to be discovered", cfg.Zone)
	case len(cfg.Authorities) == 0 && len(cfg.Resolvers) == 0:
		return nil, fmt.Errorf("watch zone %q: discovery needs authorities or resolvers to begin with", cfg.Zone)
	}
	return &Watcher{cfg: cfg}, nil
}

func withPorts(addrs []string) []string {
	var out []string
	for _, a := range addrs {
		out = append(out, msg.WithPort(a))
	}
	return out
}

// Observe makes one round. Servers are asked at the same time.
func (w *Watcher) Observe(ctx context.Context, name, typ string) []zone.Observation {
	q := zone.NewRRset(name, typ, 0)
	servers, findings := w.authorities(ctx)
	out := make([]zone.Observation, len(servers))
	var wg sync.WaitGroup
	for i, s := range servers {
		wg.Go(func() { out[i] = w.observe(ctx, s, q) })
	}
	wg.Wait()
	for _, f := range findings {
		out = append(out, zone.Observation{At: time.Now(), Server: f.server, RRset: q, Err: f.err})
	}
	return out
}

// Authorities lists the servers that a round asks now, and in words what
// forbids to certify.
func (w *Watcher) Authorities(ctx context.Context) ([]zone.Server, []string) {
	servers, findings := w.authorities(ctx)
	var words []string
	for _, f := range findings {
		words = append(words, f.server.String()+": "+f.err)
	}
	return servers, words
}

// observe asks one server: for the serial first, so that data older than its
// serial is never seen by accident, then for the RRset. UDP that fails is
// tried over TCP. A server that does not answer the first question is not asked
// the second.
func (w *Watcher) observe(ctx context.Context, s zone.Server, q zone.RRset) zone.Observation {
	o := zone.Observation{Server: s, RRset: q}
	m, rtt, err := w.ask(ctx, s.Addr, w.cfg.Zone, "SOA")
	if err != nil {
		o.At, o.RTT, o.Err = time.Now(), rtt, err.Error()
		return o
	}
	if m.Authoritative {
		if soa := msg.SOA(m.Answer); soa != nil {
			o.Serial = soa.Serial
		}
	}
	m, rtt, err = w.ask(ctx, s.Addr, q.Name, q.Type)
	o.At, o.RTT = time.Now(), rtt
	if err != nil {
		o.Err = err.Error()
		return o
	}
	o.AA, o.TC, o.Rcode = m.Authoritative, m.Truncated, m.Rcode
	if o.Counts() {
		o.RRset = msg.Answer(q.Name, q.Type, m)
	}
	return o
}

// servers accumulates the authority set: one server per address, roles joined.
type servers struct{ list []zone.Server }

func (l *servers) add(ns, addr, role string) {
	for i, s := range l.list {
		if s.Addr != addr {
			continue
		}
		if s.NS == "" {
			l.list[i].NS = ns
		}
		if !slices.Contains(splitRoles(s.Role), role) {
			l.list[i].Role += "+" + role
		}
		return
	}
	l.list = append(l.list, zone.Server{NS: ns, Addr: addr, Role: role})
}
