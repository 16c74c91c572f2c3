package sink

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
)

// start runs a host on a real socket.
func start(t *testing.T, c Config) (*Host, string) {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, h.Close()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return h, ln.Addr().String()
}

// send delivers msg and returns the codes of the refusals.
func send(t *testing.T, addr, from, msg string, to ...string) (refused []int) {
	t.Helper()
	c, err := smtp.Dial(addr)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	defer func() { _ = c.Close() }()
	code := func(err error) {
		var e *smtp.SMTPError
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("send: %v", err)
		}
		if err != nil {
			refused = append(refused, e.Code)
		}
	}
	code(c.Mail(from, nil))
	taken := 0
	for _, one := range to {
		before := len(refused)
		code(c.Rcpt(one, nil))
		taken += 1 - (len(refused) - before)
	}
	if taken == 0 {
		return refused
	}
	w, err := c.Data()
	if err != nil {
		t.Fatalf("data: %v", err)
	}
	if _, err := w.Write([]byte(msg)); err != nil {
		t.Fatalf("data: %v", err)
	}
	code(w.Close())
	return refused
}

// recount reads a folder as an independent program would, and checks that the
// index and the files agree.
func recount(t *testing.T, dir string) []Record {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "index.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var all []Record
	var files []string
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var r Record
		if err := json.Unmarshal(sc.Bytes(), &r); err != nil {
			t.Fatalf("index line %q: %v", sc.Bytes(), err)
		}
		data, err := os.ReadFile(filepath.Join(dir, r.File))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != r.SHA256 || len(data) != r.Size {
			t.Errorf("%s does not match its record", r.File)
		}
		if r.Time.IsZero() {
			t.Errorf("%s has no time", r.File)
		}
		all, files = append(all, r), append(files, filepath.Join(dir, r.File))
	}
	found, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	if d := cmp.Diff(files, found); d != "" {
		t.Errorf("files in the index and on disk (-index +disk):\n%s", d)
	}
	return all
}

const msg = "From: a@b.example\r\nMessage-ID: <1@b>\r\nX-Ims-Lab-Id:\r\n m1\r\n\r\n.dot\r\n\r\nend\r\n"

func TestHostKeepsWhatItAccepts(t *testing.T) {
	dir := t.TempDir()
	h, addr := start(t, Config{Name: "mx.far.example", Dir: dir})
	if r := send(t, addr, "a@b.example", msg, "x@far.example", `"o d"@far.example`); r != nil {
		t.Fatalf("refused: %v", r)
	}
	if r := send(t, addr, "", "\r\nno header\r\n", "y@far.example"); r != nil {
		t.Fatalf("refused: %v", r)
	}
	got := recount(t, dir)
	if len(got) != 2 {
		t.Fatalf("%d records, want 2", len(got))
	}
	r := got[0]
	data, err := os.ReadFile(filepath.Join(dir, r.File))
	if err != nil || string(data) != msg {
		t.Errorf("stored %q (%v), want %q", data, err, msg)
	}
	if r.From != "a@b.example" || r.LabID != "m1" || r.MessageID != "<1@b>" || r.Helo == "" || filepath.Dir(r.File) != "mx.far.example" {
		t.Errorf("record %+v", r)
	}
	if d := cmp.Diff([]string{"x@far.example", `"o d"@far.example`}, r.Rcpts); d != "" {
		t.Errorf("recipients (-want +got):\n%s", d)
	}
	if got[1].From != "" || got[1].LabID != "" {
		t.Errorf("record %+v", got[1])
	}
	if c := h.Counts(); c != (Counts{Messages: 2, Recipients: 3}) {
		t.Errorf("Counts() = %+v", c)
	}
}

