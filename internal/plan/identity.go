package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"example.org/ims/internal/jcs"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// bound is what a plan binds to, in the form that is hashed.
type bound struct {
	Core      string            `json:"core"`
	Digest    string            `json:"runbook"`
	Gateway   string            `json:"gateway"`
	Successor string            `json:"successor"`
	Domains   []string          `json:"domains"`
	Params    map[string]string `json:"params"`
	Places    []place           `json:"places"`
	Settings  []place           `json:"settings"`
	Facts     map[string]string `json:"facts"`
	Path      []passed          `json:"path"`
}

// passed is one state of the path with what it changes, as [Plan.Differences]
// shows it.
type passed struct {
	State   string              `json:"state"`
	Changes map[string][]string `json:"changes"` // by target
}

// place is one place that a plan relies on, or one setting with what it is set
// to.
type place struct {
	Name  string   `json:"name"`
	At    []string `json:"at"`
	about string   // what it is, if the name does not say it
}

// bound are the places that a plan relies on: where the two gateways are and
// what they are called, and for each name whose records are changed, the zone,
// the server that takes the change, and those that are asked whether it is there.
// Where archives are written, and which file holds a key, is no such place.
func (p *Places) bound(gateway, next string) []place {
	all := []place{
		at("adapter of "+gateway, p.Adapter), at("socket of "+gateway, p.Socket),
		at("listener of "+gateway, p.Listen), at("host name of "+gateway, p.Hostname),
	}
	if next != "" {
		all = append(all,
			at("adapter of "+next, p.Next.Adapter), at("socket of "+next, p.Next.Socket),
			at("listener of "+next, p.Next.Listen), at("host name of "+next, p.Successor))
	}
	for _, z := range slices.Concat(p.Zones, p.Names) {
		all = append(all,
			at("zone of "+z.Domain, z.Zone), at("server for "+z.Domain, z.Server),
			at("authorities for "+z.Domain, slices.Sorted(slices.Values(z.Authorities))...))
	}
	return all
}

func at(name string, values ...string) place { return place{Name: name, At: values} }

// identity is the hash of what the plan would do and what it relies on. Verdicts
// are no part of it: they bind in one direction, and [Plan.Worse] compares them.
func (p *Plan) identity() string {
	b := bound{
		Core: machine.CoreVersion, Digest: p.Definition.Digest, Gateway: p.Gateway, Successor: p.Next, Domains: p.Bound.Domains,
		Params: p.Params, Facts: map[string]string{}, Path: []passed{},
		Places: p.Places.bound(p.Gateway, p.Next), Settings: p.settings(),
	}
	for _, f := range p.Facts {
		if f.binds() {
			b.Facts[f.Name] = f.Value
		}
	}
	for i := range p.States {
		s := &p.States[i]
		one := passed{s.name(), map[string][]string{}}
		for _, c := range s.Changes {
			one.Changes[c.Target] = c.Lines()
		}
		b.Path = append(b.Path, one)
	}
	return digest(b)
}

// binds reports whether a plan relies on the fact. What a run was granted is
// the run's own, and no run has begun.
func (f Fact) binds() bool {
	return f.Class == facts.Config.String() && !strings.HasPrefix(f.Name, "run.")
}

// digest is the SHA-256 of a value's canonical form.
func digest(v any) string {
	raw, err := json.Marshal(v)
	if err == nil {
		raw, err = jcs.Canonical(raw)
	}
	if err != nil { // a text that is not UTF-8, say: such a plan equals no other
		raw = []byte(err.Error())
	}
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}
