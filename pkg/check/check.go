// Package check explores a runbook: the real machine in the abstract world of
// pkg/model, with every fault between every two commits. It visits every state
// that can be reached, and says of each property whether it always holds; a
// counterexample is the shortest way to a state where it does not.
//
// A verdict is about the abstraction and its assumptions, which are printed
// beside it. An exploration that hit a bound proves nothing, and says so. The
// package reads no clock, and performs nothing.
package check

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"example.org/ims/pkg/guard"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// Runbook is what is checked: a machine, and what its guards mean.
type Runbook struct {
	Name    string
	Def     *machine.Def
	Guards  []guard.All
	Assumes []string // what the runbook itself assumes
}

// Verdict on a property.
type Verdict string

// Verdicts. Inconclusive means that a bound was hit before everything was seen.
const (
	Proved       Verdict = "proved"
	Violated     Verdict = "violated"
	Inconclusive Verdict = "inconclusive"
)

// Result is what a check found.
type Result struct {
	Runbook     string        `json:"runbook"`
	Verdict     Verdict       `json:"verdict"` // the worst of the properties; inconclusive, too, if a state is never reached
	Properties  []Finding     `json:"properties"`
	States      int           `json:"states"`
	Edges       int64         `json:"edges"`
	Bounds      model.Bounds  `json:"bounds"`
	Readings    []string      `json:"readings"`    // of what the sources dispute, each explored
	Assumptions []string      `json:"assumptions"` // beside which every verdict stands
	Gaps        []Gap         `json:"gaps"`        // what was never seen: a proof about nothing
	Bound       Bound         `json:"bound_hit,omitempty"`
	Bytes       int64         `json:"memory_bytes"` // the most that the states took at once
	Elapsed     time.Duration `json:"elapsed_ns"`
	Exploring   time.Duration `json:"exploring_ns"` // of Elapsed, until the last of States was reached; without waits for memory
}

// Bound is one that ended an exploration before everything was seen.
type Bound string

// Bounds that can be hit.
const (
	BoundStates Bound = "states" // Options.MaxStates, or more than can be numbered
	BoundMemory Bound = "memory" // Options.Memory
)

// Finding is the verdict on one property.
type Finding struct {
	ID      string  `json:"id"`
	Title   string  `json:"title"`
	Verdict Verdict `json:"verdict"`
	Trace   []Line  `json:"trace"` // how it comes about; empty if proved
	Note    string  `json:"note,omitempty"`
	Reading string  `json:"reading,omitempty"` // of a disputed cell, under which it fails
}

// Line is a step of a trace.
type Line struct {
	State string `json:"state"` // of the runbook, after the step
	Text  string `json:"text"`
	World string `json:"world,omitempty"` // what has changed, in the words of facts
}

// Options of a check.
type Options struct {
	Bounds model.Bounds
	// MaxStates bounds the states under each reading; 0 is as many as can be
	// numbered, about a thousand million.
	MaxStates int
	// Memory bounds what their states take, together with all checks that share
	// it; nil bounds nothing.
	Memory *Memory
	// Until ends the exploration as soon as each of these properties is
	// violated; what it has not found by then is inconclusive.
	Until []string
	// Starts are the worlds in which a run begins; nil means every one that the
	// runbook is for, within the bounds.
	Starts []model.Start
	// Progress, if not nil, is called every some thousand states, and at each
	// step of what follows, on the goroutine that explores.
	Progress func(Progress)
	// Now tells the time for Elapsed; nil leaves it out.
	Now func() time.Time

	why bool // of a runbook that was changed to see what breaks
	// step replaces the machine's, for tests that break it.
	step func(*machine.Def) func(machine.State, machine.Event) machine.State
}

// Bounds are how much can happen at once.
type Bounds = model.Bounds

// NamedBounds finds bounds by name; BoundNames are the names.
func NamedBounds(name string) (Bounds, bool) {
	for _, b := range []Bounds{model.DefaultBounds(), model.CIBounds()} {
		if b.Name == name {
			return b, true
		}
	}
	return Bounds{}, false
}

