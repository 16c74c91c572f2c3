package access

import (
	"os"
	"path/filepath"
	"testing"
)

// socket is a path short enough for sockaddr_un.
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ims")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "run", "s")
}

func TestLook(t *testing.T) {
	p := People{0: {"root", View}, 7: {"anna", Approve}}
	for _, tt := range []struct {
		uid, self uint32
		want      Right
	}{
		{0, 5, View}, {7, 5, Approve}, {8, 5, Nothing}, {5, 5, Operate}, {0, 0, Operate}, {7, 7, Approve},
	} {
		if got := p.Look(tt.uid, tt.self); got.May != tt.want {
			t.Errorf("Look(%d, self %d) = %+v, want %s", tt.uid, tt.self, got, tt.want)
		}
	}
	if got := People(nil).Look(0, 5); got.May != Nothing {
		t.Errorf("root that nobody listed may %s", got.May)
	}
}

func TestSigned(t *testing.T) {
	for _, tt := range []struct {
		peer        Peer
		actor, want string
	}{
		{Peer{UID: 7, Name: "anna"}, "", "anna"},
		{Peer{UID: 7, Name: "anna"}, "anna", "anna"},
		{Peer{UID: 7, Name: "anna"}, "bob", "bob (says anna)"},
		{Peer{UID: 5, Self: true}, "run 3", "run 3"},
		{Peer{UID: 5, Self: true}, "", "uid 5"},
	} {
		if got := tt.peer.Signed(tt.actor); got != tt.want {
			t.Errorf("%+v signed(%q) = %q, want %q", tt.peer, tt.actor, got, tt.want)
		}
	}
}
