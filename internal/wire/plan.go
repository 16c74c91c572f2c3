package wire

import (
	"context"
	"errors"
	"fmt"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/readonly"
	"example.org/ims/internal/patience"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/world"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
)

// readOnly wires adapters that cannot change the world: every write is
// refused, and recorded, whatever calls it.
func (s *site) readOnly() *site {
	if s.looks {
		return s
	}
	return &site{
		cfg:         s.cfg,
		wrapGateway: func(g gateway.Gateway) gateway.Gateway { return readonly.Wrap(g) },
		wrapZone:    func(w zone.Writer) zone.Writer { return zone.ReadOnly(w) },
		looks:       true,
	}
}

// probing is readOnly, except that name servers may be asked, by updates that
// cannot succeed, whether they would make a change.
func (s *site) probing() *site {
	ro := s.readOnly()
	ro.wrapZone = func(w zone.Writer) zone.Writer { return zone.ReadOnlyProbing(w) }
	ro.probes = true
	return ro
}

// look is how a look goes that may probe, or may not.
func (s *site) look(probe bool) *site {
	if probe {
		return s.probing()
	}
	return s.readOnly()
}

// plan predicts a run from what is observed now. It sends queries, and SMTP up
// to RCPT; nothing else.
func (s *site) plan(ctx context.Context, book *runbook.Book) (*plan.Plan, error) {
	ctx = patience.Look(ctx)
	ro := s.readOnly()
	w, err := ro.world(book)
	if err != nil {
		return nil, err
	}
	look := engine.Look{Named: map[machine.Subject]map[string]bool{}, Memory: map[string]string{}}
	obs := w.Observe(ctx, look)
	in := plan.Input{
		Book: book, Facts: plan.Assume(obs.Facts), Now: obs.At, Expires: w.CachedUntil(), Notes: obs.Notes,
		Places: ro.placesOf(book),
	}
	in.NotChecked = ro.notChecked(in.Places)
	in.Before = ro.before(ctx, w, book)
	in.Places.Names = ro.placesOfNames(book, in.Before.Words)
	in.Queue, in.QueueWhy = queued(ctx, ro.gateway(book.Bound.Gateway))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return plan.Make(in), nil
}

// before reads what a run would change.
func (s *site) before(ctx context.Context, w *world.World, book *runbook.Book) plan.Before {
	b := plan.Before{
		Zones: map[string]zone.RRset{}, Words: map[string]string{}, Wanted: map[string]string{}, Others: map[string]plan.Others{}, Mends: map[string]string{}, Refused: map[string]string{},
	}
	if c, err := s.gateway(book.Bound.Gateway).Config(ctx); err == nil { // an error shows as facts that are unknown
		b.Gateway = &c
	}
	if next := book.Bound.Successor; next != "" {
		if c, err := s.gateway(next).Config(ctx); err == nil { // as above
			b.Successor = &c
		}
	}
	leads := w.Leads()
	for _, d := range book.Bound.Domains {
		domain, err := s.domain(d)
		if err != nil {
			continue // the world could not have been made
		}
		if rr, err := domain.Writer.Read(ctx, d, "MX"); err == nil { // as above
			s.led(ctx, leads, d, rr, &b)
		}
	}
	for key, r := range plan.Readings(book.Def) {
		e := engine.Effect{State: r.State, Target: r.Target, Action: r.Action, Args: r.Args}
		image, words, err := w.Image(ctx, e)
		if err == nil {
			e.Image = image
			b.Wanted[key], err = w.Wanted(e)
		}
		if err == nil && r.Action == machine.GatewayDependents {
			b.Others[key], err = others(image, r.State)
		}
		if err != nil {
			words = "unknown: " + err.Error()
			if lack, ok := errors.AsType[*world.LackError](err); ok {
				words, b.Mends[key] = "unknown: "+lack.What, lack.Fix
			}
		}
		b.Words[key] = words
		if why, fix := w.Refuses(ctx, e); why != "" {
			b.Refused[key], b.Mends[key] = why, fix
		}
	}
	return b
}

// led adds the MX of a domain to what a run would change, with the names of it
// that lead to the gateway. If that is not known of one, what would become of the
// MX is not, either.
func (*site) led(ctx context.Context, leads *world.Leads, domain string, rr zone.RRset, b *plan.Before) {
	_, ways := leads.Ways(ctx, rr)
	led := map[string]string{}
	for _, v := range ways {
		switch {
		case v.Here == zone.Unsure:
			return
		case v.Here == zone.Yes && v.How != "":
			led[zone.CanonicalName(v.Host)] = v.How
		}
	}
	b.Zones[domain] = rr
	if len(led) > 0 {
		if b.Leads == nil {
			b.Leads = map[string]map[string]string{}
		}
		b.Leads[domain] = led
	}
}

// placesOf says where everything is that a run is about.
func (s *site) placesOf(book *runbook.Book) plan.Places {
	g, _ := s.cfg.Gateway(book.Bound.Gateway)
	next, _ := s.cfg.Gateway(book.Bound.Successor)
	p := plan.Places{
		Adapter: g.Adapter, Socket: g.Socket, Listen: g.Listen, Hostname: g.Hostname, Successor: next.Hostname,
		Next:       plan.Place{Adapter: next.Adapter, Socket: next.Socket, Listen: next.Listen},
		ArchiveDir: s.cfg.Retire.ArchiveDir, Replication: s.cfg.Organization.Recalculation + s.cfg.Organization.Replication,
	}
	for i, d := range book.Bound.Domains {
		if i == 0 {
			p.Rcpt = s.recipient(d)
		}
		if z, ok := s.cfg.ZoneOf(d); ok {
			p.Zones = append(p.Zones, plan.Zone{Domain: d, Zone: z.Name, Server: z.Server, KeyFile: z.KeyFile, Authorities: z.Authorities})
		}
	}
	return p
}

// notChecked is what a dry run cannot find out without a change.
func (s *site) notChecked(p plan.Places) []string {
	var out []string
	for _, z := range p.Zones {
		if !s.probes {
			out = append(out, fmt.Sprintf("whether %s may change the MX of %s: ask with --probe", z.KeyFile, z.Domain))
		}
	}
	return append(out,
		"which clients will not follow MX: it shows once the MX has moved and the old one has expired",
		"whether the destinations of what is queued will take it: no mail is sent")
}

// mostQueued is how many entries a plan lists.
const mostQueued = 100_000

// queued lists what is queued now; why says why it may not be all.
func queued(ctx context.Context, g gateway.Gateway) (items []gateway.Item, why string) {
	q, ok := g.(gateway.Queues)
	if !ok {
		return nil, "this adapter cannot list messages"
	}
	items, err := q.List(ctx, gateway.Selection{Limit: mostQueued})
	switch {
	case errors.Is(err, gateway.ErrNotFound):
		return nil, ""
	case err != nil:
		return nil, "could not be listed: " + err.Error()
	case len(items) == mostQueued:
		return items, fmt.Sprintf("only the oldest %d entries are listed", mostQueued)
	}
	return items, ""
}
