package service

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/address"
	"example.org/ims/internal/mail/delivery"
	"example.org/ims/internal/mail/smtpd"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// reception answers the Internet. It takes mail for the organization's
// recipients, for domains that are rerouted, and for anybody from hosts that may
// relay, in the modes that accept. In the others it refuses for now, never for
// good: a 5xx would make the sender return mail that the next mail exchanger
// takes.
type reception struct {
	g  *Gateway
	rt *runtime
}

var _ smtpd.Handler = (*reception)(nil)

// notTaking is the refusal of a gateway that does not accept.
func notTaking(code int) *smtpd.Reply {
	return smtpd.Refuse(code, "4.3.2", "this host is not accepting messages, try the next mail exchanger")
}

// Connect implements smtpd.Handler.
func (r *reception) Connect(_ context.Context, p smtpd.Peer) (smtpd.Session, *smtpd.Reply) {
	host := r.g.clients.connect(p)
	set := r.rt.settings()
	if r.rt.paused.Load() || !accepts(set.Mode) && set.Refuse == gateway.RefuseConnect {
		return nil, notTaking(421)
	}
	if accepts(set.Mode) && !set.Admits(p.Addr.Addr()) {
		return nil, smtpd.Refuse(521, "5.7.1", r.g.record().File.Hostname+" access denied") // Q155920; RFC 7504
	}
	return &receiving{reception: r, host: host, client: p.Addr.Addr()}, nil
}

// receiving is one connection from the Internet.
type receiving struct {
	*reception
	envelope
	host   string // key of the client log
	client netip.Addr
	probe  bool // a probe of ims, which is no client
}

var (
	_ smtpd.Session  = (*receiving)(nil)
	_ smtpd.Dequeuer = (*receiving)(nil)
)

// Mail implements smtpd.Session.
func (s *receiving) Mail(_ context.Context, from address.Mailbox, o smtpd.MailOptions) *smtpd.Reply {
	s.probe = strings.HasPrefix(o.Peer.Helo, gateway.ProbeHelo)
	if !s.probe {
		s.g.clients.mail(s.host, o.Peer.Helo, from.String())
	}
	if no := s.g.o.full(); no != nil {
		return no
	}
	s.envelope = begin(from, o)
	return nil
}

// Rcpt implements smtpd.Session.
func (s *receiving) Rcpt(_ context.Context, to address.Mailbox, o smtpd.RcptOptions) *smtpd.Reply {
	to = s.g.o.who.complete(to)
	set := s.rt.settings()
	bad := s.judge(set, to)
	if !accepts(set.Mode) {
		if bad == nil && !s.probe && set.Admits(s.client) { // nobody waits for a host that may not connect
			s.g.clients.deferred(s.host)
		}
		if s.g.faults.refuse550.Load() {
			return smtpd.Refuse(550, "5.3.2", "this host does not accept messages")
		}
		return notTaking(450)
	}
	if bad != nil {
		s.g.clients.rejected(s.host)
		return bad
	}
	if !s.probe {
		s.g.clients.valid(s.host)
	}
	if s.g.outwards(set, to.String()) != "" && !delivers(set.Mode) {
		return notTaking(450) // it could not leave
	}
	s.add(to, o)
	return nil
}

// judge says why mail from this client to an address is refused, or nil.
func (s *receiving) judge(set gateway.Settings, to address.Mailbox) *smtpd.Reply {
	bad := s.g.o.who.judge(to)
	if bad == nil || s.g.o.who.local(to.String()) || set.Reroutes(to.Domain) == "" && !set.Relays(s.client) {
		return bad
	}
	return nil
}

// outwards is where the gateway sends mail that came from the Internet on to,
// as Entry.Dest: the host of a rerouted domain, or the domain of a foreign
// address, which only a host that may relay can have named. It is "" for mail
// of the organization.
func (g *Gateway) outwards(set gateway.Settings, addr string) string {
	to := set.Reroutes(domainOf(addr))
	switch {
	case to != "" && to != gateway.Inbound:
		return delivery.FixedHost(to)
	case to == gateway.Inbound, g.o.who.local(addr):
		return ""
	}
	return domainOf(addr)
}

// Dequeue implements smtpd.Dequeuer, for the domains that are sent on demand.
// Anybody may ask: what is sent goes to the domain's own host (RFC 1985 section
// 6). Between demands the mail is tried and expires as any other; that it waited
// for ever (Q184051) is not imitated.
func (s *receiving) Dequeue(_ context.Context, node string, below bool) (int, *smtpd.Reply) {
	set := s.rt.settings()
	switch {
	case !set.Dequeues(node):
		return 0, smtpd.Refuse(459, "4.7.1", "node is not sent on demand")
	case !delivers(set.Mode):
		return 0, smtpd.Refuse(458, "4.3.2", "nothing is sent in this mode")
	}
	return s.rt.out.Dequeue(node, below), nil
}

// Data implements smtpd.Session.
func (s *receiving) Data(_ context.Context, b *smtpd.Body) (string, *smtpd.Reply) {
	if !accepts(s.rt.settings().Mode) { // it changed since RCPT
		return "", notTaking(450)
	}
	d, _, no := s.g.o.receive(&s.envelope, b, s.g.record().File.Hostname)
	if no != nil {
		return "", no
	}
	defer d.Abort()
	now := time.Now()
	e := s.entry(d, b)
	e.ID, e.Gateway, e.Store, e.Inbound, e.Accepted, e.Since = mail.NewID(now), s.g.name, gateway.In, true, now, now
	var tx spool.Tx
	tx.Accept(d)
	tx.Put(e)
	ev := event(&e, ledger.Accepted, addresses(e.Rcpts))
	ev.Peer = s.host
	tx.Track(ev)
	if err := s.g.o.spool.Commit(&tx); err != nil {
		return "", s.g.o.notStored(err)
	}
	s.g.accepted.Add(1)
	s.g.clients.accepted(s.host)
	s.rt.inbound.ring()
	return string(d.Body), nil
}

// Close implements smtpd.Session.
func (s *receiving) Close() {}
