package dependents

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"example.org/ims/internal/setting"
	"example.org/ims/pkg/gateway"
)

// Find looks through the configurations of other gateways for what names t.
// With a successor each finding's Fix names it. others are the gateways of the
// configurations, as targets: an address that one of them shares with t names t
// only with its port.
func Find(ctx context.Context, t Target, next *Heir, others []Target, configs []gateway.Config, look Lookup) Report {
	r := Report{Findings: []Finding{}, Unsure: []Unsure{}}
	id := identify(t, others, look)
	for _, c := range configs {
		if c.Name == t.Name || !c.Exists {
			continue
		}
		s := search{ctx: ctx, id: id, c: c, report: &r}
		s.all(t, next)
	}
	return r
}

// search looks through one configuration.
type search struct {
	ctx    context.Context
	id     *identity
	c      gateway.Config
	report *Report
	hits   []hit
}

type hit struct {
	mention
	state State
	why   string
}

func (s *search) all(t Target, next *Heir) {
	s.each(mentions(s.c.Stored), Stored)
	s.each(siteMentions(s.c.Sites), Stored)
	if s.c.Running {
		s.each(mentions(s.c.Effective), Effective)
		s.cached()
	}
	plan := rewrite(t, next, s.c, s.hits)
	for _, h := range s.hits {
		s.report.Findings = append(s.report.Findings, Finding{
			Gateway: s.c.Name, Setting: h.setting, Key: h.key, Value: h.value, State: h.state, Why: h.why,
			Since: s.since(h.state), Fix: plan.fix(h),
		})
	}
}

// each notes the mentions that name the gateway, each in its first state only.
func (s *search) each(list []mention, state State) {
	for _, m := range list {
		if slices.ContainsFunc(s.hits, func(h hit) bool { return h.mention == m }) {
			continue
		}
		switch why, err := s.id.names(s.ctx, m); {
		case err != nil:
			u := Unsure{Gateway: s.c.Name, Setting: m.setting, Value: m.value, Why: err.Error()}
			if !slices.Contains(s.report.Unsure, u) {
				s.report.Unsure = append(s.report.Unsure, u)
			}
		case why != "":
			s.hits = append(s.hits, hit{m, state, why})
		}
	}
}

// cached notes the names that the gateway looked up when they led to t.
func (s *search) cached() {
	if len(s.c.Resolved) == 0 {
		return
	}
	s.id.resolve(s.ctx)
	for _, m := range mentions(s.c.Effective) {
		host, port := splitHost(m.value)
		found, ok := s.c.Resolved[host]
		if !ok || slices.ContainsFunc(s.hits, func(h hit) bool { return h.mention == m }) {
			continue
		}
		if why, err := s.id.leads(slices.Clone(found), port); err == nil && why != "" {
			s.hits = append(s.hits, hit{m, Cached, why})
		}
	}
}

func (s *search) since(state State) time.Time {
	if state == Stored {
		return s.c.ChangedAt
	}
	return s.c.StartedAt
}

// fix is the command that makes a hit go away.
func (p plan) fix(h hit) string {
	if h.state != Stored {
		return fmt.Sprintf("ims gateway restart %s --reason %s", setting.Quote(p.gateway), setting.Quote(reason))
	}
	for _, o := range p.open {
		if o.mention == h.mention {
			return "decide: " + o.why
		}
	}
	if h.setting != Site {
		return setting.Command(p.gateway, p.settings, []setting.ID{h.setting}, reason)
	}
	i := slices.IndexFunc(p.sites, func(s gateway.Site) bool { return s.Name == h.key })
	return fmt.Sprintf("ims route connect %s --site %s --via %s --cost %d --reason %s",
		setting.Quote(p.gateway), setting.Quote(h.key), p.sites[i].RoutingAddress, p.sites[i].Cost, setting.Quote(reason))
}

// reason is the step that asks for these changes.
const reason = "eleven-steps.2"

// single is an address as a network.
func single(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }
