package runner_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"example.org/ims/internal/notify"
	"example.org/ims/internal/runner"
)

// told is what one target was told, by id.
type told struct {
	mu  sync.Mutex
	all map[string]notify.Notification
	bad []string // ids that were told again without saying so
}

func (l *told) add(n notify.Notification) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, again := l.all[n.ID]; again && n.Attempt < 2 {
		l.bad = append(l.bad, n.ID)
	}
	l.all[n.ID] = n
}

// kinds counts what was told, each thing once.
func (l *told) kinds() map[notify.Kind]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	kinds := map[notify.Kind]int{}
	for _, n := range l.all {
		kinds[n.Kind]++
	}
	return kinds
}

func readTold(t *testing.T, path string) *told {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l := &told{all: map[string]notify.Notification{}}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var n notify.Notification
		if err := json.Unmarshal(lines.Bytes(), &n); err != nil {
			t.Fatal(err)
		}
		l.add(n)
	}
	return l
}

// TestUntoldIsSaid: whoever looks at a run sees whom it cannot tell, as long as
// it cannot.
func TestUntoldIsSaid(t *testing.T) {
	var mended atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !mended.Load() {
			http.Error(w, "no such channel", http.StatusBadRequest)
		}
	}))
	t.Cleanup(srv.Close)
	dir := shortDir(t)
	c, end := serve(t, runner.Options{Dir: dir, Site: site{live(t)}, People: people(), Targets: []notify.Target{{Name: "hook", Webhook: srv.URL}}})
	run, err := c.Open(t.Context(), retire(""))
	if err != nil {
		t.Fatal(err)
	}
	said := func(s runner.Status) bool {
		return slices.ContainsFunc(s.Notes, func(note string) bool {
			return strings.HasPrefix(note, "notify: hook is not told since ") && strings.HasSuffix(note, "tell webhook: 400 Bad Request: no such channel")
		})
	}
	waitFor(t, c, run, said)
	m, err := c.Monitor(t.Context(), run, "test", 0)
	if err != nil || !said(m.Status) {
		t.Errorf("the monitor says %q, %v", m.Notes, err)
	}
	mended.Store(true)
	waitFor(t, c, run, func(s runner.Status) bool { return !said(s) })
	end()
}
