package wire

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/config"
	"example.org/ims/internal/mail/probe"
	"example.org/ims/internal/preflight"
	"example.org/ims/internal/world"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
	"example.org/ims/pkg/runbook"
)

// Where a domain is known from.
const (
	fromConfiguration = "configuration"
	fromLog           = "log"
	fromMX            = "mx"
	fromAddress       = "address"      // of its own name, which has no MX (RFC 5321 5.1)
	fromReroute       = "reroute"      // a table of the gateway: mail from the Internet for these it takes
	fromHosts         = "domain-hosts" // where mail goes out
	fromETRN          = "etrn"         // where mail goes out once somebody asks for it (RFC 1985)
)

// inbound asks the gateway and its successor about every domain that the
// gateway takes mail for: by the configuration, by its log, and by MX.
func (s *site) inbound(ctx context.Context, g config.Gateway, book *runbook.Book, leads *world.Leads) preflight.Inbound {
	next, _ := s.cfg.Gateway(book.Bound.Successor)
	in := preflight.Inbound{
		At: time.Now(), Fix: "add DOMAIN to organization.domains of the configuration, and restart ims gateway run",
		Old: preflight.Host{Name: g.Hostname, Address: g.Listen}, New: preflight.Host{Name: next.Hostname, Address: next.Listen},
		List: []preflight.Domain{},
	}
	list := newDomainList(s)
	for _, d := range book.Bound.Domains {
		list.at(d, fromConfiguration)
	}
	list.tables(s.settings(ctx, g), g.Name, book.Bound.Successor)
	if err := list.log(ctx, s.gateway(g.Name), g.Name); err != nil {
		in.Log = err.Error()
	}
	in.MX = list.mx(ctx, g, leads)
	in.Named = published(leads.Successor(ctx))
	in.List = list.sorted()
	p := &probe.Prober{Helo: thisHost()}
	bare(ctx, p, &in)
	if next.Name == "" {
		return in
	}
	asked := in.List
	if n := slices.IndexFunc(asked, func(d preflight.Domain) bool { return d.Outward }); n >= 0 {
		asked = asked[:n]
	}
	askHost(ctx, p, &in.Old, asked, func(d *preflight.Domain) *preflight.Answers { return &d.Old })
	askHost(ctx, p, &in.New, asked, func(d *preflight.Domain) *preflight.Answers { return &d.New })
	s.configuredSize(ctx, next.Name, &in.New)
	return in
}

// settings are those of a gateway now, or with which it began if it does not
// answer.
func (s *site) settings(ctx context.Context, g config.Gateway) gateway.Settings {
	if c, err := s.gateway(g.Name).Config(ctx); err == nil && c.Exists { // an error is in gw.exists
		return c.Stored
	}
	return g.Settings
}

// configuredSize asks a gateway for its limit if its listener declares none:
// the keyword SIZE alone says nothing (RFC 1870 section 4).
func (s *site) configuredSize(ctx context.Context, name string, h *preflight.Host) {
	if h.SizeKnown || h.Closed || h.Err != "" {
		return
	}
	if c, err := s.gateway(name).Config(ctx); err == nil && c.Running { // an error leaves it unknown
		h.SizeKnown, h.Size = true, c.Effective.MaxSize
	}
}

func thisHost() string {
	host, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return host
}

// domainList collects domains, by name.
type domainList struct {
	s       *site
	found   map[string]*preflight.Domain
	guessed map[string]bool // no recipient of it is configured
}

func newDomainList(s *site) *domainList {
	return &domainList{s: s, found: map[string]*preflight.Domain{}, guessed: map[string]bool{}}
}

// at finds a domain, or adds it, with where it is known from.
func (l *domainList) at(name, from string) *preflight.Domain {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	d := l.found[name]
	if d == nil {
		at := strings.Replace(name, "*.", "ims-probe.", 1) // a wildcard stands for any name
		d = &preflight.Domain{Name: name, Rcpt: l.s.recipient(at), Random: "ims-probe-" + strings.ToLower(rand.Text()) + "@" + at}
		l.found[name], l.guessed[name] = d, d.Rcpt == "postmaster@"+at
	}
	if !slices.Contains(d.From, from) {
		d.From = append(d.From, from)
	}
	return d
}

