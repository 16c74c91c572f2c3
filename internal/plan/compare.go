package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/facts"
)

// Difference is one thing in which two plans differ.
type Difference struct {
	What string   `json:"what"` // runbook, gateway, successor, domains, parameter, place, setting, fact, path, change, check; or of News
	Name string   `json:"name"`
	Was  []string `json:"was"`
	Now  []string `json:"now"`
	Why  string   `json:"why,omitempty"`
	Fix  string   `json:"fix,omitempty"` // of a check: what lets it pass
}

// What differs.
const (
	ofRunbook   = "runbook"
	ofGateway   = "gateway"
	ofSuccessor = "successor"
	ofDomains   = "domains"
	ofParam     = "parameter"
	ofPlace     = "place"
	ofSetting   = "setting"
	ofFact      = "fact"
	ofPath      = "path"
	ofChange    = "change"
	ofVerdict   = "verdict"
	ofCheck     = "check"
	ofPeople    = "people"
	ofCount     = "count"
	ofWait      = "wait"
	ofMessages  = "messages"
)

// NotKnown reports whether the difference is only that something cannot be
// read now.
func (d Difference) NotKnown() bool {
	return (d.What == ofFact || d.What == ofSetting) && len(d.Now) == 1 && d.Now[0] == notKnown
}

// comparison collects differences.
type comparison []Difference

func (c *comparison) text(what, name, was, now, why string) {
	if was != now {
		*c = append(*c, Difference{What: what, Name: name, Was: []string{was}, Now: []string{now}, Why: why})
	}
}

