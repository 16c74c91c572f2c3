package service

import (
	"context"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/address"
	"example.org/ims/internal/mail/smtpd"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// siteDest marks, in the MTA's own stores, the site of origin in Entry.Dest.
const siteDest = "site:"

// submission answers a site's users. It takes mail to anybody: whoever may
// connect to the listener may send, so it belongs on an inside address.
type submission struct {
	o    *Organization
	site Site
}

var _ smtpd.Handler = (*submission)(nil)

// Connect implements smtpd.Handler.
func (s *submission) Connect(context.Context, smtpd.Peer) (smtpd.Session, *smtpd.Reply) {
	return &submitting{submission: s}, nil
}

// submitting is one user's connection.
type submitting struct {
	*submission
	envelope
}

var _ smtpd.Session = (*submitting)(nil)

// Mail implements smtpd.Session.
func (s *submitting) Mail(_ context.Context, from address.Mailbox, o smtpd.MailOptions) *smtpd.Reply {
	if no := s.o.full(); no != nil {
		return no
	}
	s.envelope = begin(from, o)
	return nil
}

// Rcpt implements smtpd.Session. An unknown local part is the mail host's to
// refuse, an address without a route the MTA's to report.
func (s *submitting) Rcpt(_ context.Context, to address.Mailbox, o smtpd.RcptOptions) *smtpd.Reply {
	s.add(s.o.who.complete(to), o)
	return nil
}

// Data implements smtpd.Session.
func (s *submitting) Data(_ context.Context, b *smtpd.Body) (string, *smtpd.Reply) {
	d, head, no := s.o.receive(&s.envelope, b, s.o.cfg.Hostname)
	if no != nil {
		return "", no
	}
	defer d.Abort()
	e := s.entry(d, b)
	now := time.Now()
	e.ID, e.Store, e.Dest, e.Class = mail.NewID(now), gateway.MTA, siteDest+s.site.Name, classOf(head)
	e.Accepted, e.Since = now, now
	var tx spool.Tx
	tx.Accept(d)
	tx.Put(e)
	ev := event(&e, ledger.Accepted, addresses(e.Rcpts))
	ev.Peer = s.peer.Addr.Addr().String()
	tx.Track(ev)
	if err := s.o.spool.Commit(&tx); err != nil {
		return "", s.o.notStored(err)
	}
	s.o.mta.route.ring()
	return string(d.Body), nil
}

// Close implements smtpd.Session.
func (s *submitting) Close() {}
