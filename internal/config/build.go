package config

import (
	"path/filepath"
	"strings"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/zone"
)

func (r *reader) config(doc *document) *Config {
	begin := doc.Pos
	if begin.Line == 0 {
		return nil // not even a mapping: what is wrong has been said
	}
	if v, ok := r.need(doc.APIVersion, begin, "apiVersion"); ok {
		r.one(&v, "apiVersion", "ims/v1")
	}
	if k, ok := r.need(doc.Kind, begin, "kind"); ok {
		r.one(&k, "kind", "Config")
	}
	c := &Config{File: r.file, StateDir: r.path(doc.StateDir, "state")}
	if doc.Organization == nil {
		r.add(begin, "missing", "organization is missing")
		doc.Organization = &organizationDoc{}
	} else {
		c.Organization = r.organization(doc.Organization, c.StateDir)
	}
	if len(doc.Gateways) == 0 {
		r.add(begin, "missing", "gateways is missing: there is nothing to run or to retire")
	}
	for i := range doc.Gateways {
		e := &doc.Gateways[i]
		c.Gateways = append(c.Gateways, r.gateway(e.Key, &e.Value, c.Organization))
	}
	r.clashes()
	for i := range doc.Zones {
		c.Zones = append(c.Zones, r.zone(doc.Zones[i].Key, &doc.Zones[i].Value))
	}
	r.oneZone(doc.Zones)
	c.Resolver = r.resolver(&doc.Resolver)
	c.Retire = r.retire(&doc.Retire, c)
	c.People = r.people(doc.People)
	c.Notify = r.notify(&doc.Notify)
	c.Waivers = paired(r.waivers(doc.Waivers), c.Retire.Default, c.Retire.Successor)
	r.waived(doc.Waivers, c)
	return c
}

func (r *reader) organization(o *organizationDoc, state string) Organization {
	out := Organization{
		LMTP: o.LMTP, Domains: r.domains(o.Domains, "domain"),
		Replication:   r.duration(o.Replication, 0, "replication"),
		Recalculation: r.duration(o.Recalculation, 0, "recalculation"),
		Handover:      r.duration(o.Handover, 0, "handover"),
		Socket:        r.socket(o.Socket, filepath.Join(state, "run", "gateway.sock")),
		DataDir:       r.path(o.DataDir, filepath.Join(state, "mail")),
	}
	if len(o.Domains) == 0 {
		r.add(o.Pos, "missing", "organization.domains is missing")
	}
	if h, ok := r.need(o.MailHost, o.Pos, "organization.mailhost"); ok {
		out.MailHost = r.endpoint(h, "mailhost")
	}
	for i := range o.Sites {
		out.Sites = append(out.Sites, r.site(o.Sites[i].Key, &o.Sites[i].Value))
	}
	if len(out.Sites) == 0 {
		out.Sites = []Site{{Name: "main"}}
	}
	r.homes(o)
	for _, t := range o.Recipients {
		out.Recipients = append(out.Recipients, r.recipient(t, out))
	}
	return out
}

func (r *reader) site(name text, s *siteDoc) Site {
	out := Site{Name: r.name(name, "site"), Domains: r.domains(s.Domains, "domain")}
	for _, l := range s.Locations {
		out.Locations = append(out.Locations, l.Value)
	}
	if s.Submission != nil {
		out.Submission = r.listen(*s.Submission, "submission of site "+name.Value)
	}
	return out
}

// homes requires that each domain lives in one place.
func (r *reader) homes(o *organizationDoc) {
	home := map[string]string{}
	for _, d := range o.Domains {
		if home[fold(d.Value)] != "" {
			r.add(d.Pos, "duplicate", "domain %q stands twice", d.Value)
		}
		home[fold(d.Value)] = "every site"
	}
	for _, s := range o.Sites {
		for _, d := range s.Value.Domains {
			if at := home[fold(d.Value)]; at != "" {
				r.add(d.Pos, "duplicate", "domain %q already lives at %s", d.Value, at)
			}
			home[fold(d.Value)] = "site " + s.Key.Value
		}
	}
}

// recipient is an address of one of the organization's domains.
func (r *reader) recipient(t text, o Organization) string {
	before := len(r.mistakes)
	a := r.mailbox(t, "recipient")
	if len(r.mistakes) > before {
		return a
	}
	local := o.Domains
	for _, s := range o.Sites {
		local = append(local[:len(local):len(local)], s.Domains...)
	}
	domain := a[strings.LastIndexByte(a, '@')+1:]
	r.known(text{Value: fold(domain), Pos: t.Pos}, "local domain", local)
	return a
}

// socket is the path of a Unix socket, which fits into sockaddr_un (unix(7)).
func (r *reader) socket(t *text, def string) string {
	p := r.path(t, def)
	if len(p) > 107 {
		pos := strictyaml.Pos{File: r.file, Line: 1, Col: 1}
		if t != nil {
			pos = t.Pos
		}
		r.add(pos, "socket", "the socket's path %q has %d bytes, at most 107 fit: choose a shorter socket or state_dir", p, len(p))
	}
	return p
}

func (r *reader) zone(name text, z *zoneDoc) Zone {
	out := Zone{Name: r.domain(name, "zone"), Writer: r.one(z.Writer, "writer", "rfc2136")}
	if s, ok := r.need(z.Server, z.Pos, "zones."+name.Value+".server"); ok {
		out.Server = r.ip(s, "server", 53)
	}
	if k, ok := r.need(z.KeyFile, z.Pos, "zones."+name.Value+".key_file"); ok {
		out.KeyFile = r.path(&k, "")
		r.writable(k.Pos, out.KeyFile)
	}
	for _, a := range z.Authorities {
		out.Authorities = append(out.Authorities, r.ip(a, "authority", 53))
	}
	out.Domains = r.domains(z.Domains, "domain")
	for _, d := range z.Domains {
		if !zone.IsSubdomain(d.Value, name.Value) {
			r.add(d.Pos, "zone", "domain %q is not in zone %q", d.Value, name.Value)
		}
	}
	if len(out.Domains) == 0 {
		out.Domains = []string{out.Name}
	}
	return out
}

// oneZone requires that a mail domain's records live in one zone.
func (r *reader) oneZone(zones strictyaml.Map[zoneDoc]) {
	home := map[string]string{}
	for _, z := range zones {
		list := z.Value.Domains
		if len(list) == 0 {
			list = []text{z.Key}
		}
		for _, d := range list {
			if at, taken := home[fold(d.Value)]; taken {
				r.add(d.Pos, "duplicate", "domain %q already belongs to zone %q", d.Value, at)
			}
			home[fold(d.Value)] = z.Key.Value
		}
	}
}

func (r *reader) resolver(d *resolverDoc) Resolver {
	var out Resolver
	for _, s := range d.Servers {
		out.Servers = append(out.Servers, r.ip(s, "server", 53))
	}
	if len(d.Hosts) > 0 {
		out.Hosts = map[string]string{}
	}
	for _, h := range d.Hosts {
		out.Hosts[r.domain(h.Key, "host")] = r.ip(h.Value, "address of "+h.Key.Value, 0)
	}
	return out
}
