package world

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"example.org/ims/pkg/zone"
)

// typeLead is the type of what is remembered of a name: whether it leads here,
// with the largest TTL of the records by which it did. That is no type of the DNS.
const typeLead = "LEAD"

// authorities stands for all servers together: a name leads here while one of them
// says so.
const authorities = "authorities"

// recall begins a look at what leads here, with what the run remembers of it.
func (o *observer) recall() {
	for _, f := range strings.Fields(o.memory[memHost]) {
		if a, err := netip.ParseAddr(f); err == nil && !slices.Contains(o.seen, a) {
			o.seen = append(o.seen, a)
		}
	}
	o.leads, o.otherwise = o.Leads(), zone.No
}

// memorize keeps which addresses the host name led to: somebody may lead it
// elsewhere before the run ends.
func (o *observer) memorize() {
	if len(o.seen) > 0 {
		o.memory[memHost] = strings.ReplaceAll(words(o.seen), ",", "")
	}
	if self := o.leads.self; self != nil && self.note != "" {
		o.note("%s", self.note)
	}
}

// dueNames is when the names that led mail for a domain here have left the
// caches, those of them that were led elsewhere while an MX named them: the MX
// itself says nothing of that. One that still leads here is in caches as long as
// the MX is.
func (o *observer) dueNames(d Domain, ways []Way) (latest time.Time, expired zone.Verdict) {
	key := "led." + d.Name
	names := strings.Fields(o.memory[key])
	expired = zone.Yes
	for _, v := range ways {
		if v.Here == zone.Yes && v.How != "" && !slices.Contains(names, v.Host) {
			names = append(names, v.Host)
		}
	}
	if len(names) > 0 {
		o.memory[key] = strings.Join(names, " ")
	}
	for _, n := range names {
		s := subject{n, typeLead}
		if i := slices.IndexFunc(ways, func(v Way) bool { return v.Host == n }); i >= 0 && ways[i].Here != zone.Unsure {
			o.remember(s, []zone.Observation{o.lead(n, ways[i].Lead)})
		}
		past := changed(o.past(s))
		if len(past) == 0 {
			continue
		}
		due := zone.Deadline(past, leading, 0)
		if t := due.Safe(o.cfg.Floor); t.After(latest) {
			latest = t
		}
		expired = worst(zone.No, expired, due.Expired(o.now, o.cfg.Floor))
	}
	return latest, expired
}

// lead is what is remembered of a name.
func (o *observer) lead(name string, l Lead) zone.Observation {
	set := zone.NewRRset(name, typeLead, 0)
	if l.Here == zone.Yes {
		set = zone.NewRRset(name, typeLead, l.ttl, "here")
	}
	return zone.Observation{At: o.now, Server: zone.Server{NS: authorities, Addr: authorities}, RRset: set, AA: true}
}

func leading(ob zone.Observation) bool { return !ob.RRset.Empty() }

// changed is the past of a name without the end at which it leads here.
func changed(past []zone.Observation) []zone.Observation {
	for len(past) > 0 && leading(past[len(past)-1]) {
		past = past[:len(past)-1]
	}
	return past
}

// named judges whether the successor may be named by an MX, as it is published,
// and notes why not.
func (o *observer) named() Publication {
	p := o.leads.Successor(o.ctx)
	if p.Verdict != zone.Yes {
		o.note("%s: %s", p.Why, p.Fix)
	}
	return p
}
