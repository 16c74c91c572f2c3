package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// The words of gw.reply that decide here.
var (
	accepts   = facts.GwReply.Format(facts.ReplyAccept)
	temporary = facts.GwReply.Format(facts.ReplyTemporary)
	permanent = facts.GwReply.Format(facts.ReplyPermanent)
)

// inbound judges cover per domain, if the runbook leads mail to a successor.
func (r *Report) inbound(s *Snapshot, book *runbook.Book) {
	in := &s.Inbound
	base := Check{Group: GroupInbound, Provenance: s.provenance(), At: in.At}
	r.left(base, s, book)
	if moves := does(book, leadsOn); !moves || s.Successor == "" {
		base.ID, base.That = "cover.in.successor", "another gateway takes over what comes in"
		switch {
		case book.Def.Begins == machine.BeginsAlone:
			base = base.pass("runbook %s is for the last gateway: the organization is to take no more mail", book.Def.Name)
		case !moves:
			base = base.pass("runbook %s leads no mail to another gateway", book.Def.Name)
		default:
			base = base.fail("ims preflight "+s.Gateway+" --to SUCCESSOR", "no successor is named, so inbound mail has nowhere to go")
		}
		r.add(base)
		return
	}
	for _, z := range in.MX {
		r.add(searched(base, s, z))
	}
	r.named(base, s)
	r.add(logged(base, s))
	for i := range in.List {
		d := &in.List[i]
		if d.Outward {
			r.add(outward(base, s, d))
			continue
		}
		c := known(base, s, d)
		if slices.Contains(s.Domains, d.Name) { // which next.covers_in is about
			c = r.put(c, facts.NextCoversIn)
		}
		r.add(c)
		r.add(random(base, s, d))
		r.add(size(base, s, d))
	}
	r.add(r.tls(base, s, longestPatience(book)))
}

func searched(c Check, s *Snapshot, z Zone) Check {
	c.ID, c.That = "cover.in.mx."+z.Name, "every domain of zone "+z.Name+" whose MX leads here is known"
	if z.Err != "" {
		return c.unknown(z.Err, cmp.Or(z.Fix, "let the key of zone "+z.Name+" transfer it, or waive this if zones."+z.Name+".domains lists every mail domain"))
	}
	if bare := s.Inbound.bare(z.Name); bare != "" {
		return c.pass("the zone was read whole; %s takes no mail for the names without an MX that lead to it: %s", s.Gateway, bare)
	}
	return c.pass("the zone was read whole")
}

func logged(c Check, s *Snapshot) Check {
	c.ID, c.That = "cover.in.log", "the log of the gateway tells which domains it took mail for, and how large"
	if why := s.Inbound.Log; why != "" {
		return c.unknown(why, "ims track --gateway "+s.Gateway)
	}
	return c.pass("it was read from its beginning")
}

func (c Check) pass(format string, args ...any) Check {
	c.Verdict, c.Reason = Pass, fmt.Sprintf(format, args...)
	return c
}

func (c Check) fail(fix, format string, args ...any) Check {
	c.Verdict, c.Reason, c.Fix = Fail, fmt.Sprintf(format, args...), fix
	return c
}

func (c Check) unknown(why, fix string) Check {
	c.Verdict, c.Reason, c.Fix, c.Provenance = Unknown, why, cmp.Or(answering(why), fix), facts.NotKnown
	return c
}

func (a Answer) String() string {
	switch {
	case a.Reply == "":
		return "does not answer: " + cmp.Or(a.Words, "it was not asked")
	case a.Words == "":
		return "answers " + a.Reply
	}
	return fmt.Sprintf("answers %q", a.Words)
}

// start is what to do about a successor that does not listen.
func (in *Inbound) start(s *Snapshot) string {
	verb := "start"
	if n := s.Next; n != nil {
		if fix := n.Take(s.Gateway); fix != "" {
			return fix
		}
		if n.Running {
			verb = "restart" // its service is there, and its SMTP listener is not
		}
	}
	return command(verb, s.Successor, "", s.Gateway)
}

// admit is what to do about a successor that talks to everybody but us.
func (in *Inbound) admit(s *Snapshot) string {
	return fmt.Sprintf("ask from a host that %s lets in, or let it admit this one: ims gateway set %s --help has --accept and --reject", s.Successor, s.Successor)
}

// later is what to do about an answer that is only for now.
func (in *Inbound) later(s *Snapshot) string {
	if s.Own != nil && s.Own.Running && s.Own.Paused {
		return command("resume", s.Gateway, "", s.Gateway)
	}
	return cmp.Or(s.bring(), "ims preflight "+s.Gateway)
}

// bring is what lets the successor take mail, if it is known not to.
func (s *Snapshot) bring() string {
	if s.Next == nil {
		return ""
	}
	return s.Next.Take(s.Gateway)
}

// retry is what to do about an answer that did not come.
func (in *Inbound) retry(s *Snapshot) string {
	if in.New.Closed {
		return in.start(s)
	}
	if fix := s.bring(); fix != "" {
		return fix
	}
	return "make " + in.New.Address + " reachable from here, then ims preflight " + s.Gateway + " again"
}

