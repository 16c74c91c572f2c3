package preflight

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/pkg/facts"
)

// The beginnings of the reasons of what does not count because of its time.
const (
	tooOld = "it was observed "
	tooNew = "the clocks do not agree: "
)

// skew is by how much the clock of whoever observed may be ahead of the clock of
// whoever judges: what is of a later time than that has an age that nobody knows.
const skew = 2 * time.Minute

// untimely says whether what was observed at a time does not count, and why.
func untimely(now, at time.Time, age time.Duration) string {
	ago := now.Sub(at)
	switch {
	case ago < -skew:
		return fmt.Sprintf(tooNew+"it was observed %s, which is %s in the future, so how old it is is not known",
			at.UTC().Format(time.RFC3339), roundUp(-ago))
	case age > 0 && ago > age:
		return fmt.Sprintf(tooOld+"%s ago, and older than %s does not count", roundUp(ago), age)
	}
	return ""
}

// roundUp rounds to seconds so that what is more than a limit is printed as more.
func roundUp(d time.Duration) time.Duration {
	if whole := d.Truncate(time.Second); whole < d {
		return whole + time.Second
	}
	return d
}

// within forgets what was observed in the future, or longer ago than age; 0 is no
// limit.
func (s *Snapshot) within(now time.Time, age time.Duration) *Snapshot {
	why := func(at time.Time) string { return untimely(now, at, age) }
	old := func(at time.Time) bool { return why(at) != "" }
	c := *s
	c.Facts = append([]Fact{}, s.Facts...)
	for i := range c.Facts {
		if f := &c.Facts[i]; f.Provenance != facts.NotKnown && old(f.At) {
			f.Value, f.Provenance, f.Why = "unknown", facts.NotKnown, why(f.At)
		}
	}
	if old(c.Outbound.At) {
		c.Outbound.Err = why(c.Outbound.At)
	}
	if old(c.Made) {
		c.Told, c.People, c.toldWhy, c.Before = nil, nil, why(c.Made), nil
	}
	c.Inbound = s.Inbound.within(old, why)
	if c.Own != nil && old(c.Own.At) {
		c.Own = nil
	}
	if c.Next != nil && old(c.Next.At) {
		c.Next = nil
	}
	c.Servers = slices.Clone(s.Servers)
	for i := range c.Servers {
		if v := &c.Servers[i]; old(v.At) {
			v.Err = why(v.At)
		}
	}
	c.Updates = slices.Clone(s.Updates)
	for i := range c.Updates {
		if u := &c.Updates[i]; old(u.At) {
			u.Verdict, u.Why = Unknown, why(u.At)
		}
	}
	c.Dependents = append([]Dependents{}, s.Dependents...)
	for i := range c.Dependents {
		if d := &c.Dependents[i]; old(d.At) {
			d.Err = why(d.At)
		}
	}
	return &c
}

// aged says what helps against a check that is unknown because of its time alone:
// nothing is wrong with what it is about.
func (c *Check) aged(gateway string) {
	for _, begin := range []string{tooNew, tooOld} {
		of := func(why string) bool { return strings.Contains(why, begin) }
		if !of(c.Reason) && !slices.ContainsFunc(c.Missing, of) {
			continue
		}
		if who, why, _ := strings.Cut(c.Reason, begin); of(c.Reason) && !strings.HasSuffix(who, ": ") {
			c.Reason = begin + why
		}
		c.Fix = "ims facts " + gateway + " --out FILE, and judge that file"
		if begin == tooNew {
			c.Fix = "set the clock that is wrong, here or where the facts were observed, then: " + c.Fix
		}
		return
	}
}
