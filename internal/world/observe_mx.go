package world

import (
	"errors"
	"slices"
	"time"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/zone"
)

// mxState sums up the domains.
type mxState struct {
	here, wanted, primary, agree, expired, null, both zone.Verdict
}

// mx compares every domain's MX on every address of every authority, and
// derives until when the old one may be cached.
func (o *observer) mx() {
	all := mxState{here: zone.No, wanted: zone.Yes, primary: zone.Yes, agree: zone.Yes, expired: zone.Yes, null: zone.Yes, both: zone.Yes}
	for _, d := range o.cfg.Domains {
		one := o.domain(d)
		all.here = worst(zone.Yes, all.here, one.here)
		all.wanted = worst(zone.No, all.wanted, one.wanted)
		all.primary = worst(zone.No, all.primary, one.primary)
		all.agree = worst(zone.No, all.agree, one.agree)
		all.expired = worst(zone.No, all.expired, one.expired)
		all.null = worst(zone.No, all.null, one.null)
		all.both = worst(zone.No, all.both, one.both)
	}
	o.verdict(facts.MxHere, all.here)
	o.verdict(facts.MxWanted, all.wanted)
	o.verdict(facts.MxPrimaryWanted, all.primary)
	o.verdict(facts.MxAgree, all.agree)
	o.verdict(facts.MxExpired, all.expired)
	o.verdict(facts.MxNull, all.null)
	o.verdict(facts.NextNamed, all.both)
}

// moved notes when what leads to the successor was first seen everywhere, and
// judges by what: the MX, or the addresses of the host name. While it leads here
// as well, or again, nobody who comes is late.
func (o *observer) moved() {
	everywhere, here := facts.MxWanted, facts.MxHere
	if o.want.byName {
		everywhere, here = facts.NameWanted, facts.NameHere
	}
	switch _, known := o.time(memSwitched); {
	case known && o.set[here].Value == 1:
		o.memory[memSwitched] = ""
	case !known && o.set[everywhere].Value == 1 && o.set[here].Value != 1:
		o.memory[memSwitched] = o.now.Format(time.RFC3339Nano)
	}
}

// expired is the fact that says that no cache leads here any more.
func (w *World) expired() facts.ID {
	if w.want.byName {
		return facts.NameExpired
	}
	return facts.MxExpired
}

// worst combines answers about parts: the bad one decides, then not knowing.
func worst(bad, a, b zone.Verdict) zone.Verdict {
	switch {
	case a == bad || b == bad:
		return bad
	case a == zone.Unsure || b == zone.Unsure:
		return zone.Unsure
	}
	return a
}

func (o *observer) verdict(id facts.ID, v zone.Verdict) {
	if v == zone.Unsure {
		o.unknown(errors.New("an authoritative server did not answer"), "dns", id)
		return
	}
	o.put(id, facts.Bool(v == zone.Yes), "dns")
}

func (o *observer) domain(d Domain) mxState {
	given := d.Watch.Observe(o.ctx, d.Name, typeMX)
	round, ways, here := o.ways(given)
	known := zone.Yes // where every record leads
	if here == zone.Unsure {
		known = zone.Unsure
	}
	st := mxState{
		here: here, agree: zone.Agree(given), null: every(given, takesNone),
		wanted: worst(zone.No, known, o.all(given, func(r zone.RRset) bool { return o.wantedRRset(o.led(r)) })),
		both:   every(round, func(r zone.RRset) bool { return o.cfg.SuccessorHostname != "" && r.NamesHost(o.cfg.SuccessorHostname) }),
	}
	o.say(d, ways)
	if rr, err := d.Writer.Read(o.ctx, d.Name, typeMX); err == nil {
		if h, w := o.leads.Ways(o.ctx, rr); h != zone.Unsure {
			st.primary = yes(o.wantedRRset(o.leads.as(rr, w)))
		}
	}
	safe, expired := o.due(subject{d.Name, typeMX}, round, o.old)
	names, expiredNames := o.dueNames(d, ways)
	if names.After(safe) {
		safe = names
	}
	st.expired = worst(zone.No, expired, expiredNames)
	if safe.After(o.safe) && !o.want.byName {
		o.safe = safe
	}
	if st.here == zone.No && st.expired != zone.Yes {
		o.note("old MX of %s may be cached until %s", d.Name, safe.Format(time.RFC3339))
		for _, words := range zone.Deadline(o.past(subject{d.Name, typeMX}), o.old, 0).Assumed {
			o.note("until then, because of what is assumed: %s", words)
		}
	}
	return st
}

