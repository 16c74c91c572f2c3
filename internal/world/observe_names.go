package world

import (
	"errors"
	"slices"
	"strings"
	"time"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/zone"
)

// names observes what the DNS says of the gateway's machine and of those who
// send for its domains, as far as the runbook asks.
func (o *observer) names() {
	if o.needs(facts.NameHere, facts.NameWanted, facts.NameAgree, facts.NameExpired) || o.want.byName {
		o.hostName()
	}
	if o.needs(facts.DrainNamed) {
		o.verdict(facts.DrainNamed, o.drainNamed())
	}
	if o.needs(facts.SpfNone) {
		v := zone.Yes
		for _, d := range o.cfg.Domains {
			v = worst(zone.No, v, o.everywhere(d.Name, typeTXT, func(r zone.RRset) bool {
				spf, _ := spfOf(r)
				return len(spf) == 1 && strings.EqualFold(strings.Join(strings.Fields(spf[0]), " "), spfNone)
			}))
		}
		o.verdict(facts.SpfNone, v)
	}
}

// everywhere asks every authority whether an RRset is as it should be.
func (o *observer) everywhere(name, typ string, ok func(zone.RRset) bool) zone.Verdict {
	z, err := o.zoneOf(name)
	if err != nil {
		o.note("%v", err)
		return zone.Unsure
	}
	return o.all(z.Watch.Observe(o.ctx, name, typ), ok)
}

// every is like all, of a question that is asked beside another: what is wrong
// is not noted.
func every(round []zone.Observation, ok func(zone.RRset) bool) zone.Verdict {
	v := zone.Yes
	for _, ob := range round {
		one := zone.Unsure
		if ob.Counts() {
			one = yes(ok(ob.RRset))
		}
		v = worst(zone.No, v, one)
	}
	if len(round) == 0 {
		return zone.Unsure
	}
	return v
}

// all combines the answers of a round: one that is not as it should be decides.
// Once another server gives what it should, the one that lags is noted.
func (o *observer) all(round []zone.Observation, ok func(zone.RRset) bool) zone.Verdict {
	some := false
	for _, ob := range round {
		switch {
		case !ob.Counts():
			o.note("%s of %s: %s did not answer: %s", ob.RRset.Type, strings.TrimSuffix(ob.RRset.Name, "."), ob.Server, ob.Err)
		case ok(ob.RRset):
			some = true
		}
	}
	for _, ob := range round {
		if some && ob.Counts() && !ok(ob.RRset) {
			o.note("%s still gives %s", ob.Server, ob.RRset)
		}
	}
	return every(round, ok)
}

// drainNamed: the drain name has its addresses, they lead back to it, and nobody
// who says who may send forbids it to.
func (o *observer) drainNamed() zone.Verdict {
	m := o.cfg.Machine
	if m.Drain == "" {
		o.note("%s", nameless(o.cfg.Name))
		return zone.No
	}
	v := zone.Yes
	need := func(name, typ string, ok func(zone.RRset) bool) {
		v = worst(zone.No, v, o.everywhere(name, typ, ok))
	}
	for _, typ := range []string{typeA, typeAAAA} {
		if data := ofType(m.DrainAddresses, typ); len(data) > 0 {
			need(m.Drain, typ, func(r zone.RRset) bool { return r.SameData(zone.NewRRset(r.Name, typ, 0, data...)) })
		}
	}
	for _, a := range m.DrainAddresses {
		need(reverse(a), typePTR, func(r zone.RRset) bool { return r.NamesHost(m.Drain) })
	}
	lets := func(r zone.RRset) bool {
		spf, _ := spfOf(r)
		return len(spf) == 0 || (len(spf) == 1 && permits(r.Name, spf[0], m.Drain, m.DrainAddresses))
	}
	need(m.Drain, typeTXT, lets)
	for _, d := range o.cfg.Domains {
		need(d.Name, typeTXT, lets)
	}
	return v
}

// hostName compares the addresses of the gateway's public host name, and derives
// until when an old one may be cached, by the law of MX records. Other names by
// which mail for the domains comes here lead here as well, and do not go with it.
func (o *observer) hostName() {
	ids := []facts.ID{facts.NameHere, facts.NameWanted, facts.NameAgree, facts.NameExpired}
	z, err := o.zoneOf(o.cfg.Hostname)
	if err == nil && len(o.cfg.Machine.Addresses) == 0 {
		err = errors.New("the addresses of the machine are not known: add addresses to the gateway")
	}
	if err != nil {
		o.unknown(err, "dns", ids...)
		return
	}
	here, wanted, agree, expired := o.otherwise, zone.Yes, zone.Yes, zone.Yes
	for _, typ := range []string{typeA, typeAAAA} {
		round := z.Watch.Observe(o.ctx, o.cfg.Hostname, typ)
		agree = worst(zone.No, agree, zone.Agree(round))
		wanted = worst(zone.No, wanted, o.all(round, func(r zone.RRset) bool { return o.flipped(r).SameData(r) }))
		for _, ob := range round {
			lead := zone.Unsure
			if ob.Counts() {
				lead = yes(o.leadsHere(ob))
			}
			here = worst(zone.Yes, here, lead)
		}
		if len(ofType(o.cfg.Machine.Addresses, typ)) == 0 {
			continue // nothing of this type ever led here
		}
		due, v := o.due(subject{o.cfg.Hostname, typ}, round, o.leadsHere)
		expired = worst(zone.No, expired, v)
		if o.want.byName && due.After(o.safe) {
			o.safe = due
		}
		if here == zone.No && v != zone.Yes {
			o.note("the old address of %s may be cached until %s", o.cfg.Hostname, due.Format(time.RFC3339))
		}
	}
	if len(o.cfg.SuccessorMachine.Addresses) == 0 {
		wanted = zone.Unsure
	}
	for i, v := range []zone.Verdict{here, wanted, agree, expired} {
		o.verdict(ids[i], v)
	}
}

// leadsHere reports whether an answer holds an address of the old machine.
func (o *observer) leadsHere(ob zone.Observation) bool {
	return slices.ContainsFunc(ob.RRset.Data, o.isOld)
}

// due is when what was old has left every cache that obeys, and whether it has.
func (o *observer) due(s subject, round []zone.Observation, old func(zone.Observation) bool) (time.Time, zone.Verdict) {
	known := o.remember(s, round)
	due := zone.Deadline(append(slices.Clone(known), silent(round)...), old, 0)
	return due.Safe(o.cfg.Floor), due.Expired(o.now, o.cfg.Floor)
}
