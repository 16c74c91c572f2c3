package preflight

import (
	"regexp"
	"strings"
)

// subject is what a permanent refusal of a recipient is about.
type subject uint8

const (
	ofSomething subject = iota // policy, relaying, a host that is shut, or it does not say
	ofMailbox                  // there is no such mailbox
	ofDomain                   // mail for the domain is not taken here at all
)

// codes are the reply code and the enhanced status code that a reply begins
// with (RFC 5321 section 4.2, RFC 3463).
var codes = regexp.MustCompile(`^(5\d\d)(?:[ -](5\.\d{1,3}\.\d{1,3})\b)?`)

// about says what a permanent refusal speaks of. Without an enhanced status
// code, 550 may be about policy as well as about the mailbox (RFC 5321 section
// 4.2.3), so it says neither.
func (a Answer) about() subject {
	m := codes.FindStringSubmatch(a.Words)
	if a.Reply != permanent || m == nil {
		return ofSomething
	}
	switch m[2] {
	case "5.1.1", "5.1.3", "5.1.6": // RFC 3463 section 3.2
		return ofMailbox
	case "5.1.2", "5.1.10": // RFC 3463 section 3.2, RFC 7505 section 4.2
		return ofDomain
	case "":
	default:
		return ofSomething
	}
	switch m[1] {
	case "551", "553": // RFC 5321 section 4.2.2
		return ofMailbox
	case "556": // RFC 7504 section 2
		return ofDomain
	}
	return ofSomething
}

// strangers reports whether what a listener says to a random recipient tells
// how it treats recipients that do not exist: it takes others of the domain, or
// says that there is no such mailbox.
func (a Answers) strangers() bool {
	return a.Random.Reply == accepts || a.Known.Reply == accepts || a.Random.about() == ofMailbox
}

// None reports whether a listener takes no mail for a domain: it says so to a
// known recipient and to a random one, and not because there is no such mailbox.
func (a Answers) None() bool {
	no := func(x Answer) bool { return x.Reply != "" && x.Reply != accepts && x.about() != ofMailbox }
	return no(a.Known) && no(a.Random)
}

// named is what to do if the recipient that was asked about is not known to
// exist.
func (d *Domain) named() string {
	return "add a recipient of " + strings.TrimPrefix(d.Name, "*.") + " that exists to organization.recipients of ims.yaml, or waive this if nobody has an address there"
}
