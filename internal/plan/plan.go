// Package plan predicts a run: it drives the runbook's real machine through
// the abstract world, seeded with what was observed, and performs nothing.
package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
	"example.org/ims/pkg/runbook"
)

// Verdict of a plan.
type Verdict string

// Verdicts: Ready to start, Blocked by a guard or a missing decision, Unknown
// because a fact could not be read.
const (
	Ready   Verdict = "ready"
	Blocked Verdict = "blocked"
	Unknown Verdict = "unknown"
)

// Plan is what a run would do.
type Plan struct {
	Verdict  Verdict   `json:"verdict"`
	Gateway  string    `json:"gateway"`
	Next     string    `json:"successor"`
	Runbook  string    `json:"runbook"`
	Made     time.Time `json:"made"`
	Checks   []Check   `json:"checks"`
	States   []Step    `json:"states"`
	Messages Messages  `json:"messages"`
	NoReturn string    `json:"point_of_no_return,omitempty"`
	Unread   []string  `json:"not_checked"`
	Notes    []string  `json:"notes,omitempty"`
	Ends     time.Time `json:"ends_not_before"`
	ID       ID        `json:"plan"`
}

// ID identifies a plan: two plans with the same hash do the same.
type ID struct {
	Hash string `json:"hash"`
	Core string `json:"core"`
}

// Check is one guard, judged at the point where the run would judge it.
type Check struct {
	ID         string           `json:"id"`
	That       string           `json:"that"`
	Verdict    string           `json:"verdict"` // pass, fail or unknown
	Why        string           `json:"why"`
	Fix        string           `json:"fix"`
	Provenance facts.Provenance `json:"provenance"`
	Missing    []string         `json:"missing,omitempty"`
}

// Step is one state of the predicted path.
type Step struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	Source  []string `json:"source"`
	Because string   `json:"because,omitempty"`
	Kind    string   `json:"kind"`
	Changes []string `json:"changes,omitempty"`
	Waits   *Wait    `json:"waits,omitempty"`
	Asks    string   `json:"asks,omitempty"`
	Undo    string   `json:"undo,omitempty"`
}

// Wait is how long a state takes at least, and at most before people are asked.
type Wait struct {
	For      string    `json:"for"`
	AtMost   string    `json:"at_most"`
	Earliest time.Time `json:"earliest"` // wall-clock end, not before
}

// Messages predicts the fate of what is queued now.
type Messages struct {
	Queued    int      `json:"queued"`
	Delivered int      `json:"delivered"`
	Returned  int      `json:"returned"`
	Held      int      `json:"held"`
	Fates     []Fate   `json:"fates,omitempty"`
	Notes     []string `json:"notes,omitempty"`
}

// Fate is the prediction for one queued entry.
type Fate struct {
	Message string   `json:"message"`
	Rcpts   []string `json:"rcpts"`
	Store   string   `json:"store"`
	Fate    string   `json:"fate"`
	Why     string   `json:"why,omitempty"`
}

// Input is what a plan is made from.
type Input struct {
	Book     *runbook.Book
	Facts    *facts.Set
	Now      time.Time
	Describe func(a machine.ActionName, args machine.Args, target string) string // a change in words
	Expires  time.Time                                                           // when the old MX will have left the caches, if it is known
}

// maxSteps bounds the prediction; a runbook has at most 64 states, and none is
// entered more than a few times on the way that this follows.
const maxSteps = 1000

// Make predicts the run.
func Make(in Input) *Plan {
	vector := in.Facts.Vector()
	world, assumed := model.Seed(&vector)
	m := &maker{in: in, world: world, seed: vector, clock: in.Now, plan: &Plan{
		Verdict: Ready, Gateway: in.Book.Bound.Gateway, Next: in.Book.Bound.Successor,
		Runbook: in.Book.Def.Name, Made: in.Now, Unread: []string{},
	}}
	for _, id := range assumed {
		m.plan.Unread = append(m.plan.Unread, fmt.Sprintf("%s: %s", id, in.Facts[id].Why))
	}
	m.run()
	m.plan.Ends = m.clock
	m.plan.ID = ID{Hash: m.hash(), Core: machine.CoreVersion}
	return m.plan
}

// Path is the sequence of states that a plan predicts.
func (p *Plan) Path() []string {
	ids := make([]string, len(p.States))
	for i := range p.States {
		ids[i] = p.States[i].ID
	}
	return ids
}

// hash covers what the plan would do and what it relies on: the runbook, its
// binding, the config facts, and the path; never counts.
func (m *maker) hash() string {
	h := sha256.New()
	fmt.Fprintf(h, "core %s\nrunbook %s\ngateway %s\nsuccessor %s\n", machine.CoreVersion, m.in.Book.Doc.Digest, m.plan.Gateway, m.plan.Next)
	for _, d := range m.in.Book.Bound.Domains {
		fmt.Fprintf(h, "domain %s\n", d)
	}
	for _, p := range m.in.Book.Doc.Params {
		fmt.Fprintf(h, "param %s=%s\n", p.Key, m.in.Book.Params[p.Key.Value])
	}
	for _, id := range facts.All() {
		if id.Definition().Class == facts.Config {
			fmt.Fprintf(h, "%s=%s\n", id, id.Format(m.seed[id]))
		}
	}
	for _, s := range m.plan.States {
		fmt.Fprintf(h, "state %s\n", s.ID)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