// BoundNames lists the names that NamedBounds knows.
func BoundNames() []string { return []string{model.DefaultBounds().Name, model.CIBounds().Name} }

// Run checks a runbook on one core; it may be called from several goroutines.
// It waits where Options.Memory says so. The error says that the runbook cannot
// be explored at all, or that ctx ended.
func Run(ctx context.Context, b *Runbook, o Options) (*Result, error) {
	bound := b.limited(o.Bounds.Attempts)
	p := analyze(bound)
	if n := p.bitsNeeded(); n > model.ImageBits {
		return nil, fmt.Errorf("check runbook %q: the values before its effects take %d bits, the model keeps %d", b.Name, n, model.ImageBits)
	}
	res := &Result{Runbook: b.Name, Verdict: Proved, Bounds: o.Bounds, Assumptions: append(assumptions(), b.Assumes...), Gaps: []Gap{}}
	if o.Now == nil {
		o.Now = func() time.Time { return time.Time{} }
	}
	start := o.Now()
	memory := o.Memory.join()
	defer memory.leave()
	if err := res.explore(ctx, bound, o, memory); err != nil {
		return nil, err
	}
	pool := Pool(bound, true)
	if pool.Verdict == Violated {
		res.Verdict = Violated
	}
	res.Properties = slices.Insert(res.Properties, int(s10)+1, pool)
	res.Elapsed = o.Now().Sub(start)
	return res, nil
}

// limited is the runbook with so many attempts at each effect.
func (b *Runbook) limited(attempts uint8) *Runbook {
	c := b.clone()
	for i := range c.Def.States {
		if do := c.Def.States[i].Do; do != nil {
			do.Retry.Max = min(do.Retry.Max, attempts)
		}
	}
	return c
}

