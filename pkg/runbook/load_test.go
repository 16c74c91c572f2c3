package runbook_test

import (
	"os"
	"path/filepath"
	"testing"

	"example.org/ims/pkg/runbook"
)

func TestShippedRunbooksLoad(t *testing.T) {
	files, err := filepath.Glob("../../runbooks/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no runbooks found: %v", err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, mistakes := runbook.Load(f, data); len(mistakes) > 0 {
			t.Errorf("%v", mistakes)
		}
	}
}
