package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/smtp"
	"net/textproto"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"example.org/ims/internal/mail/sink"
)

// Bounds of what tests wait for: far more than anything takes on a busy machine
// with the race detector, so that only what hangs comes to its end.
const (
	patience = 3 * time.Minute
	poll     = 100 * time.Millisecond
)

// ports gives each script ports of its own, below those that the kernel takes
// for outgoing connections.
type ports struct {
	mu   sync.Mutex
	next int
}

func newPorts() *ports { return &ports{next: 10000 + rand.IntN(5000)} }

func (p *ports) take() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range 1000 {
		p.next++
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(p.next))
		if ln, err := net.Listen("tcp", addr); err == nil {
			return addr, ln.Close()
		}
	}
	return "", errors.New("take port: none is free")
}

// ports sets variables to addresses that are free: `ports EAST SUBMISSION`.
func (p *ports) script(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: ports NAME…")
	}
	for _, name := range args {
		addr, err := p.take()
		ts.Check(err)
		ts.Setenv(name, addr)
	}
}

// expand replaces $NAME in files: `expand ims.yaml`, where $UID is the user's.
// The result is nobody else's to write.
func expand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: expand FILE…")
	}
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), func(name string) string {
			if name == "UID" {
				return strconv.Itoa(os.Getuid())
			}
			return ts.Getenv(name)
		})
		path := ts.MkAbs(name)
		ts.Check(os.WriteFile(path, []byte(text), 0o600))
		ts.Check(os.Chmod(path, 0o600))
	}
}

// host runs a mail host until the script ends: `host ADDRESS FOLDER [MAILBOX…]`.
// FOLDER then has what it accepted.
func host(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: host ADDRESS FOLDER [MAILBOX…]")
	}
	h, err := sink.New(sink.Config{Name: "host.test", Dir: ts.MkAbs(args[1]), Mailboxes: args[2:]})
	ts.Check(err)
	ln, err := net.Listen("tcp", args[0])
	ts.Check(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Serve(ctx, ln) }()
	ts.Defer(func() {
		cancel()
		if err := errors.Join(<-done, h.Close()); err != nil {
			ts.Logf("end host %s: %v", args[0], err)
		}
	})
}

// smtpSend sends one message and wants one code, of the first command that is
// refused or of the final dot: `smtp 250 ADDRESS FROM TO…`.
func smtpSend(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: smtp CODE ADDRESS FROM TO…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got, text, err := send(args[1], args[2], args[3:])
	ts.Check(err)
	ts.Logf("%d %s", got, text)
	if got != want {
		ts.Fatalf("%s answers %d %s, want %d", args[1], got, text, want)
	}
}

func send(addr, from string, to []string) (code int, text string, err error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return 0, "", fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close() }() // quit says goodbye
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, "", err
	}
	err = dialog(conn, from, to)
	if refused, ok := errors.AsType[*textproto.Error](err); ok {
		return refused.Code, refused.Msg, nil
	}
	return 250, "accepted", err
}

func dialog(conn net.Conn, from string, to []string) error {
	c, err := smtp.NewClient(conn, "gateway.test")
	if err != nil {
		return err
	}
	if err := c.Hello("host.test"); err != nil {
		return err
	}
	if err := c.Mail(from); err != nil {
		return err
	}
	for _, one := range to {
		if err := c.Rcpt(one); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "From: <%s>\r\nTo: <%s>\r\nSubject: script\r\n\r\nHello.\r\n", from, to[0]); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}

// within repeats a command until it succeeds and its output matches:
// `within 'out +1' ims gateway show east`.
func within(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: within REGEXP COMMAND [ARGUMENT…]")
	}
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	deadline := time.After(patience)
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout")
		if want.MatchString(out) { // whatever the exit code, which scripts check by exits
			return
		}
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 64 {
			ts.Fatalf("%v: a mistake in the script: %s", args[1:], ts.ReadFile("stderr"))
		}
		select {
		case <-deadline:
			ts.Fatalf("%v for %v: want %q, last: %v\n%s%s", args[1:], patience, args[0], err, out, ts.ReadFile("stderr"))
		case <-tick.C:
		}
	}
}

// setid sets a variable to the first message id of what the last command
// printed: `setid ID`.
func setid(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: setid NAME")
	}
	id := regexp.MustCompile(`"message":"([^"]+)"`).FindStringSubmatch(ts.ReadFile("stdout"))
	if id == nil {
		ts.Fatalf("no message in %s", ts.ReadFile("stdout"))
	}
	ts.Setenv(args[0], id[1])
}

func TestPortsDiffer(t *testing.T) {
	p := newPorts()
	a, err := p.take()
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.take()
	if err != nil || a == b {
		t.Errorf("take() = %q, then %q, %v; want another one", a, b, err)
	}
}
