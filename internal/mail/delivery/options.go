package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/pkg/gateway"
)

// Options make a scheduler. Resolver, Store and Hostname are required.
type Options struct {
	Hostname string // what EHLO says
	Settings gateway.Settings
	Resolver Resolver
	Store    Store
	// Dial opens a connection; nil means TCP. It is given Limits.Dial of time.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// Self reports whether a target is this service itself; see [SelfTargets].
	Self func(Target) bool
	// LMTP speaks LMTP (RFC 2033), for a mail host inside the organization.
	LMTP bool
	// StartTLS uses TLS where it is offered, without checking certificates,
	// and falls back to clear text.
	StartTLS bool
	Limits   Limits
	Log      *slog.Logger // nil discards
}

// Limits bound what the scheduler does at once. Zero fields get the defaults
// in brackets; time-outs are those of RFC 5321 section 4.5.3.2.
type Limits struct {
	Connections int           // open connections (100), unless the settings say MaxOutbound
	PerDest     int           // connections to one destination (5)
	Messages    int           // messages on one connection (100)
	Rcpts       int           // recipients in one transaction (100)
	Age         time.Duration // of a connection that still takes messages (300 s)
	Idle        time.Duration // before an unused connection is closed (5 s)
	Dial        time.Duration // to connect (30 s)
	Command     time.Duration // for a reply, and for the greeting (5 min)
	Block       time.Duration // to write one block of a message (3 min)
	Submission  time.Duration // for the reply to the final dot (10 min)
	Store       time.Duration // for the store to make results durable (30 s)
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	dur := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.Connections, 100)
	def(&l.PerDest, 5)
	def(&l.Messages, 100)
	def(&l.Rcpts, 100)
	dur(&l.Age, 300*time.Second)
	dur(&l.Idle, 5*time.Second)
	dur(&l.Dial, 30*time.Second)
	dur(&l.Command, 5*time.Minute)
	dur(&l.Block, 3*time.Minute)
	dur(&l.Submission, 10*time.Minute)
	dur(&l.Store, 30*time.Second)
	return l
}

// policy is a set of settings made ready. It does not change.
type policy struct {
	retry    []time.Duration
	timeouts gateway.Timeouts
	forward  string
	hosts    map[string]string
	sessions int // open connections, 0 means Limits.Connections
}

// newPolicy checks settings. A single zero in the retry list means no retries,
// as an empty list does (Q146669).
func newPolicy(s gateway.Settings) (policy, error) {
	p := policy{timeouts: s.Timeouts, forward: strings.TrimSpace(s.ForwardHost), hosts: map[string]string{}, sessions: s.MaxOutbound}
	if len(s.Retry) != 1 || s.Retry[0] != 0 {
		p.retry = append(p.retry, s.Retry...)
	}
	for _, d := range p.retry {
		if d <= 0 {
			return policy{}, fmt.Errorf("check retry list %v: %v is not positive", s.Retry, d)
		}
	}
	for _, d := range []time.Duration{s.Timeouts.Urgent, s.Timeouts.Normal, s.Timeouts.NonUrgent, s.Timeouts.Report} {
		if d < 0 {
			return policy{}, fmt.Errorf("check time-outs %+v: %v is negative", s.Timeouts, d)
		}
	}
	for domain, host := range s.ETRN {
		if host != "" { // else as any other domain
			p.hosts[strings.ToLower(domain)] = host
		}
	}
	for domain, host := range s.DomainHosts {
		key := strings.TrimPrefix(strings.ToLower(strings.TrimSpace(domain)), "*.")
		if key == "" {
			return policy{}, errors.New("check per-domain hosts: empty domain")
		}
		p.hosts[key] = strings.TrimSpace(host)
	}
	return p, nil
}

// interval is the time to wait after the given number of attempts; the last
// value of the list repeats. ok is false when there are no retries.
func (p policy) interval(attempts int) (d time.Duration, ok bool) {
	if len(p.retry) == 0 {
		return 0, false
	}
	return p.retry[min(max(attempts, 1), len(p.retry))-1], true
}

// shortest is the shortest interval, 0 without retries.
func (p policy) shortest() time.Duration {
	var d time.Duration
	for _, r := range p.retry {
		if d == 0 || r < d {
			d = r
		}
	}
	return d
}

// expires is when an entry's time-out passes.
func (p policy) expires(e *mail.Entry) time.Time {
	return e.Accepted.Add(e.Class.Timeout(p.timeouts))
}

// hop is where a destination's mail goes: a domain to look up, or a fixed
// host. It names a queue.
type hop struct {
	host    string
	forward bool
}

// FixedHost makes of a host, with or without a port, an Entry.Dest that is
// delivered to that host and not looked up as a domain: in brackets, a name
// as it is, an address with its port.
func FixedHost(host string) string {
	port := ""
	if h, p, err := net.SplitHostPort(host); err == nil {
		host, port = h, ":"+p
	}
	host = strings.Trim(host, "[]")
	if _, err := netip.ParseAddr(host); err == nil {
		port = cmp.Or(port, ":25") // without one it would be an address literal
	}
	return "[" + strings.ToLower(host) + "]" + port
}

// fixed reports whether a destination was made by FixedHost. An address literal
// (RFC 5321 section 4.1.3) is a domain.
func fixed(dest string) bool {
	name, bracket := strings.CutPrefix(dest, "[")
	if !bracket {
		return false
	}
	name, whole := strings.CutSuffix(name, "]")
	_, err := netip.ParseAddr(strings.TrimPrefix(name, "ipv6:"))
	return !whole || err != nil
}

// hopOf finds the hop of a destination: a fixed host; the host of the longest
// listed domain it equals or lies under (Q259531), an empty host there meaning
// DNS; else the forward host; else DNS.
func (p policy) hopOf(dest string) hop {
	dest = strings.ToLower(dest)
	if fixed(dest) {
		return hop{host: dest, forward: true}
	}
	for d := dest; d != ""; {
		if host, ok := p.hosts[d]; ok {
			if host == "" {
				return hop{host: dest}
			}
			return hop{host: strings.ToLower(host), forward: true}
		}
		_, d, _ = strings.Cut(d, ".")
	}
	if p.forward != "" {
		return hop{host: strings.ToLower(p.forward), forward: true}
	}
	return hop{host: dest}
}
