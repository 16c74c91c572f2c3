package service

import (
	"strings"

	"example.org/ims/internal/mail/address"
	"example.org/ims/internal/mail/smtpd"
)

// directory knows the organization's domains and recipients. It does not
// change.
type directory struct {
	domains map[string]bool
	known   map[string]bool // lower-cased addresses; empty means everybody
	first   string          // domain of the postmaster without one
}

func newDirectory(c Config) *directory {
	d := &directory{domains: map[string]bool{}, known: map[string]bool{}}
	for _, name := range c.Domains {
		d.domains[strings.ToLower(name)] = true
	}
	for _, s := range c.Sites {
		for _, name := range s.Domains {
			d.domains[strings.ToLower(name)] = true
		}
	}
	for _, r := range c.Recipients {
		d.known[strings.ToLower(r)] = true
	}
	if len(c.Domains) > 0 {
		d.first = strings.ToLower(c.Domains[0])
	}
	return d
}

// local reports whether an address belongs to the organization.
func (d *directory) local(addr string) bool {
	_, domain, ok := cutLast(addr)
	return ok && d.domains[strings.ToLower(domain)]
}

// complete gives the postmaster without a domain the organization's first one
// (RFC 5321 section 4.5.1).
func (d *directory) complete(to address.Mailbox) address.Mailbox {
	if to.Domain == "" && to.IsPostmaster() {
		to.Domain = d.first
	}
	return to
}

// judge says why mail from the Internet to an address is refused, or nil.
func (d *directory) judge(to address.Mailbox) *smtpd.Reply {
	switch {
	case !d.domains[strings.ToLower(to.Domain)]:
		return smtpd.Refuse(550, "5.7.1", "relaying is prohibited")
	case len(d.known) == 0 || to.IsPostmaster() || d.known[strings.ToLower(to.String())]:
		return nil
	}
	return smtpd.Refuse(550, "5.1.1", "no such user here")
}

// cutLast splits an address at its last at sign.
func cutLast(addr string) (local, domain string, ok bool) {
	i := strings.LastIndexByte(addr, '@')
	if i < 0 {
		return addr, "", false
	}
	return addr[:i], addr[i+1:], true
}

// domainOf is the lower-cased domain of an address.
func domainOf(addr string) string {
	_, d, _ := cutLast(addr)
	return strings.ToLower(d)
}
