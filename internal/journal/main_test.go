package journal_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/ims/internal/journal"
)

// childVar makes the test binary play one of the children below instead.
const childVar = "JOURNAL_TEST_CHILD"

func TestMain(m *testing.M) {
	children := map[string]func(dir string, args []string) error{
		"writer": childWriter,
		"asked":  childAsked,
		"full":   childFull,
		"rofs":   childReadOnly,
		"fsize":  childFileSize,
		"lock":   childLock,
	}
	if words := strings.Fields(os.Getenv(childVar)); len(words) > 1 {
		if err := children[words[0]](words[1], words[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is the test binary in another process.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
	err *strings.Builder
}

func start(t *testing.T, attr *syscall.SysProcAttr, words ...string) *child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.CommandContext(t.Context(), exe), err: new(strings.Builder)}
	c.cmd.Env = append(os.Environ(), childVar+"="+strings.Join(words, " "))
	c.cmd.SysProcAttr = attr
	c.cmd.Stderr = c.err
	in, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.in, c.out = in, bufio.NewScanner(out)
	if err := c.cmd.Start(); err != nil {
		if attr != nil {
			t.Skipf("no own name space here: %v", err)
		}
		t.Fatal(err)
	}
	return c
}

// line returns the next line the child prints, "" at the end.
func (c *child) line() string {
	c.out.Scan()
	return c.out.Text()
}

// wait lets the child come to its end and fails the test if it was unhappy.
func (c *child) wait(t *testing.T) {
	t.Helper()
	for c.out.Scan() {
		t.Log(c.out.Text())
	}
	if err := c.cmd.Wait(); err != nil {
		t.Fatalf("child: %v\n%s", err, c.err)
	}
}

var start0 = time.Date(1997, 9, 3, 8, 0, 0, 5, time.UTC)

func rec(kind string, body string) journal.Record {
	return journal.Record{Kind: kind, At: start0, Body: json.RawMessage(body)}
}

func info(id string) journal.RunInfo {
	return journal.RunInfo{
		ID: id, Gateway: "ims1", Runbook: "eleven-steps", Digest: "sha256:00", Owner: "host/1",
		Opened: start0, Text: []byte("kind: Runbook # é\n"), Params: json.RawMessage(`{"soak":"72h"}`),
	}
}

func open(t *testing.T, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func openRun(t *testing.T, j *journal.Journal, id string, leases ...string) journal.Run {
	t.Helper()
	run, err := j.OpenRun(t.Context(), info(id), leases, rec("opened", `{"n":1}`))
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// resumeOrOpen is how a runner begins.
func resumeOrOpen(ctx context.Context, j *journal.Journal, id string) (journal.Run, error) {
	run, err := j.Resume(ctx, id, "host/"+strconv.Itoa(os.Getpid()))
	if errors.Is(err, journal.ErrNoRun) {
		return j.OpenRun(ctx, info(id), []string{"gateway/ims1"})
	}
	return run, err
}
