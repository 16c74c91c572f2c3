package notify

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/runbooks"
)

func note(n int) Notification {
	x := example(fmt.Sprintf("east-1/stalled/%d", n))
	x.Kind = Stalled
	return x
}

// hook counts what a webhook was told, by id, and refuses the first times.
type hook struct {
	mu     sync.Mutex
	refuse int
	got    []string
	seen   chan struct{}
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var n Message
	err := json.NewDecoder(r.Body).Decode(&n)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refuse > 0 || err != nil || r.Header.Get("Idempotency-Key") != n.ID || n.Schema != Schema || n.What != note(1).Text {
		h.refuse--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	h.got = append(h.got, fmt.Sprintf("%s %d: %s", n.ID, n.Attempt, n.Text))
	h.seen <- struct{}{}
}

// TestTellsOnce: what was noted before a crash is told after it, and what was
// told is not told again.
func TestTellsOnce(t *testing.T) {
	h := &hook{seen: make(chan struct{}, 10)}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	o := Options{
		Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler),
		Targets: []Target{{Name: "chat", Webhook: srv.URL, Text: "{{.Kind}} {{.Run}}"}, {Name: "quiet", Webhook: srv.URL, On: []Kind{Finished}}},
	}
	for round := range 3 {
		n, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Tell([]Notification{note(1), note(2 + round)}); err != nil {
			t.Fatal(err)
		}
		if round == 1 { // nobody was told before it died
			if err := n.Close(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { n.Run(ctx) })
		n.Drain(t.Context())
		cancel()
		wg.Wait()
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"east-1/stalled/1 1: stalled test", "east-1/stalled/2 1: stalled test",
		"east-1/stalled/3 1: stalled test", "east-1/stalled/4 1: stalled test",
	}
	if diff := cmp.Diff(want, h.got); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// TestTellsAgain: a target that does not answer is told again, and what died in
// an attempt says so.
func TestTellsAgain(t *testing.T) {
	h := &hook{seen: make(chan struct{}, 1), refuse: 1}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	o := Options{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Targets: []Target{{Name: "chat", Webhook: srv.URL}}}
	box, err := openOutbox(filepath.Join(o.Dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := box.add([]string{"chat"}, note(1)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(box.write(entry{Target: "chat", Tried: note(1).ID}), box.close()); err != nil {
		t.Fatal(err)
	}
	n, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { n.Run(ctx) })
	<-h.seen
	cancel()
	wg.Wait()
	if len(h.got) != 1 || !strings.HasPrefix(h.got[0], note(1).ID+" 3: ") { // one died, one was refused
		t.Errorf("told %q", h.got)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

func TestOutboxSurvivesACutLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	box, err := openOutbox(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := box.add([]string{"chat"}, note(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(box.told("chat", note(0).ID, ""), box.close()); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(whole, `{"target":"chat","no`...), 0o600); err != nil {
		t.Fatal(err)
	}
	if box, err = openOutbox(path); err != nil {
		t.Fatal(err)
	}
	if got := len(box.pending["chat"]); got != 2 {
		t.Errorf("%d are to be told, want 2", got)
	}
	if added, err := box.add([]string{"chat"}, note(0)); added != nil || err != nil {
		t.Errorf("what was told is noted again: %v, %v", added, err)
	}
	if err := box.close(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, append([]byte("{}x\n"), whole...), 0o600); err != nil {
		t.Fatal(err)
	}
	if box, err = openOutbox(path); err != nil || box.bad != 1 || len(box.pending["chat"]) != 2 {
		t.Fatalf("with a damaged line, %d are to be told, %d were dropped, %v", len(box.pending["chat"]), box.bad, err)
	}
	if err := box.close(); err != nil {
		t.Error(err)
	}
}

func TestExec(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	good := Target{Name: "page", Exec: []string{"sh", "-c", `cat >"$0"; echo "$1" >>"$0"`, out, "{{.Kind}} $(id) {{.Run}}"}}
	if err := good.send(t.Context(), note(7)); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	body, rest, _ := strings.Cut(string(raw), "\n")
	var n Notification
	if err := json.Unmarshal([]byte(body), &n); err != nil || n.ID != note(7).ID || rest != "stalled $(id) test\n" {
		t.Errorf("program was given %q, %v", raw, err)
	}
	bad := Target{Name: "page", Exec: []string{"sh", "-c", "echo out of paper; exit 3"}}
	if err := bad.send(t.Context(), note(7)); err == nil || !strings.Contains(err.Error(), "out of paper") {
		t.Errorf("a program that fails: %v", err)
	}
}

func TestMail(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		got <- talk(c)
	}()
	target := Target{Name: "ops", Mail: "ops@example.test", Via: ln.Addr().String()}
	n := note(1)
	n.Text, n.Lines = "grüß\r\nBcc: everybody@example.test", []string{".", "gw.q.out 3"}
	if err := target.send(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	text := <-got
	for _, want := range []string{
		"MAIL FROM:<>", "RCPT TO:<ops@example.test>", "Subject: =?utf-8?q?ims:_test:_gr=C3=BC=C3=9F_Bcc:", "Message-ID: <east-1.stalled.1@ims>",
		"Auto-Submitted: auto-generated", "\n..\n", "gw.q.out 3",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("mail lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(strings.SplitN(text, "\n\n", 2)[0], "\nBcc:") {
		t.Errorf("a line of the text became a header:\n%s", text)
	}
	if err := ln.Close(); err != nil {
		t.Error(err)
	}
}

// talk is a mail host that takes everything.
func talk(c net.Conn) string {
	var b strings.Builder
	r := bufio.NewReader(c)
	data := false
	say := func(s string) { _, _ = io.WriteString(c, s+"\r\n") } // the test sees what it was told
	say("220 host")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return b.String()
		}
		line = strings.TrimRight(line, "\r\n")
		b.WriteString(line + "\n")
		switch {
		case data && line == ".":
			data = false
			say("250 taken")
		case data:
		case line == "DATA":
			data = true
			say("354 go on")
		case line == "QUIT":
			say("221 bye")
			return b.String()
		default:
			say("250 fine")
		}
	}
}

func TestTry(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(srv.Close)
	got := Try(t.Context(), []Target{{Name: "chat", Webhook: srv.URL}, {Name: "gone", Exec: []string{"/nonexistent"}}})
	if got[0].Error != "" || got[1].Error == "" {
		t.Errorf("tried: %+v", got)
	}
}

func TestTemplate(t *testing.T) {
	for _, tt := range []struct {
		text string
		ok   bool
	}{{DefaultText, true}, {"{{.Kind}} {{range .Lines}}{{.}}{{end}}", true}, {"{{.Knid}}", false}, {"{{", false}} {
		if _, err := Template(tt.text); (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.text, err)
		}
	}
}

// TestLateClients: people are told whenever more clients come, and not again of
// those they know.
func TestLateClients(t *testing.T) {
	book := shipped(t, "q285090")
	s := NewStory(book, "east-1", 0)
	for _, tt := range []struct{ seen, want string }{
		{"0", ""}, {"1", "a client came back"}, {"1", ""}, {"unknown", ""}, {"3", "3 clients came back"}, {"2", ""},
	} {
		got := s.Add(machine.Record{Kind: machine.Observed, Detail: machine.Detail{Facts: map[string]string{"late.never_follow": tt.seen}}})
		if (tt.want == "") != (got == nil) || got != nil && !strings.HasPrefix(got[0].Text, tt.want) {
			t.Errorf("late.never_follow %s: %+v, want %q", tt.seen, got, tt.want)
		}
	}
}

func shipped(t *testing.T, name string) *runbook.Book {
	t.Helper()
	src, err := fs.ReadFile(runbooks.FS, name+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, mistakes := runbook.Load(name+".yaml", src)
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	book, mistakes := runbook.Bind(doc, runbook.Binding{Gateway: "east", Successor: "west", Domains: []string{"example.test"}})
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	return book
}
