package config

import (
	"bytes"
	"os"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestSchema wants the schema to take what Load takes, and to refuse a key that
// Load does not know.
func TestSchema(t *testing.T) {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("ims.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("ims.json")
	if err != nil {
		t.Fatal(err)
	}
	if s.DraftVersion != 7 {
		t.Errorf("schema is draft-%d, want draft-07", s.DraftVersion)
	}
	for _, f := range []string{"testdata/full.yaml", "testdata/minimal.yaml"} {
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(decoded(t, source)); err != nil {
			t.Errorf("%s: %v", f, err)
		}
		if err := s.Validate(decoded(t, append(source, "gatway: {}\n"...))); err == nil {
			t.Errorf("%s with a misspelt key is accepted", f)
		}
	}
}

// decoded reads YAML as an editor's schema checker does, by way of JSON.
func decoded(t *testing.T, source []byte) any {
	t.Helper()
	text, err := yaml.YAMLToJSON(source)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