// explore explores a runbook under every reading that makes a difference to it.
func (res *Result) explore(ctx context.Context, b *Runbook, o Options, memory *share) error {
	for _, p := range properties {
		res.Properties = append(res.Properties, Finding{ID: p.id, Title: p.title, Verdict: Proved, Trace: []Line{}})
	}
	var unseen []map[Gap]bool
	starts := o.Starts
	if starts == nil {
		starts = o.Bounds.Starts(b.Def.Begins)
	}
	for _, r := range readings(b.Def, starts) {
		x := newShell(b, model.Rules{Params: r.params, Bounds: o.Bounds})
		if o.step != nil {
			x.step = o.step(b.Def)
		}
		wanted := named(o.Until)
		g := explore(ctx, x, r.starts, limits{o.MaxStates, wanted &^ found(res), memory, o.after(res.States), o.Now})
		if g.ended == complete {
			g.liveness(ctx)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		res.Readings = append(res.Readings, r.words)
		res.merge(g, r.words)
		unseen = append(unseen, g.gaps())
		if wanted != 0 && wanted&^found(res) == 0 {
			break
		}
	}
	if res.Bound == "" {
		res.notice(ctx, b, o, memory, unseen)
	}
	return ctx.Err()
}

// notice lists what was not seen, neither under any reading nor where somebody
// else changes something. A state among that leaves the runbook inconclusive.
func (res *Result) notice(ctx context.Context, b *Runbook, o Options, memory *share, unseen []map[Gap]bool) {
	if !o.wantsGaps() {
		res.gaps(unseen)
		return
	}
	g := meddled(ctx, b, memory)
	res.Bytes = max(res.Bytes, g.peak)
	if g.ended == hitMemory {
		res.hit(g.ended)
		return
	}
	res.gaps(append(unseen, g.gaps()))
	res.Gaps = append(res.Gaps, g.overlooked()...)
	if res.Verdict == Proved && slices.ContainsFunc(res.Gaps, func(g Gap) bool { return g.Unreached }) {
		res.Verdict = Inconclusive
	}
}

// named are the properties with these ids.
func named(ids []string) (s set) {
	for p := range numProperties {
		s.add(p, slices.Contains(ids, properties[p].id))
	}
	return s
}

// found are the properties that are known to be violated.
func found(res *Result) (s set) {
	for p := range res.Properties {
		s.add(property(p), res.Properties[p].Verdict == Violated)
	}
	return s
}

// gaps keeps what no reading has seen.
func (res *Result) gaps(unseen []map[Gap]bool) {
	for gap := range unseen[0] {
		everywhere := true
		for _, u := range unseen {
			everywhere = everywhere && u[gap]
		}
		if everywhere {
			res.Gaps = append(res.Gaps, gap)
		}
	}
	slices.SortFunc(res.Gaps, func(a, b Gap) int { return cmp.Compare(a.Text, b.Text) })
}

// hit notes the bound that ended an exploration. What was proved before stays
// so; the runbook as a whole is not.
func (res *Result) hit(why stop) {
	switch why {
	case hitStates:
		res.Bound = BoundStates
	case hitMemory:
		res.Bound = BoundMemory
	case complete, enough, crowded, cancelled:
		return
	}
	if res.Verdict == Proved {
		res.Verdict = Inconclusive
	}
}

// merge adds what the exploration under one reading found.
func (res *Result) merge(g *graph, reading string) {
	res.States += g.states.len()
	res.Exploring += g.took
	res.Edges += g.count
	res.Bytes = max(res.Bytes, g.peak)
	res.hit(g.ended)
	for p := range numProperties {
		f := &res.Properties[p]
		v := g.found[p]
		switch {
		case f.Verdict == Violated:
		case v.is:
			f.Verdict, f.Reading, f.Note, f.Trace = Violated, reading, v.note, g.counterexample(v)
			res.Verdict = Violated
		case g.ended != complete:
			f.Verdict, f.Note = Inconclusive, "not everything was seen"
			if res.Bound != "" {
				f.Note = "bound hit: " + string(res.Bound)
			}
			if res.Verdict == Proved {
				res.Verdict = Inconclusive
			}
		}
	}
}

// reading is one way to read what the sources dispute.
type reading struct {
	words  string
	params model.Params
	starts []model.Start // to which it makes a difference
}

// readings are those that make a difference to a runbook that begins in one of
// these worlds.
func readings(def *machine.Def, starts []model.Start) []reading {
	flush, hard, said := false, false, false
	for i := range def.States {
		do := def.States[i].Do
		if do == nil {
			continue
		}
		flush = flush || do.Args.Mode == "none"
		refuses := do.Args.Mode == "none" || do.Args.Mode == "outbound-only"
		said = said || do.Args.Refuse != ""
		hard = hard || (refuses && !said)
	}
	all := []reading{{"mode None leaves mts-out alone (Q189587)", model.Params{}, starts}}
	flushed := starts
	if !flush {
		flushed = nil
		for _, s := range starts {
			if s.World.Mode == modeNone || s.World.ModeSet == modeNone {
				flushed = append(flushed, s)
			}
		}
	}
	if len(flushed) > 0 {
		all = append(all, reading{"mode None works off mts-out, too", model.Params{NonePicksUp: true}, flushed})
	}
	if hard {
		for _, r := range all[:len(all):len(all)] {
			r.words += "; a gateway that refuses, and was not told how, answers 5xx"
			r.params.Hard = true
			all = append(all, r)
		}
	}
	return all
}

func assumptions() []string {
	return []string{
		"one gateway, one address space, one domain; messages are counted and not told apart",
		"nobody but the run changes the gateway, its routes or its MX while it lasts",
		"a routing table that lags, a secondary that lags and a cache follow in the end",
		"the service delivers, expires or returns in the end what it has picked up",
		"clients that do not follow MX appear while the gateway still accepts, or are told 450",
		"times are not modelled: a timer may run out at any moment, and what must hold for a time is looked at when it has",
		"crashes, lost answers, refusals, questions that are rejected or expire, and changes of the destination and the successor: any number",
	}
}