// ways finds out where the records lead that each server gives. In the round
// every name that leads here is the host name, and an answer of which that is
// not known does not count.
func (o *observer) ways(given []zone.Observation) (round []zone.Observation, ways []Way, here zone.Verdict) {
	here = zone.No
	for _, ob := range given {
		lead := zone.Unsure
		if ob.Counts() {
			var by []Way
			lead, by = o.leads.Ways(o.ctx, ob.RRset)
			ways = append(ways, by...)
			ob.RRset = o.leads.as(ob.RRset, by)
			if lead == zone.Unsure {
				ob.Err = "where it leads is not known"
			}
		}
		here = worst(zone.Yes, here, lead)
		round = append(round, ob)
	}
	if len(given) == 0 {
		here = zone.Unsure
	}
	return round, ways, here
}

// led is an MX RRset with the host name in place of what leads here.
func (o *observer) led(r zone.RRset) zone.RRset {
	_, ways := o.leads.Ways(o.ctx, r)
	return o.leads.as(r, ways)
}

// say notes the records that lead here by another name than the host name, or of
// which that is not known, and remembers that there are some.
func (o *observer) say(d Domain, ways []Way) {
	var said []string
	for _, v := range ways {
		if v.How != "" {
			o.otherwise = worst(zone.Yes, o.otherwise, v.Here)
		}
		if text := v.String(); v.How != "" && !slices.Contains(said, text) {
			said = append(said, text)
			o.note("MX of %s: %s", d.Name, text)
		}
	}
}

// deadline is when what led here has left every cache that obeys, as far as is
// remembered.
func (o *observer) deadline() (latest time.Time) {
	look := func(s subject, old func(zone.Observation) bool) {
		if t := zone.Deadline(o.past(s), old, 0).Safe(o.cfg.Floor); t.After(latest) {
			latest = t
		}
	}
	if o.want.byName {
		look(subject{o.cfg.Hostname, typeA}, o.leadsHere)
		look(subject{o.cfg.Hostname, typeAAAA}, o.leadsHere)
		return latest
	}
	for _, d := range o.cfg.Domains {
		look(subject{d.Name, typeMX}, o.old)
		if t, _ := o.dueNames(d, nil); t.After(latest) {
			latest = t
		}
	}
	return latest
}

// silent are the servers of a round that proved nothing: one of which nothing
// is known may publish anything.
func silent(round []zone.Observation) []zone.Observation {
	return slices.DeleteFunc(slices.Clone(round), func(ob zone.Observation) bool { return ob.Counts() })
}

func yes(b bool) zone.Verdict {
	if b {
		return zone.Yes
	}
	return zone.No
}

// old reports whether an observation leads to the gateway.
func (o *observer) old(ob zone.Observation) bool { return ob.RRset.NamesHost(o.cfg.Hostname) }

// takesNone reports whether an MX says that the domain takes no mail: a null MX
// beside others says nothing (RFC 7505 3).
func takesNone(r zone.RRset) bool { return r.HasNullMX() && len(r.Canonical().Data) == 1 }

// wantedRRset reports whether an RRset leads where the runbook wants it to:
// nowhere, to both, or to the successor and not here.
func (o *observer) wantedRRset(r zone.RRset) bool {
	here, next := r.NamesHost(o.cfg.Hostname), o.cfg.SuccessorHostname
	switch o.want.mx {
	case mxNull:
		return takesNone(r)
	case mxBoth:
		return here && next != "" && r.NamesHost(next)
	case mxMoves:
	}
	return !here && (next == "" || r.NamesHost(next))
}

