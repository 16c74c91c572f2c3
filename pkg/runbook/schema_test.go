package runbook_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"example.org/ims/pkg/runbook"
)

func TestSchemaIsUpToDate(t *testing.T) {
	want, err := runbook.Schema()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("../../runbooks", runbook.SchemaFile)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is out of date (%v): UPDATE=1 go test ./pkg/runbook", path, err)
	}
}

func TestSchemaAcceptsShippedRunbooks(t *testing.T) {
	text, err := runbook.Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("runbook.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("runbook.json")
	if err != nil {
		t.Fatal(err)
	}
	if s.DraftVersion != 7 {
		t.Errorf("schema is draft-%d, want draft-07", s.DraftVersion)
	}
	files, err := filepath.Glob("../../runbooks/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no runbooks: %v", err)
	}
	for _, f := range files {
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(parse(t, source)); err != nil {
			t.Errorf("%s: %v", f, err)
		}
		typo := slices.Concat(source, []byte("staart: ready\n"))
		if err := s.Validate(parse(t, typo)); err == nil {
			t.Errorf("%s with a misspelt key is accepted", f)
		}
	}
}

// parse reads YAML as an editor's schema checker does, by way of JSON.
func parse(t *testing.T, source []byte) any {
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
