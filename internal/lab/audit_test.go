package lab

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.org/ims/internal/lab/senders"
	"example.org/ims/internal/mail/sink"
)

// prepared is a lab's folder, made by hand.
type prepared struct {
	t   *testing.T
	dir string
}

func (p prepared) write(path, text string) {
	p.t.Helper()
	path = filepath.Join(p.dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		p.t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		p.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		p.t.Fatal(err)
	}
}

func (p prepared) line(path string, v any) {
	p.t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		p.t.Fatal(err)
	}
	p.write(path, string(b)+"\n")
}

// took puts a message into a host's folder.
func (p prepared) took(folder, name, msg string, rcpts ...string) {
	p.t.Helper()
	sum := sha256.Sum256([]byte(msg))
	p.write(filepath.Join(folder, name), msg)
	p.line(filepath.Join(folder, "index.jsonl"), sink.Record{Rcpts: rcpts, File: name, SHA256: hex.EncodeToString(sum[:])})
}

// sent notes that a server answered 250.
func (p prepared) sent(id, from string, rcpts ...string) {
	p.t.Helper()
	r := senders.Record{ID: id, Sender: "users", From: from, Final: 250}
	for _, one := range rcpts {
		r.Rcpts = append(r.Rcpts, senders.Rcpt{Addr: one, Code: 250})
	}
	p.line("senders/users.jsonl", r)
}

// report is a delivery report about one recipient of a message.
func report(id, rcpt, action string) string {
	return strings.ReplaceAll(`From: <postmaster@example.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=B

--B
Content-Type: text/plain

It failed.
--B
Content-Type: message/delivery-status

Reporting-MTA: dns; east.example.test

Final-Recipient: rfc822; `+rcpt+`
Action: `+action+`
Status: 5.1.1

--B
Content-Type: text/rfc822-headers

X-Ims-Lab-Id: `+id+`

--B--
`, "\n", "\r\n")
}

// audit runs the recount and returns its exit code and output.
func audit(t *testing.T, dir string) (int, string) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skipf("python3 is not installed: %v", err)
	}
	out, err := exec.CommandContext(t.Context(), python, "audit/audit.py", dir).CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), string(out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, string(out)
}

func message(id string) string { return "X-Ims-Lab-Id: " + id + "\r\n\r\nbody\r\n" }

func TestAudit(t *testing.T) {
	good := func(p prepared) {
		p.sent("m1", "ann@example.test", "x@fast.test", "y@reject.test")
		p.took("sinks/fast.test", "1.eml", message("m1"), "x@fast.test")
		p.took("mailboxes", "2.eml", report("m1", "y@reject.test", "failed"), "ann@example.test")
		refused := senders.Record{ID: "m2", Final: 250, Rcpts: []senders.Rcpt{{Addr: "z@fast.test", Code: 550}}}
		p.line("senders/spammer.jsonl", refused)
	}
	for _, c := range []struct {
		name string
		make func(prepared)
		code int
		says string
	}{
		{"everything is somewhere", good, 0, "in a report                  1"},
		{"nothing at all", func(p prepared) { p.write("senders/users.jsonl", "") }, 1, "nothing was accepted"},
		{"a message is nowhere", func(p prepared) {
			good(p)
			p.sent("m3", "bob@example.test", "w@fast.test")
		}, 1, "MISSING m3 to <w@fast.test>"},
		{"one of two recipients is nowhere", func(p prepared) {
			p.sent("m1", "ann@example.test", "x@fast.test", "v@fast.test")
			p.took("sinks/fast.test", "1.eml", message("m1"), "x@fast.test")
		}, 1, "MISSING m1 to <v@fast.test>"},
		{"a report that somebody else got", func(p prepared) {
			p.sent("m1", "ann@example.test", "y@reject.test")
			p.took("mailboxes", "2.eml", report("m1", "y@reject.test", "failed"), "bob@example.test")
		}, 1, "MISSING m1 to <y@reject.test>"},
		{"a report about another recipient", func(p prepared) {
			p.sent("m1", "ann@example.test", "y@reject.test")
			p.took("mailboxes", "2.eml", report("m1", "x@reject.test", "failed"), "ann@example.test")
		}, 1, "MISSING m1 to <y@reject.test>"},
		{"a delay is no failure", func(p prepared) {
			p.sent("m1", "ann@example.test", "y@reject.test")
			p.took("mailboxes", "2.eml", report("m1", "y@reject.test", "delayed"), "ann@example.test")
		}, 1, "MISSING m1 to <y@reject.test>"},
		{"a message that is not what its index says", func(p prepared) {
			good(p)
			p.write("sinks/fast.test/1.eml", "tampered")
		}, 1, "WRONG"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := prepared{t, t.TempDir()}
			p.write("senders/printer.jsonl", "")
			c.make(p)
			code, out := audit(t, p.dir)
			if code != c.code || !strings.Contains(out, c.says) {
				t.Errorf("exit %d, want %d and %q in:\n%s", code, c.code, c.says, out)
			}
		})
	}
	if code, _ := audit(t, t.TempDir()); code != 64 {
		t.Errorf("a folder that is no lab: exit %d, want 64", code)
	}
}
