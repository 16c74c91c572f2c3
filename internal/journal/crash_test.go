package journal_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"example.org/ims/internal/journal"
)

// perCommit is how many records the writer appends in one commit.
const perCommit = 3

// childWriter locks, resumes the run and appends for ever, or until it kills
// itself at a commit: args are "before N", "after N", or nothing.
func childWriter(dir string, args []string) error {
	ctx := context.Background()
	if _, err := journal.Lock(dir); err != nil {
		return err
	}
	var opts journal.Options
	if len(args) == 2 {
		at, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		die := func(n int) {
			if n == at {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {} // until the signal is there
			}
		}
		if args[0] == "before" {
			opts.BeforeCommit = die
		} else {
			opts.AfterCommit = die
		}
	}
	j, err := journal.Open(ctx, dir, opts)
	if err != nil {
		return err
	}
	run, err := resumeOrOpen(ctx, j, "r1")
	if err != nil {
		return err
	}
	fmt.Println("epoch", run.Epoch)
	for {
		seq, head, err := j.Append(ctx, run.ID, run.Epoch, rec("a", `1`), rec("b", `2`), rec("c", `"`+strings.Repeat("x", 900)+`"`))
		if err != nil {
			return err
		}
		fmt.Println(seq, head)
	}
}

func TestKilledWriterLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	acked := make(map[int64]string)
	var stored int64
	for round := range 24 {
		words := []string{"writer", dir}
		switch round % 3 {
		case 1:
			words = append(words, "before", strconv.Itoa(2+round%5))
		case 2:
			words = append(words, "after", strconv.Itoa(2+round%5))
		}
		c := start(t, nil, words...)
		c.line() // "epoch N": resumed or opened
		lines := 0
		for c.out.Scan() {
			seq, head, ok := strings.Cut(c.out.Text(), " ")
			if !ok {
				break // cut off by the kill
			}
			n, err := strconv.ParseInt(seq, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			acked[n] = head
			if lines++; round%3 == 0 && lines == 7+round {
				_ = c.cmd.Process.Kill()
			}
		}
		if err := c.cmd.Wait(); err == nil || c.err.Len() > 0 {
			t.Fatalf("round %d: %v\n%s", round, err, c.err)
		}
		resumed := int64(1) // the journal's own record, none in the first round
		if round == 0 {
			resumed = 0
		}
		stored = checkSurvivors(t, dir, round, stored+resumed+int64(lines*perCommit), acked)
	}
	t.Logf("%d acknowledged commits, %d records", len(acked), stored)
}

// checkSurvivors opens the journal, which verifies it, and compares it with what
// was acknowledged; known is how many records there must be at least.
func checkSurvivors(t *testing.T, dir string, round int, known int64, acked map[int64]string) int64 {
	t.Helper()
	j, err := journal.Open(t.Context(), dir, journal.Options{})
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	defer j.Close()
	es, err := j.Records(t.Context(), "r1", 0)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(len(es))
	for seq, head := range acked {
		if seq > n || es[seq-1].Hash.String() != head {
			t.Fatalf("round %d: acknowledged record %d is lost or another one", round, seq)
		}
	}
	more := n - known
	switch kind := round % 3; {
	case kind == 1 && more != 0:
		t.Errorf("round %d: killed before the commit, yet %d records more", round, more)
	case kind == 2 && more != perCommit:
		t.Errorf("round %d: killed after the commit, but %d records more, want %d", round, more, perCommit)
	case more != 0 && more != perCommit:
		t.Errorf("round %d: a commit is there in part: %d records more", round, more)
	}
	return n
}

// childAsked appends one record for every line it reads, and says how it went.
func childAsked(dir string, _ []string) error {
	ctx := context.Background()
	j, err := journal.Open(ctx, dir, journal.Options{})
	if err != nil {
		return err
	}
	defer j.Close()
	run, err := resumeOrOpen(ctx, j, "r1")
	if err != nil {
		return err
	}
	fmt.Println("epoch", run.Epoch)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		seq, head, err := j.Append(ctx, run.ID, run.Epoch, rec("said", strconv.Quote(in.Text())))
		if errors.Is(err, journal.ErrFenced) {
			fmt.Println("fenced")
			continue
		}
		if err != nil {
			return err
		}
		fmt.Println(seq, head)
	}
	return nil
}

func TestStoppedWriterIsFencedWhenItWakes(t *testing.T) {
	dir := t.TempDir()
	c := start(t, nil, "asked", dir)
	if got := c.line(); got != "epoch 1" {
		t.Fatalf("child says %q\n%s", got, c.err)
	}
	fmt.Fprintln(c.in, "one")
	if got := c.line(); !strings.HasPrefix(got, "1 ") {
		t.Fatalf("child says %q", got)
	}
	if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	j := open(t, dir)
	run, err := j.Resume(t.Context(), "r1", "other/2")
	if err != nil || run.Epoch != 2 {
		t.Fatalf("Resume() = %+v, %v", run, err)
	}
	fmt.Fprintln(c.in, "two")
	if err := c.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if got := c.line(); got != "fenced" {
		t.Errorf("the zombie says %q, want fenced", got)
	}
	c.in.Close()
	c.wait(t)
	if _, _, err := j.Append(t.Context(), "r1", run.Epoch, rec("mine", `{}`)); err != nil {
		t.Errorf("the new owner: %v", err)
	}
	if err := j.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestReaderSeesALiveWriterGrow(t *testing.T) {
	dir := t.TempDir()
	c := start(t, nil, "asked", dir)
	c.line()
	r, err := journal.OpenReadOnly(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	stock, _ := exec.LookPath("sqlite3")
	for n := int64(1); n <= 5; n++ {
		fmt.Fprintln(c.in, "more")
		said := c.line()
		seq, head, err := r.Head(t.Context(), "r1")
		if err != nil || fmt.Sprint(seq, " ", head) != said || seq != n {
			t.Fatalf("Head() = %d %s, %v, the writer says %q", seq, head, err, said)
		}
		if es, err := r.Records(t.Context(), "r1", n); err != nil || len(es) != 1 || es[0].Seq != n {
			t.Fatalf("Records(%d) = %v, %v", n, es, err)
		}
		if stock == "" {
			continue
		}
		out, err := exec.Command(stock, "-readonly", r.Path(), "SELECT count(*) FROM journal").CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != strconv.FormatInt(n, 10) {
			t.Fatalf("sqlite3 says %q, %v, want %d", out, err, n)
		}
	}
	if err := r.Verify(t.Context()); err != nil {
		t.Errorf("Verify beside a live writer: %v", err)
	}
	c.in.Close()
	c.wait(t)
}
