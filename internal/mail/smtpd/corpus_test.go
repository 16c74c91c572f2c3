package smtpd

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
)

// listen runs a Server on a real socket: a Unix one, which leaves no port
// behind for a minute as TCP does.
func listen(t *testing.T, cfg Config) string {
	t.Helper()
	cfg.Hostname = "gw.example"
	dir, err := os.MkdirTemp("", "smtpd") // t.TempDir is too long a name for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ln, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s, done := New(cfg), make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	return ln.Addr().String()
}

// exchange sends msg, dots added, and gives the reply to it.
func exchange(t *testing.T, c *smtp.Client, msg []byte) error {
	t.Helper()
	if err := errors.Join(c.Mail("a@b.example", nil), c.Rcpt("d@e.example", nil)); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(msg); err != nil {
		t.Fatal(err)
	}
	return w.Close()
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		switch filepath.Ext(path) {
		case ".eml", ".raw":
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// fidelity sends every file with CRLF line ends and wants it back bit for
// bit, by DATA and by BDAT.
func fidelity(t *testing.T, paths []string) {
	t.Helper()
	r := &recorder{}
	addr := listen(t, Config{Handler: r})
	conn, err := net.Dial("unix", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := smtp.NewClient(conn)
	defer func() { _ = c.Close() }()
	sent := 0
	same := func(path string, want []byte, how string) {
		sent++
		got := r.messages()
		if len(got) != sent {
			t.Fatalf("%s: %d messages after %d by %s", path, len(got), sent, how)
		}
		if got[sent-1].Data != string(want) {
			t.Errorf("%s came out different by %s", path, how)
		}
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := crlf(raw)
		if err := exchange(t, c, want); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		same(path, want, "DATA")
		bdat(t, addr, want)
		same(path, want, "BDAT")
	}
}

// bdat sends msg by BDAT in chunks of uneven size.
func bdat(t *testing.T, addr string, msg []byte) {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(hello)
	for size := 1; len(msg) > size; size = size*3 + 1 {
		b.WriteString("BDAT " + itoa(size) + "\r\n")
		b.Write(msg[:size])
		msg = msg[size:]
	}
	b.WriteString("BDAT " + itoa(len(msg)) + " LAST\r\n")
	b.Write(msg)
	b.WriteString("QUIT\r\n")
	if got := talk(t, addr, b.Bytes()); !strings.HasSuffix(codes(got), "| 250 2.0.0 | 221 2.0.0") {
		t.Fatalf("BDAT answered %q", codes(got))
	}
}

// crlf makes every line end CRLF, the last one too.
func crlf(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	b = bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))
	if len(b) > 0 && b[len(b)-1] != '\n' {
		b = append(b, '\n')
	}
	return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
}

func TestOwnMessagesAreKept(t *testing.T) {
	paths := files(t, "testdata/messages")
	if len(paths) == 0 {
		t.Fatal("no messages")
	}
	fidelity(t, paths)
}

func corpus(t *testing.T) []string {
	t.Helper()
	dir := os.Getenv("IMS_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no corpus of foreign messages (set IMS_CORPUS): %v", err)
	}
	paths := files(t, dir)
	if len(paths) < 10 {
		t.Fatalf("only %d messages in %s", len(paths), dir)
	}
	return paths
}

func TestCorpusIsKept(t *testing.T) { fidelity(t, corpus(t)) }

// TestCorpusBareLineEnds sends the files as they are: those with a bare CR or
// LF are refused, and the session goes on.
func TestCorpusBareLineEnds(t *testing.T) {
	paths := corpus(t)
	r := &recorder{}
	addr := listen(t, Config{Handler: r})
	refused, kept := 0, 0
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		stuffed := bytes.ReplaceAll(append([]byte("\r\n"), raw...), []byte("\r\n."), []byte("\r\n.."))[2:]
		bare := bytes.ReplaceAll(raw, []byte("\r\n"), nil)
		want := "250 2.0.0"
		if bytes.ContainsAny(bare, "\r\n") {
			want = "554 5.6.0"
			refused++
		} else {
			kept++
		}
		end := "\r\n.\r\n"
		if len(raw) == 0 || bytes.HasSuffix(raw, []byte("\r\n")) {
			end = ".\r\n"
		}
		got := codes(talk(t, addr, []byte(hello+"DATA\r\n"+string(stuffed)+end+"NOOP\r\nQUIT\r\n")))
		if suffix := " | 354 | " + want + " | 250 2.0.0 | 221 2.0.0"; !strings.HasSuffix(got, suffix) {
			t.Errorf("%s answered %q, want …%q", path, got, suffix)
		}
	}
	if n := len(r.messages()); n != kept {
		t.Errorf("%d messages were kept, want %d", n, kept)
	}
	t.Logf("%d messages, %d of them refused for a bare CR or LF", len(paths), refused)
}
