package service

import (
	"errors"
	"fmt"
	"io"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/delivery"
	"example.org/ims/internal/mail/dsn"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// failures are outcomes for recipients that this host itself gives up, with an
// enhanced status code (RFC 3463) and words.
func failures(rcpts []mail.Rcpt, status, words string) []delivery.Outcome {
	outs := make([]delivery.Outcome, len(rcpts))
	for i, r := range rcpts {
		outs[i] = delivery.Outcome{Rcpt: r.Addr, Kind: delivery.Failed, Permanent: true, Status: status, Reply: words}
	}
	return outs
}

// giveUp adds to tx that recipients of an entry failed, with outs aligned, and
// the report that tells the sender, if one may be sent. A report that fails is
// absorbed, never reported on (RFC 3464 section 2, event 1018). news gets the
// report's entry.
func (o *Organization) giveUp(tx *spool.Tx, e mail.Entry, rcpts []mail.Rcpt, outs []delivery.Outcome, actor string, news *[]mail.Entry) error {
	var told []int
	for i, r := range rcpts {
		ok, why := dsn.ShouldReport(e.From, r.Notify, e.Class, dsn.Failed)
		if ok {
			told = append(told, i)
			continue
		}
		ev := event(&e, ledger.Absorbed, []string{r.Addr})
		ev.Peer, ev.Reason, ev.Actor = outs[i].Remote, why+": "+reasonOf(outs[i]), actor
		tx.Track(ev)
	}
	if len(told) == 0 {
		return nil
	}
	lines := make([]dsn.Recipient, len(told))
	for n, i := range told {
		lines[n] = line(&e, rcpts[i], outs[i], dsn.Failed)
	}
	id, err := o.sendReport(tx, e, lines, news)
	if err != nil {
		return err
	}
	for _, i := range told {
		ev := event(&e, ledger.Failed, []string{rcpts[i].Addr})
		ev.Peer, ev.Reason, ev.Actor, ev.Report = outs[i].Remote, reasonOf(outs[i]), actor, string(id)
		tx.Track(ev)
	}
	return nil
}

func reasonOf(o delivery.Outcome) string {
	if o.Expired {
		return "expired: " + o.Reply
	}
	return o.Reply
}

// line is one recipient of a report.
func line(e *mail.Entry, r mail.Rcpt, o delivery.Outcome, a dsn.Action) dsn.Recipient {
	d := dsn.Recipient{
		Final: r.Addr, Original: r.ORcpt, Action: a, Status: o.Status, Diagnostic: o.Reply,
		Remote: o.Remote, LastAttempt: e.Tried,
	}
	switch {
	case a == dsn.Relayed:
		d.Why = "The next host took the message and sends no reports itself."
	case o.Expired:
		d.Why = "It could not be delivered in time and was given up."
	case o.Permanent:
		d.Why = "It cannot be delivered."
	default:
		d.Why = "It was given up."
	}
	return d
}

// sendReport adds a report to tx. To a local sender it goes by way of the mail
// host. To anybody else it goes into this gateway's own mts-out, whatever its
// mode and its address spaces (Q266205); the MTA routes its own.
func (o *Organization) sendReport(tx *spool.Tx, e mail.Entry, lines []dsn.Recipient, news *[]mail.Entry) (mail.ID, error) {
	original, err := o.original(e.Message)
	if err != nil {
		return "", err
	}
	now := time.Now()
	d := o.spool.Begin()
	_, err = d.Write(dsn.Build(dsn.Report{
		ID: d.Body, Host: o.hostOf(e.Gateway), To: e.From, At: now, Arrival: e.Accepted, EnvID: e.EnvID,
		Recipients: lines, Original: original, Full: e.RetFull,
	}))
	if err != nil {
		return "", fmt.Errorf("write report on %s: %w", e.Message, err)
	}
	r := mail.Entry{
		ID: mail.NewID(now), Message: d.Body, Gateway: e.Gateway, Store: gateway.MTSOut, Rcpts: []mail.Rcpt{{Addr: e.From}},
		Class: mail.Report, Accepted: now, Since: now, Reports: e.Message, Size: d.Size(), EightBit: dsn.EightBit(original),
	}
	switch {
	case o.who.local(e.From):
		r.Store, r.Inbound = gateway.MTSIn, true
	case e.Gateway == "":
		r.Store = gateway.MTA
	}
	if e.Gateway == "" {
		r.Dest = e.Dest
	}
	tx.Accept(d)
	tx.Put(r)
	ev := event(&r, ledger.Generated, []string{e.From})
	ev.Report = string(e.Message)
	tx.Track(ev)
	*news = append(*news, r)
	return d.Body, nil
}

// original is as much of a message as a report may return. A message whose
// body is gone is reported on without it.
func (o *Organization) original(id mail.ID) ([]byte, error) {
	r, _, err := o.spool.Body(id)
	if errors.Is(err, spool.ErrNotFound) {
		o.log.Error("report without the message", "message", id, "err", err)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read message for its report: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(r, dsn.MaxReturn+1))
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("read message %s for its report: %w", id, err)
	}
	return b, nil
}

// hostOf is the host name that speaks for a gateway, or for the MTA.
func (o *Organization) hostOf(gw string) string {
	if g := o.byName[gw]; g != nil {
		return g.record().File.Hostname
	}
	return o.cfg.Hostname
}