// outward is the cover of a domain that only tables for outgoing mail name.
func outward(c Check, s *Snapshot, d *Domain) Check {
	c.ID = "cover.in." + d.Name + ".recipient"
	c.That = fmt.Sprintf("%s accepts the mail for %s that %s takes, known from %s", s.Successor, d.Name, s.Gateway, strings.Join(d.From, ", "))
	return c.pass("there is nothing to cover: the entry says where mail for %s goes out, and makes %s take none from the Internet; hosts that may relay are compared by ims compare",
		d.Name, s.Gateway)
}

func known(c Check, s *Snapshot, d *Domain) Check {
	c.ID = "cover.in." + d.Name + ".recipient"
	c.That = fmt.Sprintf("%s accepts mail for %s, known from %s", s.Successor, d.Name, strings.Join(d.From, ", "))
	in, old, now := &s.Inbound, d.Old.Known, d.New.Known
	switch {
	case now.Reply == accepts:
		return c.pass("%s answers 250 to %s", s.Successor, d.Rcpt)
	case in.New.Rejects != "":
		return c.unknown(in.rejected(s), in.admit(s))
	case old.Reply == permanent:
		return c.refused(s, d)
	case now.Reply == "":
		return c.unknown(fmt.Sprintf("%s %s", s.Successor, cmp.Or(in.New.Err, now.String())), in.retry(s))
	case now.Reply == temporary:
		return c.unknown(fmt.Sprintf("%s %s to %s, which says nothing about later", s.Successor, now, d.Rcpt), cmp.Or(s.bring(), "ims gateway show "+s.Successor))
	}
	return c.fail(in.fix(s, d), "%s %s to %s, so mail for %s is refused once the MX is moved", s.Successor, now, d.Rcpt, d.Name)
}

// refused judges cover of a domain where the gateway itself refuses the
// recipient that was asked about. Only a refusal of the whole domain says that
// there is nothing to cover.
func (c Check) refused(s *Snapshot, d *Domain) Check {
	old, now := d.Old.Known, d.New.Known
	switch {
	case old.about() == ofDomain:
		return c.pass("%s itself %s to %s, so there is nothing to cover", s.Gateway, old, d.Rcpt)
	case old.about() == ofMailbox && now.about() == ofMailbox:
		return c.pass("both know the domain, and that %s does not exist: %s %s", d.Rcpt, s.Successor, now)
	case old.about() == ofMailbox:
		return c.unknown(fmt.Sprintf("%s itself %s to %s, which says nothing about the other recipients of the domain", s.Gateway, old, d.Rcpt), d.named())
	}
	return c.unknown(fmt.Sprintf("%s itself %s to %s, which does not say that the recipient does not exist, so what it takes for %s is not known",
		s.Gateway, old, d.Rcpt, d.Name), d.named())
}

// rejected says that the successor answers to no recipient here.
func (in *Inbound) rejected(s *Snapshot) string {
	return fmt.Sprintf("%s rejects whoever asks from here with %q, before any recipient is named, so what it says to others is not known", s.Successor, in.New.Rejects)
}

func (in *Inbound) fix(s *Snapshot, d *Domain) string {
	if in.New.Closed {
		return in.start(s)
	}
	if d.Fix != "" {
		return d.Fix
	}
	return strings.ReplaceAll(in.Fix, "DOMAIN", d.Name)
}

func random(c Check, s *Snapshot, d *Domain) Check {
	c.ID = "cover.in." + d.Name + ".stranger"
	c.That = fmt.Sprintf("%s answers as %s does for a recipient of %s that does not exist", s.Successor, s.Gateway, d.Name)
	in, old, now := &s.Inbound, d.Old.Random, d.New.Random
	switch {
	case in.New.Rejects != "":
		return c.unknown(in.rejected(s), in.admit(s))
	case now.Reply == "" || in.New.Closed:
		return c.unknown(fmt.Sprintf("%s %s", s.Successor, cmp.Or(in.New.Err, now.String())), in.retry(s))
	case old.Reply == "" || in.Old.Closed:
		return c.unknown(fmt.Sprintf("%s %s", s.Gateway, cmp.Or(in.Old.Err, old.String())), "ims gateway show "+s.Gateway)
	case now.Reply == temporary || old.Reply == temporary:
		return c.unknown(fmt.Sprintf("%s %s and %s %s, at least one of them only for now: ask again later", s.Gateway, old, s.Successor, now), in.later(s))
	case !d.Old.strangers():
		return c.unknown(fmt.Sprintf("%s %s to %s, and not because there is no such recipient", s.Gateway, old, d.Random), d.named())
	case now.Reply == old.Reply && !d.New.strangers():
		return c.unknown(fmt.Sprintf("%s %s to %s, and not because there is no such recipient", s.Successor, now, d.Random), in.fix(s, d))
	case now.Reply == old.Reply:
		return c.pass("both answer %s to %s", now.Reply, d.Random)
	case now.Reply == accepts:
		return c.fail("give "+s.Successor+" the list of recipients that "+s.Gateway+" has",
			"%s %s to %s, and %s %s: it would report to forged senders what %s refuses", s.Successor, now, d.Random, s.Gateway, old, s.Gateway)
	}
	fix := "let " + s.Successor + " accept every recipient of " + d.Name + ", or tell their senders"
	if d.New.Known.Reply != accepts { // it takes none of them
		fix = in.fix(s, d)
	}
	return c.fail(fix,
		"%s %s to %s, and %s %s: mail that was taken would be refused", s.Successor, now, d.Random, s.Gateway, old)
}

