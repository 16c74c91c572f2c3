package zone

import (
	"fmt"
	"slices"
	"time"
)

// DefaultTTL is assumed of old data that nobody saw, in seconds.
const DefaultTTL = 86400

// Due says until when old data may be in caches.
type Due struct {
	// At is T_dns: the latest instant at which a cache that obeys published
	// TTLs may still hold old data. While Open it is only a lower bound.
	At time.Time `json:"at"`
	// Open: a server may publish old data at this moment, so At will move.
	Open bool `json:"open"`
	// TTL of the data that decides At, in seconds, and the observation that
	// ends it.
	TTL uint32      `json:"ttl"`
	Why Observation `json:"why"`
	// Still are the servers whose last answer was old data.
	Still []Server `json:"still,omitempty"`
	// Lost are the servers of which nothing certain is known now: never an
	// answer that counts, or old data last and failures since.
	Lost []Server `json:"lost,omitempty"`
	// Assumed says in words which TTLs were assumed and why.
	Assumed []string `json:"assumed,omitempty"`
}

// Deadline computes T_dns from all authoritative observations ever made:
//
//	T_dns = max over servers s and old versions v of lastSeen(s,v) + TTL(v)
//
// A version is data and TTL together, so a TTL that was lowered keeps its old
// deadline. What happened between two polls is not known: a version lasts
// until the first answer of that server that shows another one. A server that
// was never seen with old data counts from its first answer, with the largest
// TTL known of the old data (seen anywhere, or known from a zone file or
// transfer), else [DefaultTTL], and Assumed says so. Failures are no evidence.
// A finding about the delegation (an observation without an address) holds it
// open until a later round does not repeat it.
//
// isOld decides which data is old, for example "names the gateway"; old data
// may be an absence (implicit MX), which lasts as long as it may be cached.
// known is the largest TTL in seconds known from elsewhere, 0 if none. What was
// published before the first observation is not known here.
func Deadline(obs []Observation, isOld func(Observation) bool, known uint32) Due {
	var due Due
	groups := bySubject(obs)
	heard := map[subject]time.Time{} // the last word of any server about a name and type
	for _, o := range obs {
		if o.Counts() && isOld(o) {
			known = max(known, o.RRset.TTL)
		}
		if q := o.subject().question(); o.Server.Addr != "" && o.At.After(heard[q]) {
			heard[q] = o.At
		}
	}
	for _, g := range groups {
		switch last := g[len(g)-1]; {
		case last.Server.Addr != "":
			due.add(g, isOld, known)
		case !last.At.Before(heard[last.subject().question()]):
			due.Open = true
			due.Lost = append(due.Lost, last.Server)
		}
	}
	if len(groups) == 0 {
		due.Open = true
	}
	return due
}

// bySubject groups observations by server, name and type, each by time.
func bySubject(obs []Observation) [][]Observation {
	at := map[subject]int{}
	var out [][]Observation
	for _, o := range obs {
		k := o.subject()
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], o)
	}
	for _, g := range out {
		slices.SortStableFunc(g, func(a, b Observation) int { return a.At.Compare(b.At) })
	}
	return out
}

// add takes the observations of one subject into account.
func (d *Due) add(g []Observation, isOld func(Observation) bool, known uint32) {
	good := slices.DeleteFunc(slices.Clone(g), func(o Observation) bool { return !o.Counts() })
	if len(good) == 0 {
		d.Open = true
		d.Lost = append(d.Lost, g[0].Server)
		return
	}
	if first := good[0]; !isOld(first) {
		ttl, from := known, "the largest TTL known of the old data"
		if ttl == 0 {
			ttl, from = DefaultTTL, "nothing being known of the old data"
		}
		d.Assumed = append(d.Assumed, fmt.Sprintf("%s %s on %s was never seen before the change: TTL %d s assumed, %s",
			first.RRset.Name, first.RRset.Type, first.Server, ttl, from))
		d.term(first, ttl)
	}
	for i, o := range good {
		if !isOld(o) {
			continue
		}
		if i+1 < len(good) { // o, or what replaced it, was published until the next answer at the latest
			d.term(good[i+1], o.RRset.TTL)
			continue
		}
		d.term(o, o.RRset.TTL)
		d.Open = true
		if g[len(g)-1].At.After(o.At) {
			d.Lost = append(d.Lost, o.Server)
		} else {
			d.Still = append(d.Still, o.Server)
		}
	}
}

// term moves At to end + ttl if that is later.
func (d *Due) term(end Observation, ttl uint32) {
	if t := end.At.Add(time.Duration(ttl) * time.Second); d.Why.At.IsZero() || t.After(d.At) {
		d.At, d.TTL, d.Why = t, ttl, end
	}
}

// Safe is At plus what resolvers add on their own: the floor below which they
// stretch TTLs (an hour is prudent), or a tenth of the deciding TTL if that is
// more.
func (d Due) Safe(floor time.Duration) time.Time {
	return d.At.Add(max(floor, time.Duration(d.TTL)*time.Second/10))
}

// Expired says whether old data has left the caches by now, floor included.
// It is unknown, not yes, while a server that may publish old data is silent.
func (d Due) Expired(now time.Time, floor time.Duration) Verdict {
	switch {
	case len(d.Still) > 0:
		return No
	case d.Why.At.IsZero():
		return Unsure
	case now.Before(d.Safe(floor)):
		return No
	case d.Open:
		return Unsure
	}
	return Yes
}