func (c *comparison) list(what, name string, was, now []string, why string) {
	if !slices.Equal(was, now) {
		*c = append(*c, Difference{What: what, Name: name, Was: nonNil(was), Now: nonNil(now), Why: why})
	}
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// Differences are what has changed since p was made of all that the hash of p is
// over: drift. There are none if and only if both have the same hash.
func (p *Plan) Differences(now *Plan) []Difference {
	c := comparison{}
	c.text(ofGateway, "gateway", p.Gateway, now.Gateway, "")
	c.text(ofSuccessor, "successor", p.Next, now.Next, "")
	c.list(ofDomains, "mail domains", p.Bound.Domains, now.Bound.Domains, "")
	c.text(ofRunbook, p.Runbook, p.Definition.Digest, now.Definition.Digest, "the runbook is another one")
	for _, name := range names(p.Params, now.Params) {
		c.text(ofParam, name, p.Params[name], now.Params[name], "")
	}
	c.places(ofPlace, p.Places.bound(p.Gateway, p.Next), now.Places.bound(now.Gateway, now.Next))
	c.settings(p, now)
	c.facts(p, now, Fact.binds)
	c.path(p, now)
	return c
}

// NotKnown reports whether differences come only from facts and settings that
// cannot be read now. What the prediction makes of those is no difference of its
// own, nor are checks that are unknown beside them.
func NotKnown(all []Difference) bool {
	unknown := false
	for _, d := range all {
		switch {
		case d.NotKnown():
			unknown = true
		case d.What != ofPath && d.What != ofChange && !d.unsure():
			return false
		}
	}
	return unknown
}

func names(a, b map[string]string) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

// facts compares the facts that pick wants.
func (c *comparison) facts(p, now *Plan, pick func(Fact) bool) {
	have := map[string]Fact{}
	for _, f := range now.Facts {
		have[f.Name] = f
	}
	for _, f := range p.Facts {
		if !pick(f) {
			continue
		}
		g, why := have[f.Name], ""
		if id, ok := facts.Lookup(f.Name); ok {
			why = id.Definition().Doc
		}
		if g.Provenance == facts.NotKnown {
			why = g.Why
		}
		what := ofFact
		if !f.binds() {
			what = ofCount
		}
		c.text(what, f.Name, f.Value, g.Value, why)
	}
}

// places compares where everything is, or what is set. What one of the two has
// no place for, it does not touch.
func (c *comparison) places(what string, was, is []place) {
	at := func(all []place, name string) (at []string, ok bool) {
		if i := slices.IndexFunc(all, func(x place) bool { return x.Name == name }); i >= 0 {
			return all[i].At, true
		}
		return nil, false
	}
	for _, a := range was {
		b, _ := at(is, a.Name)
		c.list(what, a.Name, a.At, b, a.about)
	}
	for _, b := range is {
		if _, both := at(was, b.Name); !both {
			c.list(what, b.Name, nil, b.At, b.about)
		}
	}
}

// path compares the states that are passed through, and what each changes. A
// state that is passed more than once is compared with the same time that it is.
func (c *comparison) path(p, now *Plan) {
	was, is := p.passes(), now.passes()
	if i := firstDifference(was, is); i < max(len(was), len(is)) {
		name := "from the start"
		if i > 0 {
			name = "after " + was[i-1]
		}
		c.list(ofPath, name, onward(was[i:], p), onward(is[i:], now), "")
	}
	times := map[string]int{}
	for i, name := range was {
		times[name]++
		if j := nth(is, name, times[name]); j >= 0 {
			c.changes(&p.States[i], &now.States[j])
		}
	}
}

// nth is where a name stands in a list for the nth time, or -1.
func nth(list []string, name string, n int) int {
	for i, one := range list {
		if one == name {
			n--
		}
		if n == 0 {
			return i
		}
	}
	return -1
}

// name is a step as a path names it: an undo is another thing than what it
// undoes.
func (s *Step) name() string {
	if s.Back {
		return "undo of " + s.ID
	}
	return s.ID
}

func (p *Plan) passes() []string {
	names := make([]string, len(p.States))
	for i := range p.States {
		names[i] = p.States[i].name()
	}
	return names
}

func (c *comparison) changes(was, now *Step) {
	find := func(s *Step, target string) (lines []string, note string) {
		if k := slices.IndexFunc(s.Changes, func(x Change) bool { return x.Target == target }); k >= 0 {
			return s.Changes[k].Lines(), s.Changes[k].Note
		}
		return nil, ""
	}
	var targets []string
	for _, a := range slices.Concat(was.Changes, now.Changes) {
		if !slices.Contains(targets, a.Target) {
			targets = append(targets, a.Target)
		}
	}
	for _, t := range targets {
		before, note := find(was, t)
		after, _ := find(now, t)
		c.list(ofChange, was.name()+" of "+t, before, after, note)
	}
}

// Lines are a change as lines of a difference, begun by -, + or, for what
// stays, a blank.
func (ch Change) Lines() []string {
	out := []string{}
	for _, l := range ch.Before {
		sign := "- "
		if slices.Contains(ch.After, l) {
			sign = "  "
		}
		out = append(out, sign+l)
	}
	for _, l := range ch.After {
		if !slices.Contains(ch.Before, l) {
			out = append(out, "+ "+l)
		}
	}
	return out
}

func firstDifference(a, b []string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return i
}

// onward is the rest of a path, and where it stops short.
func onward(rest []string, p *Plan) []string {
	words := strings.Join(rest, ", ")
	if len(rest) > 3 {
		words = fmt.Sprintf("%s, %s, … (%d states)", rest[0], rest[1], len(rest))
	}
	if words == "" {
		words = "no further state"
	}
	out := []string{words}
	if !p.Complete() {
		for _, ck := range p.Checks {
			if ck.Verdict == verdict.Fail || ck.Verdict == verdict.Unknown {
				out = append(out, fmt.Sprintf("stops: %s (%s): %s", ck.That, ck.Verdict, ck.Why))
			}
		}
	}
	return out
}

// News is what else has changed: verdicts that bind nothing or are better, who
// may approve, counts, dates, and the fate of messages. None of it binds.
func (p *Plan) News(now *Plan) []Difference {
	c := comparison{}
	c.text(ofVerdict, "verdict", string(p.Verdict), string(now.Verdict), "")
	c.checks(p, now)
	c.text(ofPeople, "may approve", orNone(strings.Join(p.Approvers, ", ")), orNone(strings.Join(now.Approvers, ", ")), "")
	c.facts(p, now, func(f Fact) bool { return f.Class == facts.Measure.String() })
	c.text(ofWait, "ends not before", p.Ends.Format(timeForm), now.Ends.Format(timeForm), "")
	c.text(ofMessages, "messages", p.Messages.words(), now.Messages.words(), "")
	return c
}

const timeForm = "2006-01-02 15:04:05Z07:00"

func (m Messages) words() string {
	return fmt.Sprintf("%d queued: %d deliver, %d return, %d held", m.Queued, m.Delivered, m.Returned, m.Held)
}
