package world

import (
	"errors"
	"slices"
	"time"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/zone"
)

const typeMX = "MX"

// mxState sums up the domains.
type mxState struct {
	here, wanted, primary, agree, expired zone.Verdict
}

// mx compares every domain's MX on every address of every authority, and
// derives until when the old one may be cached.
func (o *observer) mx() {
	all := mxState{here: zone.No, wanted: zone.Yes, primary: zone.Yes, agree: zone.Yes, expired: zone.Yes}
	for _, d := range o.cfg.Domains {
		one := o.domain(d)
		all.here = worst(zone.Yes, all.here, one.here)
		all.wanted = worst(zone.No, all.wanted, one.wanted)
		all.primary = worst(zone.No, all.primary, one.primary)
		all.agree = worst(zone.No, all.agree, one.agree)
		all.expired = worst(zone.No, all.expired, one.expired)
	}
	o.verdict(facts.MxHere, all.here)
	o.verdict(facts.MxWanted, all.wanted)
	o.verdict(facts.MxPrimaryWanted, all.primary)
	o.verdict(facts.MxAgree, all.agree)
	o.verdict(facts.MxExpired, all.expired)
	if _, known := o.memory[memSwitched]; !known && all.wanted == zone.Yes {
		o.memory[memSwitched] = o.now.Format(time.RFC3339Nano)
	}
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
	round := d.Watch.Observe(o.ctx, d.Name, typeMX)
	st := mxState{here: zone.No, wanted: zone.Yes, agree: zone.Agree(round)}
	for _, ob := range round {
		switch {
		case !ob.Counts():
			st.here = worst(zone.Yes, st.here, zone.Unsure)
			st.wanted = worst(zone.No, st.wanted, zone.Unsure)
			o.note("MX of %s: %s did not answer: %s", d.Name, ob.Server, ob.Err)
		default:
			st.here = worst(zone.Yes, st.here, yes(o.old(ob)))
			st.wanted = worst(zone.No, st.wanted, yes(o.wantedRRset(ob.RRset)))
		}
	}
	if len(round) == 0 {
		st.here, st.wanted = zone.Unsure, zone.Unsure
	}
	if rr, err := d.Writer.Read(o.ctx, d.Name, typeMX); err == nil {
		st.primary = yes(o.wantedRRset(rr))
	}
	known := o.remember(subject{d.Name, typeMX}, round)
	due := zone.Deadline(append(slices.Clone(known), silent(round)...), o.old, 0)
	st.expired = due.Expired(o.now, o.cfg.Floor)
	safe := due.Safe(o.cfg.Floor)
	if safe.After(o.safe) {
		o.safe = safe
	}
	if st.here == zone.No && st.expired != zone.Yes {
		o.note("old MX of %s may be cached until %s", d.Name, safe.Format(time.RFC3339))
	}
	return st
}

// deadline is when the old MX of a domain has left every cache that obeys.
func (o *observer) deadline(domain string) time.Time {
	return zone.Deadline(o.past(subject{domain, typeMX}), o.old, 0).Safe(o.cfg.Floor)
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

// wantedRRset reports whether an RRset leads to the successor and not here.
func (o *observer) wantedRRset(r zone.RRset) bool {
	return !r.NamesHost(o.cfg.Hostname) && (o.cfg.SuccessorHostname == "" || r.NamesHost(o.cfg.SuccessorHostname))
}

// next looks at the successor.
func (o *observer) next() {
	if o.cfg.Successor == nil {
		o.put(facts.NextAccepts, 0, "configuration")
		o.put(facts.NextCoversIn, 0, "configuration")
		return
	}
	src := "gateway " + o.cfg.SuccessorName
	c, err := o.cfg.Successor.Config(o.ctx)
	if err != nil {
		o.unknown(err, src, facts.NextAccepts, facts.NextCoversIn)
		return
	}
	takes := c.Exists && c.Running && !c.Paused &&
		(c.Effective.Mode == gateway.InboundOutbound || c.Effective.Mode == gateway.InboundOnly)
	covers := takes
	for _, d := range o.cfg.Domains {
		v, words, err := o.cfg.Prober.Probe(o.ctx, o.cfg.SuccessorAddress, d.Rcpt)
		if err != nil {
			o.unknown(err, "probe "+o.cfg.SuccessorAddress, facts.NextCoversIn)
			o.put(facts.NextAccepts, facts.Bool(takes), src)
			return
		}
		if v != facts.ReplyAccept {
			covers = false
			o.note("%s does not accept %s: %s", o.cfg.SuccessorName, d.Rcpt, words)
		}
		takes = takes && v != facts.ReplyClosed
	}
	o.put(facts.NextAccepts, facts.Bool(takes), src)
	o.put(facts.NextCoversIn, facts.Bool(covers), src)
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
	expired := o.set[facts.MxExpired].Value == 1
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
