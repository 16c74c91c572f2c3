package wire

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/cli"
	"example.org/ims/internal/compare"
	"example.org/ims/internal/config"
	"example.org/ims/internal/engine"
	"example.org/ims/internal/mail/routing"
	"example.org/ims/internal/patience"
	"example.org/ims/internal/preflight"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/setting"
	"example.org/ims/internal/world"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// observations are what a preflight looks at.
type observations struct{}

var _ cli.Observations = observations{}

// Observe implements cli.Observations. Every adapter is read-only; what is sent
// is queries, transfers of zones, and SMTP up to RCPT; updates that cannot
// succeed only if the look probes.
func (observations) Observe(ctx context.Context, c *config.Config, look cli.Look) (*preflight.Snapshot, *runbook.Book, error) {
	s := runSite{newSite(c).look(look.Probe)}
	book, err := s.book(look.Request)
	if err != nil {
		return nil, nil, err
	}
	snap, err := s.snapshot(ctx, book)
	return snap, book, err
}

// snapshot looks at everything once.
func (s *site) snapshot(ctx context.Context, book *runbook.Book) (*preflight.Snapshot, error) {
	ctx = patience.Look(ctx)
	w, err := s.world(book)
	if err != nil {
		return nil, err
	}
	g, _ := s.cfg.Gateway(book.Bound.Gateway)
	servers, missed, err := s.servers(ctx, g, book.Bound.Domains) // first, because all are asked at once
	if err != nil {
		return nil, err
	}
	look := engine.Look{Named: map[machine.Subject]map[string]bool{}, Memory: map[string]string{}}
	obs := w.Observe(ctx, look)
	before := s.before(ctx, w, book)
	out := &preflight.Snapshot{
		Before: &before, Configured: s.cfg.Retire.Params, Gateway: book.Bound.Gateway, Successor: book.Bound.Successor, Runbook: book.Def.Name, Params: book.Bound.Params,
		Domains: book.Bound.Domains, Made: obs.At, Cached: w.CachedUntil(), Facts: preflight.FactsOf(obs.Facts), Notes: append(obs.Notes, missed...),
		Outbound: outbound(ctx, s.organization(g), book.Bound.Successor), Inbound: s.inbound(ctx, g, book, w.Leads()),
		Servers: servers,
		Told:    s.told(ctx, g), People: []preflight.Person{}, Waivers: []preflight.Waiver{}, Opener: s.opener(),
	}
	out.Waivers = append(out.Waivers, s.waivers(book)...)
	if r, ok := world.Compared(obs.Memory); ok {
		out.Compared = differing(r)
	}
	for _, p := range s.cfg.People {
		out.People = append(out.People, preflight.Person{Name: p.Name, May: p.May})
	}
	out.Own, out.Next = s.standing(ctx, g.Name), s.standing(ctx, out.Successor)
	if out.Dependents, err = s.dependents(ctx, g.Name, out.Successor); err != nil {
		return nil, err
	}
	if out.Runs, out.Removed, err = s.runs(ctx, book.Bound.Gateway); err != nil {
		return nil, err
	}
	if out.Updates, err = s.updates(ctx, w, book); err != nil {
		return nil, err
	}
	if out.Held, err = s.held(ctx, book); err != nil {
		return nil, err
	}
	return out, ctx.Err()
}

// waivers are those of the configuration, each with why it is not for this pair.
func (s *site) waivers(book *runbook.Book) []preflight.Waiver {
	var out []preflight.Waiver
	for _, w := range s.cfg.Waivers {
		out = append(out, preflight.Waiver{
			ID: w.ID, Reason: w.Reason, By: w.By, Expires: w.Expires, Aside: w.Aside(book.Bound.Gateway, book.Bound.Successor),
		})
	}
	return out
}

// differing are the settings of a comparison that differ, waived or not.
func differing(r compare.Report) []preflight.Setting {
	out := []preflight.Setting{}
	for _, l := range r.Lines {
		if l.Verdict != compare.Transferred {
			out = append(out, preflight.Setting{ID: compare.Prefix + string(l.ID), Title: l.Title, Why: l.Why})
		}
	}
	return out
}

// opener is whoever opens the run, or the user of this process, as a run would
// know who opened it.
func (s *site) opener() string {
	if s.opens != "" {
		return s.opens
	}
	uid := uint32(os.Getuid())
	for _, p := range s.cfg.People {
		if p.UID == uid {
			return p.Name
		}
	}
	return fmt.Sprintf("uid %d", uid)
}

// held lists what a run would take, and another run holds. A gateway that does
// not answer, or is gone, shows as that; its name and its successor's are known.
func (s *site) held(ctx context.Context, book *runbook.Book) ([]preflight.Held, error) {
	all, err := runner.ReadLeases(ctx, s.cfg.StateDir)
	if err != nil {
		return nil, err
	}
	wanted, err := s.leases(ctx, book.Bound.Gateway, book.Bound.Successor)
	if err != nil {
		wanted = []string{"gateway/" + book.Bound.Gateway, "gateway/" + book.Bound.Successor}
	}
	held := []preflight.Held{}
	for _, l := range all {
		if slices.Contains(wanted, l.Resource) {
			held = append(held, preflight.Held{Resource: l.Resource, Run: l.Run})
		}
	}
	return held, nil
}

