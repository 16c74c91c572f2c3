package plan_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"

	"example.org/ims/internal/jcs"
	"example.org/ims/internal/plan"
)

// TestAStateHasOneNumber: a plan counts the states as the runbook does, and so as
// the status of the run that performs it, whichever of them it predicts.
func TestAStateHasOneNumber(t *testing.T) {
	for _, name := range []string{"q285090", "maintenance"} {
		b := book(t, name)
		p := plan.Make(inputOf(b, nil))
		gaps := false
		for i, s := range p.States {
			if want := b.Def.Number(b.Def.Find(s.ID)); s.Number != want || want == 0 {
				t.Errorf("%s: %s has the number %d, want %d", name, s.ID, s.Number, want)
			}
			gaps = gaps || s.Number != i+1
		}
		if !gaps {
			t.Errorf("%s: the path is the whole runbook, which shows nothing", name)
		}
	}
}

// TestAPlanOfBeforeIsNumbered: one that was saved without numbers has them when it
// is read.
func TestAPlanOfBeforeIsNumbered(t *testing.T) {
	p := plan.Make(input(t, nil))
	var members map[string]json.RawMessage
	var states []map[string]json.RawMessage
	for _, err := range []error{json.Unmarshal(save(t, p), &members), json.Unmarshal(members["states"], &states)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range states {
		delete(s, "number")
	}
	delete(members, "seal")
	canonical := func(v any) []byte {
		raw, err := json.Marshal(v)
		if err == nil {
			raw, err = jcs.Canonical(raw)
		}
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	members["states"] = canonical(states)
	sum := sha256.Sum256(canonical(members))
	members["seal"] = canonical("sha256:" + hex.EncodeToString(sum[:]))
	old := canonical(members)
	if bytes.Contains(old, []byte(`"number":`)) {
		t.Fatal("it has numbers")
	}
	got, err := plan.Read(old)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range got.States {
		if s.Number != p.States[i].Number {
			t.Errorf("%s has the number %d, want %d", s.ID, s.Number, p.States[i].Number)
		}
	}
}
