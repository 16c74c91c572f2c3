package service

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/address"
	"example.org/ims/internal/mail/smtpd"
	"example.org/ims/internal/mail/spool"
)

// maxHead is how much of a message is looked at for its priority.
const maxHead = 64 << 10

// envelope is an SMTP transaction under way.
type envelope struct {
	peer  smtpd.Peer
	from  string
	opts  smtpd.MailOptions
	rcpts []mail.Rcpt
}

// begin starts a transaction.
func begin(from address.Mailbox, o smtpd.MailOptions) envelope {
	return envelope{peer: o.Peer, from: from.String(), opts: o}
}

// add adds a recipient once.
func (v *envelope) add(to address.Mailbox, o smtpd.RcptOptions) {
	addr := to.String()
	for _, r := range v.rcpts {
		if r.Addr == addr {
			return
		}
	}
	v.rcpts = append(v.rcpts, mail.Rcpt{Addr: addr, ORcpt: o.ORcpt, Notify: o.Notify})
}

// entry is the transaction's message as a queue entry, without its place.
func (v *envelope) entry(d *spool.Draft, b *smtpd.Body) mail.Entry {
	return mail.Entry{
		Message: d.Body, From: v.from, Rcpts: v.rcpts, Size: d.Size(), EnvID: v.opts.EnvID,
		RetFull: v.opts.RetFull, EightBit: b.EightBit(), Hops: b.Hops(),
	}
}

// full is the refusal of new mail while the spool takes none, or nil.
func (o *Organization) full() *smtpd.Reply {
	if why := o.spool.Unhealthy(); why != "" {
		o.log.Warn("no mail is taken", "why", why)
		return smtpd.Refuse(452, "4.3.1", "out of storage, try again later")
	}
	return nil
}

// receive reads a message into a draft, behind our trace field. head is the
// beginning of the message as it was sent.
func (o *Organization) receive(v *envelope, b *smtpd.Body, host string) (d *spool.Draft, head []byte, no *smtpd.Reply) {
	d = o.spool.Begin()
	t := smtpd.Trace{Peer: v.peer, By: host, ID: string(d.Body), At: time.Now()}
	if len(v.rcpts) == 1 {
		t.For = v.rcpts[0].Addr
	}
	tap := &headTap{}
	_, err := d.Write(t.Bytes())
	if err == nil {
		_, err = io.Copy(d, io.TeeReader(b, tap))
	}
	if err != nil {
		d.Abort()
		return nil, nil, o.notStored(err)
	}
	return d, tap.buf, nil
}

// notStored is the reply to a message that is not in the spool.
func (o *Organization) notStored(err error) *smtpd.Reply {
	o.log.Error("message is not accepted", "err", err)
	if errors.Is(err, spool.ErrUnhealthy) {
		return smtpd.Refuse(452, "4.3.1", "out of storage, try again later")
	}
	return smtpd.Refuse(451, "4.3.0", "cannot store the message, try again later")
}

// headTap keeps the first bytes of what is written.
type headTap struct{ buf []byte }

func (t *headTap) Write(p []byte) (int, error) {
	if room := maxHead - len(t.buf); room > 0 {
		t.buf = append(t.buf, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

// classOf reads a message's priority from its header: Priority (RFC 2156)
// before Importance, before X-Priority; the envelope's word counts more than
// the author's (Q166587).
func classOf(head []byte) mail.Class {
	best, class := 3, mail.Normal
	for line := range bytes.Lines(head) {
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			break
		}
		name, value, ok := strings.Cut(text, ":")
		if !ok {
			continue
		}
		rank, words := 3, map[string]mail.Class(nil)
		switch strings.ToLower(strings.TrimRight(name, " \t")) {
		case "priority":
			rank, words = 0, map[string]mail.Class{"urgent": mail.Urgent, "normal": mail.Normal, "non-urgent": mail.NonUrgent}
		case "importance":
			rank, words = 1, map[string]mail.Class{"high": mail.Urgent, "normal": mail.Normal, "low": mail.NonUrgent}
		case "x-priority":
			rank, words = 2, map[string]mail.Class{
				"1": mail.Urgent, "2": mail.Urgent, "3": mail.Normal, "4": mail.NonUrgent, "5": mail.NonUrgent,
			}
		}
		word, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(value)), " ")
		if c, ok := words[word]; ok && rank < best {
			best, class = rank, c
		}
	}
	return class
}
