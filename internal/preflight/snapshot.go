package preflight

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"example.org/ims/internal/plan"
	"example.org/ims/pkg/facts"
)

// Schema is the shape of a saved snapshot.
const Schema = "ims/facts/v1"

// Snapshot is everything that was observed at one time about the retirement of
// a gateway.
type Snapshot struct {
	Schema    string            `json:"-"`
	Gateway   string            `json:"gateway"`
	Successor string            `json:"successor"`
	Runbook   string            `json:"runbook"` // whose parameters were used
	Params    map[string]string `json:"params"`
	// Configured are the parameters that the configuration has, for whatever
	// runbook the snapshot is judged by.
	Configured map[string]string `json:"configured_params"`
	Domains    []string          `json:"domains"` // whose MX a run would move
	Made       time.Time         `json:"made"`
	// Cached is until when an old MX may be cached, floor included, if it went
	// now; zero if that is not known.
	Cached     time.Time    `json:"old_mx_cached_until"`
	Facts      []Fact       `json:"facts"`
	Before     *plan.Before `json:"before,omitempty"` // what a run would change, as it is; nil if that is not known
	Outbound   Outbound     `json:"outbound"`
	Inbound    Inbound      `json:"inbound"`
	Dependents []Dependents `json:"dependents"`
	// Own and Next are how the gateway and its successor stand; nil if that is not
	// known, or there is no successor.
	Own     *Standing `json:"gateway_standing,omitempty"`
	Next    *Standing `json:"successor_standing,omitempty"`
	Servers []Server  `json:"servers"`
	Updates []Update  `json:"updates"` // that name servers were asked about; null if they were not asked
	// Compared are the settings that the successor has not taken over, whatever
	// is waived; null if that is not known.
	Compared []Setting `json:"compared"`
	Waivers  []Waiver  `json:"waivers"`   // of the configuration, when this was observed
	Runs     []string  `json:"open_runs"` // of the gateway
	Held     []Held    `json:"held"`
	// Removed is the run that removed the gateway last, if one did.
	Removed *Removal `json:"removed,omitempty"`
	People  []Person `json:"people"` // who may do what; null if that is not known
	Opener  string   `json:"opener"` // who looks, and would open the run, as people names them
	Told    []Told   `json:"told"`   // who is told what happens; null if that is not known
	Notes   []string `json:"notes"`

	differs []Setting // of Compared, those that are not waived
	offline bool
	toldWhy string // why Told and People are null
}

// Fact is one observed value, in words.
type Fact struct {
	Name       string           `json:"name"`
	Value      string           `json:"value"`
	Class      string           `json:"class"`
	Source     string           `json:"source,omitempty"`
	Provenance facts.Provenance `json:"provenance"`
	At         time.Time        `json:"at"`
	From       time.Time        `json:"from"`
	Why        string           `json:"why,omitempty"`
}

// Outbound is what was found out about cover of what the gateway carries.
type Outbound struct {
	At    time.Time `json:"at"`
	Err   string    `json:"error,omitempty"` // why nothing is known
	Parts []Part    `json:"parts"`
}

// Part is one address space as seen from one origin, or one connected site.
type Part struct {
	Name    string `json:"name"`           // "SMTP:*.test", or the name of a connected site
	From    string `json:"from,omitempty"` // SITE or SITE/LOCATION; empty for a connected site
	Verdict string `json:"verdict"`        // covered, uncovered or undecided
	Why     string `json:"why"`
	Fix     string `json:"fix,omitempty"`
	// Blackhole is the gateway that would take mail of an uncovered part and
	// carries nothing; "" if that mail finds no route.
	Blackhole string `json:"black_hole,omitempty"`
}

// Dependents are the settings of one other gateway that name this one.
type Dependents struct {
	Gateway string    `json:"gateway"`
	At      time.Time `json:"at"`
	Err     string    `json:"error,omitempty"` // why not everything is known
	Names   []Naming  `json:"settings"`
}

// Naming is one setting that names the gateway.
type Naming struct {
	What string `json:"what"` // the setting, its value, and how it names the gateway
	Fix  string `json:"fix"`
	Open bool   `json:"open"` // there is no clear replacement: somebody must decide
}

// FactsOf are the words for a set of facts.
func FactsOf(set *facts.Set) []Fact {
	var out []Fact
	for _, id := range facts.All() {
		f := set[id]
		out = append(out, Fact{
			Name: id.String(), Value: id.Format(f.Value), Class: id.Definition().Class.String(), Source: f.Source,
			Provenance: f.Provenance, At: f.At, From: f.From, Why: f.Why,
		})
	}
	return out
}

// Set reads the words back. A fact that the snapshot lacks is unknown; one
// that this version does not know is passed over.
func (s *Snapshot) Set() (*facts.Set, error) {
	set := facts.NewSet()
	for i := range set {
		set[i].Why = "the facts do not speak of it"
	}
	for _, f := range s.Facts {
		id, ok := facts.Lookup(f.Name)
		if !ok {
			continue
		}
		v, err := id.Parse(f.Value)
		if err != nil {
			return nil, fmt.Errorf("read fact %s: value %q: %w", f.Name, f.Value, err)
		}
		set.Put(facts.Fact{ID: id, Value: v, At: f.At, From: f.From, Source: f.Source, Provenance: f.Provenance, Why: f.Why})
	}
	return set, nil
}

// Read reads a saved snapshot.
func Read(data []byte) (*Snapshot, error) {
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	if head.Schema != Schema {
		return nil, fmt.Errorf("read facts: schema is %q, want %q: save them with ims facts NAME --out FILE", head.Schema, Schema)
	}
	s := &Snapshot{Schema: head.Schema}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	if s.Gateway == "" || s.Made.IsZero() {
		return nil, errors.New("read facts: they name no gateway or no time")
	}
	_, err := s.Set()
	return s, err
}

func (s *Snapshot) provenance() facts.Provenance {
	if s.offline {
		return facts.Recorded
	}
	return facts.Live
}

// recorded is the snapshot as somebody reads it later.
func (s *Snapshot) recorded() *Snapshot {
	c := *s
	c.offline = true
	c.Facts = append([]Fact{}, s.Facts...)
	for i := range c.Facts {
		if c.Facts[i].Provenance == facts.Live {
			c.Facts[i].Provenance = facts.Recorded
		}
	}
	return &c
}