// tables adds the domains that tables of the gateway name. Mail from the Internet
// is taken for those of the reroute table; the others say where mail goes out,
// and count if the gateway takes mail for them, too.
func (l *domainList) tables(t gateway.Settings, name, successor string) {
	for d := range t.Reroute {
		one := l.at(strings.TrimPrefix(d, "#"), fromReroute)
		if slices.Contains(one.From, fromConfiguration) {
			continue
		}
		one.Fix = "ims compare " + name + " " + successor // which has the command that gives it the entry
	}
	for from, table := range map[string]map[string]string{fromHosts: t.DomainHosts, fromETRN: t.ETRN} {
		for d := range table {
			d = strings.ToLower(strings.TrimPrefix(d, "*."))
			one := l.at(d, from)
			one.Outward = !slices.Contains(one.From, fromConfiguration) && t.Reroutes(d) == ""
		}
	}
}

// log reads from the tracking log what the gateway took from outside. The last
// recipient that it took is better known than a guess.
func (l *domainList) log(ctx context.Context, g gateway.Gateway, name string) error {
	t, ok := g.(gateway.Tracker)
	if !ok {
		return fmt.Errorf("the adapter of gateway %q has no tracking log", name)
	}
	const batch = 5000
	for after := uint64(0); ; {
		events, err := t.Track(ctx, after, batch)
		if err != nil {
			return fmt.Errorf("read the tracking log: %w", err)
		}
		for i := range events {
			e := &events[i]
			after = e.Seq
			if e.Kind != ledger.Accepted || !e.Inbound || e.Gateway != name {
				continue
			}
			for _, rcpt := range e.Rcpts {
				at := strings.LastIndexByte(rcpt, '@')
				if at < 0 {
					continue
				}
				d := l.at(rcpt[at+1:], fromLog)
				d.Messages++
				d.Largest = max(d.Largest, e.Size)
				if l.guessed[d.Name] {
					d.Rcpt = rcpt
				}
			}
		}
		if len(events) < batch {
			return nil
		}
	}
}

// sorted are the domains, those that are only for mail that goes out last: what
// the gateway has taken mail for, or an MX leads here for, is not.
func (l *domainList) sorted() []preflight.Domain {
	out := []preflight.Domain{}
	for _, name := range slices.Sorted(maps.Keys(l.found)) {
		d := *l.found[name]
		slices.Sort(d.From)
		if slices.Contains(d.From, fromLog) || slices.Contains(d.From, fromMX) {
			d.Outward = false
		}
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(a, b preflight.Domain) int { return cmp.Compare(last(a), last(b)) })
	return out
}

func last(d preflight.Domain) int {
	if d.Outward {
		return 1
	}
	return 0
}

// perTalk is how many domains are asked about in one conversation: each has two
// recipients, and a listener may bear with few that it does not know.
const perTalk = 5

// askHost asks one listener about itself and about every domain.
func askHost(ctx context.Context, p *probe.Prober, h *preflight.Host, list []preflight.Domain, answers func(*preflight.Domain) *preflight.Answers) {
	cut := ""
	for begin := 0; begin < len(list); begin += perTalk {
		part := list[begin:min(begin+perTalk, len(list))]
		var rcpts []string
		for i := range part {
			rcpts = append(rcpts, part[i].Rcpt, part[i].Random)
		}
		r, err := p.Reception(ctx, h.Address, rcpts)
		if err != nil {
			h.Err = err.Error()
			return
		}
		h.Closed, h.SizeKnown, h.Size, h.TLS.Offered = r.Closed, r.SizeKnown, r.Size, r.StartTLS
		if r.Refused.Words != "" {
			cut = fmt.Sprintf("it ends the conversation with %q", r.Refused.Words)
			if r.Refused.Value == facts.ReplyPermanent {
				h.Rejects = r.Refused.Words
			}
		}
		for i := range part {
			a := answers(&part[i])
			a.Known, a.Random = answer(r, 2*i), answer(r, 2*i+1)
		}
	}
	if !h.TLS.Offered { // and if the conversation did not begin, nobody knows
		h.TLS.Err = cut
		return
	}
	c, err := p.Certificate(ctx, h.Address, h.Name)
	h.TLS = preflight.Certificate{Offered: true, Failed: c.Failed, Covers: c.Covers, Why: c.Why, NotBefore: c.NotBefore, NotAfter: c.NotAfter}
	if err != nil {
		h.TLS.Err = err.Error()
	}
}

func answer(r probe.Reception, i int) preflight.Answer {
	switch {
	case r.Closed:
		return preflight.Answer{Reply: facts.GwReply.Format(facts.ReplyClosed), Words: "connection refused"}
	case i < len(r.Replies):
		return preflight.Answer{Reply: facts.GwReply.Format(r.Replies[i].Value), Words: r.Replies[i].Words}
	case r.Refused.Words != "":
		return preflight.Answer{Reply: facts.GwReply.Format(r.Refused.Value), Words: r.Refused.Words}
	}
	return preflight.Answer{Words: "the conversation ended before it was asked"}
}
