package zone

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Verdict is an answer to a question about the world. Unknown is never taken
// for yes.
type Verdict uint8

// Verdicts.
const (
	Unsure Verdict = iota
	No
	Yes
)

var verdictNames = [...]string{"unknown", "no", "yes"}

func (v Verdict) String() string { return verdictNames[v%3] }

// MarshalText writes unknown, no or yes.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// and combines verdicts of parts that must all be yes: a no decides, then an
// unknown.
func (v Verdict) and(o Verdict) Verdict {
	switch {
	case v == No || o == No:
		return No
	case v == Unsure || o == Unsure:
		return Unsure
	}
	return Yes
}

// Server is one address of one authoritative server.
type Server struct {
	NS   string `json:"ns"`   // name, or "" when only the address is configured
	Addr string `json:"addr"` // ip:port; "" if the name has no address, or for a finding about the delegation
	Role string `json:"role"` // parent, child, mname or configured; joined by +
}

func (s Server) String() string {
	switch {
	case s.NS == "":
		return s.Addr
	case s.Addr == "":
		return s.NS
	}
	return s.NS + " (" + s.Addr + ")"
}

// Observation is one answer, or the lack of one, of one server. Observations
// are only ever appended.
type Observation struct {
	At     time.Time     `json:"at"` // when the answer was read, or given up
	Server Server        `json:"server"`
	RRset  RRset         `json:"rrset"`            // Name and Type are always set; TTL as published
	Serial uint32        `json:"serial,omitempty"` // of the zone's SOA at that server; 0 if not known
	AA     bool          `json:"aa"`
	TC     bool          `json:"tc,omitempty"` // still truncated over TCP
	Rcode  int           `json:"rcode"`
	Err    string        `json:"err,omitempty"`
	RTT    time.Duration `json:"rtt"`
}

// Counts reports whether o proves what the server publishes: AA, NOERROR or
// NXDOMAIN, whole.
func (o Observation) Counts() bool {
	return o.Err == "" && o.AA && !o.TC && (o.Rcode == rcodeNoError || o.Rcode == rcodeNXDomain)
}

const (
	rcodeNoError  = 0
	rcodeNXDomain = 3
)

// subject is what an observation is about.
type subject struct{ server, name, typ string }

func (o Observation) subject() subject {
	r := o.RRset.Canonical()
	id := o.Server.Addr
	if id == "" {
		id = o.Server.NS
	}
	return subject{id, r.Name, r.Type}
}

// question is s without the server.
func (s subject) question() subject { return subject{name: s.name, typ: s.typ} }

// latest is the last observation of every subject, in order of first sight.
func latest(obs []Observation) []Observation {
	at := map[subject]int{}
	var out []Observation
	for _, o := range obs {
		i, seen := at[o.subject()]
		switch {
		case !seen:
			at[o.subject()] = len(out)
			out = append(out, o)
		case !o.At.Before(out[i].At):
			out[i] = o
		}
	}
	return out
}

// Agree says whether all servers publish the same data with the same TTL. Give
// it one round of observations of one RRset: every server must be in it, and
// one that did not answer makes the verdict unknown unless two others differ.
func Agree(obs []Observation) Verdict {
	var first *Observation
	v := Yes
	for _, o := range latest(obs) {
		switch {
		case !o.Counts():
			v = Unsure
		case first == nil:
			first = &o
		case !o.RRset.Equal(first.RRset):
			return No
		}
	}
	if first == nil {
		return Unsure
	}
	return v
}

// Row is what one server publishes, compared with a wanted RRset.
type Row struct {
	Server  Server  `json:"server"`
	Verdict Verdict `json:"verdict"`
	Note    string  `json:"note,omitempty"`
}

// Wanted says whether every server publishes want, TTL included. Give it one
// round of observations, as [Agree].
func Wanted(obs []Observation, want RRset) Verdict {
	rows := Compare(obs, want)
	if len(rows) == 0 {
		return Unsure
	}
	v := Yes
	for _, r := range rows {
		v = v.and(r.Verdict)
	}
	return v
}

// Compare lists every server with its verdict and, where it is not yes, why:
// no answer, lame, lagging behind, or diverged. Equal serials do not prove
// equal data, so a server whose serial is not behind but whose data is, has
// diverged and needs a new transfer.
func Compare(obs []Observation, want RRset) []Row {
	var rows []Row
	round := slices.DeleteFunc(latest(obs), func(o Observation) bool {
		return CanonicalName(o.RRset.Name) != CanonicalName(want.Name) || o.RRset.Canonical().Type != want.Canonical().Type
	})
	since, known := wantedSince(round, want)
	for _, o := range round {
		row := Row{Server: o.Server}
		switch {
		case !o.Counts():
			row.Note = o.Why()
		case o.RRset.Equal(want):
			row.Verdict = Yes
		case o.RRset.SameData(want):
			row.Verdict, row.Note = No, fmt.Sprintf("TTL is %d, not %d", o.RRset.TTL, want.TTL)
		case known && o.Serial != 0 && !serialLess(o.Serial, since):
			row.Verdict = No
			row.Note = fmt.Sprintf("diverged: serial %d is not behind, data is: %s; bump the serial or transfer again", o.Serial, o.RRset)
		case known && o.Serial != 0:
			row.Verdict, row.Note = No, fmt.Sprintf("lagging: serial %d, wanted data since %d: %s", o.Serial, since, o.RRset)
		default:
			row.Verdict, row.Note = No, "publishes "+o.RRset.String()
		}
		rows = append(rows, row)
	}
	return rows
}

// wantedSince is the smallest serial at which a server publishes want.
func wantedSince(round []Observation, want RRset) (serial uint32, known bool) {
	for _, o := range round {
		if o.Counts() && o.Serial != 0 && o.RRset.Equal(want) && (!known || serialLess(o.Serial, serial)) {
			serial, known = o.Serial, true
		}
	}
	return serial, known
}

// serialLess compares serial numbers (RFC 1982 3.2).
func serialLess(a, b uint32) bool { return int32(a-b) < 0 }

// Why says why o does not count; of one that does it says nothing useful.
func (o Observation) Why() string {
	switch {
	case o.Err != "":
		return o.Err
	case o.Rcode != rcodeNoError && o.Rcode != rcodeNXDomain:
		return fmt.Sprintf("lame: rcode %d", o.Rcode)
	case o.TC:
		return "answer is truncated"
	}
	return "answer is not authoritative"
}

// Watcher asks every address of every authoritative server.
type Watcher interface {
	// Observe makes one round: at least one observation of every server, also
	// of those that did not answer, and one without Counts for everything that
	// forbids to certify (a name server without address, a parent that names
	// other servers than the zone itself). It is never empty and never fails
	// as a whole. Safe for concurrent use.
	Observe(ctx context.Context, name, typ string) []Observation
}