func TestMailboxes(t *testing.T) {
	dir := t.TempDir()
	h, addr := start(t, Config{Name: "mail.corp.example", Dir: dir, Mailboxes: []string{"Ann@corp.example", "bob@corp.example"}})
	got := send(t, addr, "a@b.example", msg, "ANN@corp.example", "eve@corp.example", "bob@CORP.example", "bob@elsewhere.example")
	if d := cmp.Diff([]int{550, 550}, got); d != "" {
		t.Fatalf("refusals (-want +got):\n%s", d)
	}
	var folders []string
	for _, r := range recount(t, dir) {
		folders = append(folders, filepath.Dir(r.File)+" "+strings.Join(r.Rcpts, ","))
	}
	if d := cmp.Diff([]string{"Ann@corp.example ANN@corp.example", "bob@corp.example bob@corp.example"}, folders); d != "" {
		t.Errorf("mailboxes (-want +got):\n%s", d)
	}
	if c := h.Counts(); c != (Counts{Messages: 1, Recipients: 2, Rejected: 2}) {
		t.Errorf("Counts() = %+v", c)
	}
}

func TestDefer(t *testing.T) {
	dir := t.TempDir()
	h, addr := start(t, Config{Name: "h", Dir: dir, Behaviour: Behaviour{Defer: 2}})
	other := strings.Replace(msg, "m1", "m2", 1)
	plain := "Subject: x\r\n\r\nsame body\r\n"
	for i, want := range [][]int{{451}, {451}, nil} {
		for _, m := range []string{msg, other, "Received: " + strings.Repeat("x", i) + "\r\n" + plain} {
			if d := cmp.Diff(want, send(t, addr, "a@b", m, "x@far.example")); d != "" {
				t.Errorf("attempt %d (-want +got):\n%s", i+1, d)
			}
		}
	}
	if d := cmp.Diff([]int{451}, send(t, addr, "a@b", msg, "y@far.example")); d != "" {
		t.Errorf("another recipient (-want +got):\n%s", d)
	}
	if n := len(recount(t, dir)); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
	if c := h.Counts(); c != (Counts{Messages: 3, Recipients: 3, Deferred: 7}) {
		t.Errorf("Counts() = %+v", c)
	}
}

func TestRejectThenRecover(t *testing.T) {
	dir := t.TempDir()
	h, addr := start(t, Config{Name: "h", Dir: dir, Behaviour: Behaviour{Reject: true}})
	if d := cmp.Diff([]int{550}, send(t, addr, "a@b", msg, "x@far.example")); d != "" {
		t.Errorf("refusals (-want +got):\n%s", d)
	}
	h.Behave(Behaviour{})
	if r := send(t, addr, "a@b", msg, "x@far.example"); r != nil {
		t.Errorf("refused after recovery: %v", r)
	}
	if n := len(recount(t, dir)); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
}

func TestDown(t *testing.T) {
	h, addr := start(t, Config{Name: "h", Behaviour: Behaviour{Down: true}})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("a host that is down said %d bytes", n)
	}
	h.Behave(Behaviour{})
	if r := send(t, addr, "a@b", msg, "x@far.example"); r != nil {
		t.Errorf("refused after recovery: %v", r)
	}
}

// TestSlow measures in the bubble's time, without a socket.
func TestSlow(t *testing.T) {
	h, err := New(Config{Name: "h", Dir: t.TempDir(), Behaviour: Behaviour{Delay: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		s := &session{ctx: t.Context(), h: h, helo: func() string { return "c" }}
		if err := errors.Join(s.Mail("a@b", nil), s.Rcpt("x@y", nil), s.Data(bytes.NewReader([]byte(msg)))); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begin); d != time.Minute {
			t.Errorf("answered after %v, want 1m0s", d)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s.ctx = ctx
		if err := s.Data(bytes.NewReader([]byte(msg))); err == nil {
			t.Error("a message was accepted while the host went down")
		}
	})
}

func TestFileName(t *testing.T) {
	for in, want := range map[string]string{
		"ann@corp.example": "ann@corp.example", "../x@y": "%2E.%2Fx@y", `"a b"@y`: "%22a%20b%22@y", "\x00": "%00",
	} {
		if got := fileName(in); got != want {
			t.Errorf("fileName(%q) = %q, want %q", in, got, want)
		}
	}
}
