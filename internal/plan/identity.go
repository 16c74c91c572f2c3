package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
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
	Facts     map[string]string `json:"facts"`
	Path      []string          `json:"path"`
	Changes   [][]Change        `json:"changes"`
}

// identity is the hash of what the plan would do and what it relies on.
func (p *Plan) identity() string {
	b := bound{
		Core: machine.CoreVersion, Digest: p.Definition.Digest, Gateway: p.Gateway, Successor: p.Next, Domains: p.Bound.Domains,
		Params: p.Params, Facts: map[string]string{}, Path: p.Path(),
	}
	for _, f := range p.Facts {
		if f.binds() {
			b.Facts[f.Name] = f.Value
		}
	}
	for i := range p.States {
		b.Changes = append(b.Changes, p.States[i].Changes)
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