// runs names the runs that are open on a gateway, and the one that removed it
// last.
func (s *site) runs(ctx context.Context, name string) (open []string, last *preflight.Removal, err error) {
	all, err := runner.ReadList(ctx, s.cfg.StateDir)
	if err != nil {
		return nil, nil, err
	}
	open = []string{}
	for _, r := range all {
		if r.Closed == nil && r.Gateway == name {
			open = append(open, r.Run)
		}
	}
	if r, ok := runner.RemovedIn(all, name); ok {
		last = &preflight.Removal{Run: r.Run, Ended: *r.Closed}
	}
	return open, last, nil
}

// outbound simulates routing without the gateway: each of its address spaces
// from each origin, and each of its connected sites.
func outbound(ctx context.Context, o *organization, successor string) preflight.Outbound {
	out := preflight.Outbound{At: time.Now(), Parts: []preflight.Part{}}
	org, own, err := o.read(ctx)
	if err != nil {
		out.Err = err.Error()
		return out
	}
	if successor == "" {
		successor = "SUCCESSOR"
	}
	for _, space := range own.Spaces {
		name := space.Type + ":" + space.Pattern
		for _, c := range routing.CoverEach(org, o.name, space) {
			from := strings.TrimSuffix(c.Origin.Site+"/"+c.Origin.Location, "/")
			why := partWords(c)
			if c.Verdict == routing.Undecided && !strings.EqualFold(space.Type, "SMTP") {
				why = "routing of type " + space.Type + " is not simulated, so whether another gateway would carry it is not known"
			}
			out.Parts = append(out.Parts, preflight.Part{
				Name: name, From: from, Verdict: c.Verdict.String(), Why: why, Blackhole: c.Blackhole,
				Fix: o.carry(ctx, c, fmt.Sprintf("ims route add %s --type %s --pattern %s --cost %d --reason %s", setting.Quote(successor), setting.Quote(space.Type),
					setting.Quote(space.Pattern), space.Cost, setting.Quote("retire "+o.name))),
			})
		}
	}
	for _, site := range own.Sites {
		c := routing.CoverSite(org, o.name, site.Name)
		out.Parts = append(out.Parts, preflight.Part{
			Name: site.Name, Verdict: c.Verdict.String(), Why: partWords(c), Blackhole: c.Blackhole,
			Fix: o.carry(ctx, c, fmt.Sprintf("ims route connect %s --site %s --via %s --cost %d --reason %s", setting.Quote(successor), setting.Quote(site.Name), setting.Quote(site.RoutingAddress), site.Cost,
				setting.Quote("retire "+o.name))),
		})
	}
	return out
}

// carry is what makes other gateways carry mail: add gives one of them the
// route, but where one has it and carries nothing, no route helps.
func (o *organization) carry(ctx context.Context, c routing.Coverage, add string) string {
	if c.Blackhole == "" || o.gateways[c.Blackhole] == nil {
		return add
	}
	has := standing(ctx, o.gateways[c.Blackhole])
	if has.Err == "" {
		if fix := has.Send(o.name); fix != "" {
			return fix
		}
	}
	return "ims gateway show " + setting.Quote(c.Blackhole)
}

func partWords(c routing.Coverage) string {
	switch {
	case c.Verdict == routing.Covered:
		return "every address finds a gateway that carries it"
	case c.Verdict == routing.Undecided:
		return "it could not be decided by simulated routing"
	case c.Witness != "" && c.Blackhole != "":
		return fmt.Sprintf("mail for %s would go to %s, which carries nothing", c.Witness, c.Blackhole)
	case c.Blackhole != "":
		return fmt.Sprintf("mail would go to %s, which carries nothing", c.Blackhole)
	case c.Witness != "":
		return fmt.Sprintf("mail for %s finds no route", c.Witness)
	}
	return "no other gateway has it"
}

// dependents are the settings of each other gateway that name this one.
func (s *site) dependents(ctx context.Context, name, successor string) ([]preflight.Dependents, error) {
	mover, err := s.mover(name, successor)
	if err != nil {
		return nil, err
	}
	at, report := time.Now(), mover.Report(ctx)
	out := []preflight.Dependents{}
	for _, other := range mover.Others {
		d := preflight.Dependents{Gateway: other.Name, At: at, Names: []preflight.Naming{}}
		for _, f := range report.Findings {
			if f.Gateway == other.Name {
				d.Names = append(d.Names, preflight.Naming{What: f.String(), Fix: f.Fix, Open: strings.HasPrefix(f.Fix, "decide: ")})
			}
		}
		var unsure []string
		for _, u := range report.Unsure {
			if u.Gateway == other.Name {
				unsure = append(unsure, u.String())
			}
		}
		d.Err = strings.Join(unsure, "; ")
		out = append(out, d)
	}
	return out, nil
}
