// Package msg translates between zone.RRset and DNS messages, and asks name
// servers questions: over UDP with TCP after truncation, or over TCP only. It
// judges no answer but says what it was; RD is never set unless asked for.
//
// It imports miekg/dns for the wire format.
package msg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"

	"example.org/ims/pkg/zone"
)

// RRs makes records of r. The caller owns them: miekg/dns changes records that
// are put into an update.
func RRs(r zone.RRset) ([]dns.RR, error) {
	r = r.Canonical()
	if _, ok := dns.StringToType[r.Type]; !ok {
		return nil, fmt.Errorf("make records of %q: type %q is not known", r.Name, r.Type)
	}
	out := make([]dns.RR, 0, len(r.Data))
	for _, d := range r.Data {
		if d == "" || strings.ContainsAny(d, "\n\r") {
			return nil, fmt.Errorf("make record %s %s: data is empty or has a line break", r.Name, r.Type)
		}
		rr, err := dns.NewRR(fmt.Sprintf("%s %d IN %s %s", r.Name, r.TTL, r.Type, d))
		if err != nil {
			return nil, fmt.Errorf("make record %s %s %s: %w", r.Name, r.Type, d, err)
		}
		if rr == nil {
			return nil, fmt.Errorf("make record %s %s: no data", r.Name, r.Type)
		}
		out = append(out, rr)
	}
	return out, nil
}

// RRset picks the records of one name and type out of rrs. Its TTL is the
// smallest of theirs.
func RRset(name, typ string, rrs []dns.RR) zone.RRset {
	q := zone.NewRRset(name, typ, 0)
	var data []string
	for _, rr := range rrs {
		h := rr.Header()
		if dns.TypeToString[h.Rrtype] != q.Type || zone.CanonicalName(h.Name) != q.Name {
			continue
		}
		if len(data) == 0 || h.Ttl < q.TTL {
			q.TTL = h.Ttl
		}
		data = append(data, strings.TrimPrefix(rr.String(), h.String()))
	}
	q.Data = data
	return q.Canonical()
}

// Answer is the RRset that a reply states: its records, or an absence with the
// time it may be cached, min(SOA TTL, SOA minimum) (RFC 2308 5), 0 without SOA.
func Answer(name, typ string, m *dns.Msg) zone.RRset {
	r := RRset(name, typ, m.Answer)
	if r.Empty() {
		if soa := SOA(m.Ns); soa != nil {
			r.TTL = min(soa.Hdr.Ttl, soa.Minttl)
		}
	}
	return r
}

// SOA is the first SOA record of rrs, or nil.
func SOA(rrs []dns.RR) *dns.SOA {
	for _, rr := range rrs {
		if s, ok := rr.(*dns.SOA); ok {
			return s
		}
	}
	return nil
}

// Query is one question to one server.
type Query struct {
	Addr    string // ip:port
	Name    string
	Type    string
	TCP     bool          // do not try UDP
	Recurse bool          // set RD
	Timeout time.Duration // per exchange
}

// bufferSize is the EDNS buffer size that avoids fragments (DNS flag day 2020).
const bufferSize = 1232

// Ask asks, and asks again over TCP if the answer is truncated. It does not
// retry. An error means that there is no answer.
func Ask(ctx context.Context, q Query) (*dns.Msg, time.Duration, error) {
	typ, ok := dns.StringToType[strings.ToUpper(q.Type)]
	if !ok {
		return nil, 0, fmt.Errorf("ask %s: type %q is not known", q.Addr, q.Type)
	}
	ask := func(network string) (*dns.Msg, time.Duration, error) {
		m := new(dns.Msg)
		m.SetQuestion(zone.CanonicalName(q.Name), typ)
		m.RecursionDesired = q.Recurse
		m.SetEdns0(bufferSize, false)
		r, rtt, err := exchange(ctx, network, q, m)
		if err != nil {
			return nil, rtt, fmt.Errorf("ask %s %s %s over %s: %w", q.Addr, q.Name, q.Type, network, err)
		}
		return r, rtt, nil
	}
	if !q.TCP {
		if r, rtt, err := ask("udp"); err != nil || !r.Truncated {
			return r, rtt, err
		}
	}
	return ask("tcp")
}

func exchange(ctx context.Context, network string, q Query, m *dns.Msg) (*dns.Msg, time.Duration, error) {
	c := &dns.Client{Net: network, Timeout: q.Timeout}
	conn, err := c.DialContext(ctx, q.Addr)
	if err != nil {
		return nil, 0, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	r, rtt, err := c.ExchangeWithConnContext(ctx, m, conn)
	switch {
	case ctx.Err() != nil:
		return nil, rtt, ctx.Err()
	case err != nil:
		return nil, rtt, err
	case len(r.Question) != 1 || r.Question[0].Qtype != m.Question[0].Qtype ||
		zone.CanonicalName(r.Question[0].Name) != m.Question[0].Name:
		return nil, rtt, errors.New("reply to another question")
	}
	return r, rtt, nil
}

// WithPort adds port 53 to an address without one.
func WithPort(addr string) string {
	if _, _, err := net.SplitHostPort(addr); err == nil {
		return addr
	}
	return net.JoinHostPort(strings.Trim(addr, "[]"), "53")
}
