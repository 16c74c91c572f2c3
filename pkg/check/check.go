// Package check explores a runbook: the real machine in the abstract world of
// pkg/model, with every fault between every two commits. It is an explicit-state
// model checker:
//
//   - a state is one of the machine and one of the world, packed into a key, and
//     reduced to what something can still ask for (reduce.go, analysis.go);
//   - a transition is a move of the world, a step of the run, a fault, or an
//     answer; its class says whether fairness may rely on it (shell.go);
//   - the states that can be reached are discovered breadth-first (explore.go),
//     and each is checked for what must never be (safety.go);
//   - on the complete graph it is checked what must happen in the end
//     (liveness.go), and that no run turns in a cycle for good (cycle.go);
//   - a counterexample is the shortest way to a state that violates a property,
//     or from which what must happen cannot (trace.go);
//   - what was never seen is said, because a proof about it is vacuous (cover.go,
//     meddled.go).
//
// A verdict is about the abstraction and its assumptions, which are printed
// beside it. An exploration that hit a bound proves nothing, and says so. The
// package reads no clock, and performs nothing.
package check

import (
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
	Begins      string        `json:"begins"`      // the worlds that the runbook says a run begins in
	Starts      []string      `json:"starts"`      // those that were explored, in words
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
	res := &Result{Runbook: b.Name, Verdict: Proved, Bounds: o.Bounds, Begins: string(b.Def.Begins), Starts: []string{}, Assumptions: append(assumptions(), b.Assumes...), Gaps: []Gap{}}
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
	if pool.Verdict == Violated || res.Verdict == Proved {
		res.Verdict = pool.Verdict
	}
	res.idle(bound.Def)
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

func assumptions() []string {
	return []string{
		"one gateway, one address space, one domain; messages are counted and not told apart; patterns of address spaces are not read",
		"at its start a run finds one speciality at a time (old mail, a dependent, a setting that differs, …), and nobody damages the spool",
		"nobody but the run changes the gateway, its routes or its MX while it lasts",
		"a routing table that lags, a secondary that lags and a cache follow in the end",
		"the service delivers, expires or returns in the end what it has picked up",
		"clients that do not follow MX appear while the gateway still accepts, or are told 450",
		"times are not modelled: a timer may run out at any moment, and what must hold for a time is looked at when it has",
		"crashes, lost answers, refusals, questions that are rejected or expire, and changes of the destination and the successor: any number",
	}
}