// next looks at the successor.
func (o *observer) next() {
	if o.cfg.Successor == nil {
		o.put(facts.NextAccepts, 0, "configuration")
		o.put(facts.NextSends, 0, "configuration")
		o.put(facts.NextCoversIn, 0, "configuration")
		return
	}
	src := "gateway " + o.cfg.SuccessorName
	c, err := o.cfg.Successor.Config(o.ctx)
	if err != nil {
		o.unknown(err, src, facts.NextAccepts, facts.NextSends, facts.NextCoversIn)
		return
	}
	mode := c.Effective.Mode
	o.put(facts.NextSends, facts.Bool(c.Exists && c.Running && (mode == gateway.InboundOutbound || mode == gateway.OutboundOnly)), src)
	takes := c.Exists && c.Running && !c.Paused &&
		(mode == gateway.InboundOutbound || mode == gateway.InboundOnly)
	covers, named := takes, o.named()
	for _, d := range o.cfg.Domains {
		v, words, err := o.cfg.Prober.Probe(o.ctx, o.cfg.SuccessorAddress, d.Rcpt)
		if err != nil {
			o.unknown(err, "probe "+o.cfg.SuccessorAddress, facts.NextCoversIn)
			o.accepts(takes, named, src)
			return
		}
		if v != facts.ReplyAccept {
			covers = false
			o.note("%s does not accept %s: %s", o.cfg.SuccessorName, d.Rcpt, words)
		}
		takes = takes && v != facts.ReplyClosed
	}
	o.accepts(takes, named, src)
	o.put(facts.NextCoversIn, facts.Bool(covers), src)
}

// accepts says whether the successor takes inbound mail: it would, and the world
// finds it under the name that an MX is to have.
func (o *observer) accepts(takes bool, p Publication, src string) {
	switch {
	case takes && p.Verdict == zone.Unsure:
		o.unknown(errors.New(p.Why), "dns", facts.NextAccepts)
	case takes && p.Verdict == zone.No:
		o.put(facts.NextAccepts, 0, "dns")
	default:
		o.put(facts.NextAccepts, facts.Bool(takes), src)
	}
}

// late looks for clients that did not follow the MX change. Only a host that
// named a valid recipient counts: whoever tries to relay, or guesses
// addresses, has no mail that could be lost.
func (o *observer) late() {
	clients, never, quiet, err := o.lateClients()
	if err != nil {
		o.unknown(err, o.source(), facts.LateClients, facts.LateNeverFollow, facts.LateQuiet)
		return
	}
	o.put(facts.LateClients, facts.Int(int64(clients)), o.source())
	o.put(facts.LateNeverFollow, facts.Int(int64(len(never))), o.source())
	o.set.Put(facts.Fact{ID: facts.LateQuiet, Value: facts.Bool(quiet), At: o.now, From: o.since, Source: o.source(), Provenance: facts.Live})
}

func (o *observer) lateClients() (count int, never []gateway.Client, quiet bool, err error) {
	switched, ok := o.time(memSwitched)
	if !ok || !o.config.Exists {
		return 0, nil, true, nil
	}
	log, ok := o.cfg.Gateway.(gateway.ClientLog)
	if !ok {
		return 0, nil, false, errNoAbility
	}
	clients, err := log.Clients(o.ctx)
	if err != nil {
		return 0, nil, false, err
	}
	quiet = true
	expired := o.set[o.expired()].Value == 1
	for _, c := range clients {
		if !c.LastValid.After(switched) || isOwn(c) {
			continue
		}
		count++
		if o.look.Named[subjectLate][c.Host] {
			continue
		}
		if expired && c.LastValid.After(o.safe) {
			never = append(never, c)
			o.note("does not follow MX: %s", clientWords(c))
		}
		if !c.LastValid.Before(o.since) {
			quiet = false
		}
	}
	slices.SortFunc(never, func(a, b gateway.Client) int { return b.LastValid.Compare(a.LastValid) })
	return count, never, quiet, nil
}
