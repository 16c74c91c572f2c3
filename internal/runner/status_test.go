package runner

import (
	"testing"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/runbooks"
)

// Only an effect that was intended is one that an abort must undo, or cannot.
func TestUndoIsOfWhatWasIntended(t *testing.T) {
	src, err := runbooks.FS.ReadFile("q285090.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, mistakes := runbook.Load("q285090.yaml", src)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	book, mistakes := runbook.Bind(doc, worldtest.Binding(nil))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	// The guard of remove failed, and the run went back to watch.
	visits := []machine.Visit{{State: "move_mx"}, {State: "outbound_only"}, {State: "remove"}, {State: "watch"}}
	for _, tt := range []struct {
		name     string
		changed  []string
		possible bool
		undone   int
		beyond   string
	}{
		{"nothing", nil, true, 0, ""},
		{"one effect", []string{"move_mx"}, true, 1, ""},
		{"beyond the point of no return", []string{"move_mx", "outbound_only", "remove"}, false, 2, "remove"},
	} {
		s := describe(engine.Status{Phase: machine.Judging.String(), Visits: visits, Changed: tt.changed}, book)
		if s.Undo.Possible != tt.possible || len(s.Undo.Undone) != tt.undone || s.Undo.Beyond != tt.beyond {
			t.Errorf("%s: %+v", tt.name, s.Undo)
		}
	}
}