func size(c Check, s *Snapshot, d *Domain) Check {
	c.ID = "cover.in." + d.Name + ".size"
	c.That = fmt.Sprintf("%s takes messages for %s as large as %s did", s.Successor, d.Name, s.Gateway)
	in := &s.Inbound
	switch {
	case in.Log != "":
		return c.unknown("how large messages are is not known: "+in.Log, "ims track --gateway "+s.Gateway)
	case d.Messages == 0:
		return c.pass("the log of %s has no message for %s", s.Gateway, d.Name)
	case in.New.Err != "" || in.New.Closed:
		return c.unknown(fmt.Sprintf("%s %s", s.Successor, cmp.Or(in.New.Err, "refuses connections")), in.retry(s))
	case !in.New.SizeKnown:
		return c.unknown(fmt.Sprintf("the most that %s takes is not known: it declares no SIZE (RFC 1870)", s.Successor), "let "+s.Successor+" declare SIZE, at least "+strconv.FormatInt(d.Largest, 10))
	case in.New.Size == 0:
		return c.pass("%s takes any size; the largest of %d messages in the log has %d bytes", s.Successor, d.Messages, d.Largest)
	case in.New.Size < d.Largest:
		return c.fail(command("set", s.Successor, fmt.Sprintf("--max-size %d --restart", d.Largest), s.Gateway),
			"%s takes at most %d bytes, and the largest of %d messages in the log has %d", s.Successor, in.New.Size, d.Messages, d.Largest)
	}
	return c.pass("%s takes %d bytes; the largest of %d messages in the log has %d", s.Successor, in.New.Size, d.Messages, d.Largest)
}

// tls judges the certificate that clients will see instead of the gateway's.
func (r *Report) tls(c Check, s *Snapshot, patience time.Duration) Check {
	in, now := &s.Inbound, s.Inbound.New.TLS
	c.ID = "cover.in.tls"
	c.That = fmt.Sprintf("the certificate of %s covers %s, and outlives the run", s.Successor, in.New.Name)
	longer := r.Ends.Add(patience)
	renew := fmt.Sprintf("give %s a certificate for %s that is valid beyond %s, or waive this if one comes by itself", s.Successor, in.New.Name, longer.UTC().Format(time.RFC3339))
	switch {
	case in.New.Err != "" || in.New.Closed || now.Err != "":
		return c.unknown(fmt.Sprintf("%s %s", s.Successor, cmp.Or(in.New.Err, now.Err, "refuses connections")), in.retry(s))
	case !now.Offered && in.Old.TLS.Offered:
		return c.fail("configure STARTTLS at "+s.Successor, "%s offers STARTTLS, and %s does not: senders that insist on TLS cannot follow", s.Gateway, s.Successor)
	case !now.Offered && (in.Old.Err != "" || in.Old.Closed || in.Old.TLS.Err != ""):
		return c.unknown(fmt.Sprintf("%s offers no STARTTLS, and whether %s does is not known: %s", s.Successor, s.Gateway,
			cmp.Or(in.Old.Err, in.Old.TLS.Err, "it refuses connections")), "ims gateway show "+s.Gateway)
	case !now.Offered:
		return c.pass("neither %s nor %s offers STARTTLS, so nobody depends on a certificate", s.Gateway, s.Successor)
	case now.Failed != "":
		return c.fail("mend STARTTLS at "+s.Successor, "%s offers STARTTLS and cannot do it: %s", s.Successor, now.Failed)
	case !now.Covers:
		return c.fail(renew, "%s", now.Why)
	case now.NotBefore.After(s.Made):
		return c.fail(renew, "it is not valid before %s", now.NotBefore.UTC().Format(time.RFC3339))
	case now.NotAfter.Before(r.Ends):
		return c.fail(renew, "it expires %s, before the run can end, %s", now.NotAfter.UTC().Format(time.RFC3339), r.Ends.UTC().Format(time.RFC3339))
	case now.NotAfter.Before(longer):
		return c.unknown(fmt.Sprintf("it expires %s; the run ends %s at the earliest, and later, until %s, if one wait takes as long as it may",
			now.NotAfter.UTC().Format(time.RFC3339), r.Ends.UTC().Format(time.RFC3339), longer.UTC().Format(time.RFC3339)), renew)
	}
	return c.pass("it is valid until %s", now.NotAfter.UTC().Format(time.RFC3339))
}
