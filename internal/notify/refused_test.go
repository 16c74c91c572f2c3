package notify

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestARefusedOneLetsOthersPass: what a target does not take is told again for a
// day, and holds up nothing else for longer than a few attempts; who looks at
// the run is told of it.
func TestARefusedOneLetsOthersPass(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "told")
	o := Options{Dir: dir, Log: slog.New(slog.DiscardHandler), Targets: []Target{{Name: "pager", Exec: []string{
		"sh", "-c", `case "$1" in */2) echo no such page; exit 1;; esac; echo "$1" >>"$0"`, out, "{{.ID}}",
	}}}}
	told := func() string {
		raw, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(raw), "east-1/stalled/", "")
	}
	untold := func(n *Notifier, want ...string) {
		t.Helper()
		lines := strings.Join(n.Untold("east-1"), "\n")
		for _, w := range want {
			if !strings.Contains(lines, w) {
				t.Errorf("of what was not told it says %q, not %q", lines, w)
			}
		}
		if other := n.Untold("east-11"); len(other) > 0 || len(want) == 0 && lines != "" {
			t.Errorf("it says %q, and of another run %q", lines, other)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		n, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Tell([]Notification{note(1), note(2), note(3), note(4)}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { n.Run(ctx) })
		time.Sleep(firstRetry / 2)
		if got := told(); got != "1\n" {
			t.Errorf("after one attempt it was told %q: in order", got)
		}
		untold(n, "pager is not told since 2000-01-01 00:00:00Z, 3 to be told: ", "no such page")
		time.Sleep(time.Minute)
		if got := told(); got != "1\n3\n4\n" {
			t.Errorf("it was told %q", got)
		}
		untold(n, ", 1 to be told: ")
		time.Sleep(giveUp + lastRetry)
		untold(n, "pager was never told east-1/stalled/2: ", "no such page")
		cancel()
		wg.Wait()
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		if n, err = Open(o); err != nil {
			t.Fatal(err)
		}
		untold(n, "pager was never told east-1/stalled/2: ")
		if err := n.Tell([]Notification{note(2)}); err != nil {
			t.Fatal(err)
		}
		if left, _ := n.left(); left != 0 {
			t.Error("what was given up is to be told again")
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
