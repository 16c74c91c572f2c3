package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMonitorInTmux retires a gateway of a lab by the keys of the monitor, as a
// person at a terminal would, at two sizes at the same time.
func TestMonitorInTmux(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute: left out by -short")
	}
	if _, err := exec.LookPath("tmux"); err != nil {
		if os.Getenv("IMS_REQUIRE_SERVERS") == "1" {
			t.Fatalf("tmux is required: %v", err)
		}
		t.Skipf("tmux is not installed: %v", err)
	}
	var wg sync.WaitGroup
	for _, size := range [][2]int{{80, 24}, {160, 48}} {
		wg.Go(func() {
			if err := retireByHand(t, size[0], size[1]); err != nil {
				t.Errorf("%dx%d: %v", size[0], size[1], err)
			}
		})
	}
	wg.Wait()
}

// desk is a terminal that somebody sits at.
type desk struct {
	ctx    context.Context //nolint:containedctx // of one test
	socket string
	dir    string
	ims    string // this program
	config string
}

// newDesk starts tmux with a command line of ims. A shell goes on afterwards.
func newDesk(ctx context.Context, t *testing.T, w, h int) (*desk, error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "tmux-") // a socket's path must be short
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	d := &desk{ctx: ctx, dir: dir, socket: filepath.Join(dir, "s"), ims: filepath.Join(dir, "ims"), config: filepath.Join(dir, "lab", "ims.yaml")}
	if err := os.Symlink(self, d.ims); err != nil {
		return nil, err
	}
	_, err = d.tmux("-u", "new-session", "-d", "-x", strconv.Itoa(w), "-y", strconv.Itoa(h), "-e", "LC_ALL=C.UTF-8", "-e", "IMS_CONFIG="+d.config, "-e", "PS1=$ ", "sh")
	return d, err
}

func (d *desk) tmux(args ...string) (string, error) {
	out, err := exec.CommandContext(d.ctx, "tmux", append([]string{"-S", d.socket, "-f", "/dev/null"}, args...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("tmux %s: %w: %s", args[0], err, out)
	}
	return string(out), nil
}

// close ends tmux and all that runs in it.
func (d *desk) close() {
	d.ctx = context.WithoutCancel(d.ctx)
	_, _ = d.tmux("kill-server") // it may have ended
	_ = os.RemoveAll(d.dir)      // what is left there is of no use
}

// screen is what is seen.
func (d *desk) screen() (string, error) { return d.tmux("capture-pane", "-p") }

// see waits until the screen matches, and returns the match.
func (d *desk) see(pattern string) (match []string, err error) {
	re := regexp.MustCompile(pattern)
	err = d.until(pattern, func(s string) bool { match = re.FindStringSubmatch(s); return match != nil })
	return match, err
}

// until waits until the screen is as it is wanted.
func (d *desk) until(what string, wanted func(screen string) bool) error {
	tick := time.NewTicker(150 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := d.screen()
		if err != nil {
			return err
		}
		if wanted(s) {
			return nil
		}
		select {
		case <-tick.C:
		case <-d.ctx.Done():
			return fmt.Errorf("%q is not on the screen:\n%s", what, s)
		}
	}
}

// keys presses keys by tmux's names, text types.
func (d *desk) keys(names ...string) error {
	_, err := d.tmux(append([]string{"send-keys"}, names...)...)
	return err
}

func (d *desk) text(text string) error {
	_, err := d.tmux("send-keys", "-l", text)
	return err
}

// steps does one thing after the other, until one fails.
func steps(all ...func() error) error {
	for i, f := range all {
		if err := f(); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

func (d *desk) sees(pattern string) func() error {
	return func() error { _, err := d.see(pattern); return err }
}

func (d *desk) presses(names ...string) func() error {
	return func() error { return d.keys(names...) }
}

func (d *desk) types(text string) func() error { return func() error { return d.text(text) } }

func (d *desk) runs(command string) func() error {
	return func() error { return errors.Join(d.text(command), d.keys("Enter")) }
}

// act applies a verb to the newest message for the host that is down. Such a
// message times out soon: one that is gone meanwhile is replaced by the next.
func (d *desk) act(key, confirm, done string) func() error {
	return func() error {
		for {
			err := steps(d.sees(`DESTINATION`), d.types("/"), d.sees(`filter: `), d.presses("C-u"), d.types("down.test"), d.presses("Enter"),
				d.sees(`› down\.test +out`), d.presses("Enter"), d.sees(`messages for down\.test[^$]*someone`), d.presses("End"), d.types(key), d.sees(`reason: _`),
				d.types("gone for good"), d.presses("Enter"))
			if err == nil && confirm != "" {
				err = steps(d.sees(`type 1 to confirm`), d.types("2"), d.presses("Enter"), d.sees(`"2" is not 1`), d.presses("BSpace"), d.types(confirm), d.presses("Enter"))
			}
			if err != nil {
				return err
			}
			said, err := d.see(done + `|0 messages|not [a-z ]+:|match`)
			if err != nil {
				return err
			}
			if err := steps(d.presses("q"), d.sees(`DESTINATION`), d.types("/"), d.presses("Escape")); err != nil {
				return err
			}
			if regexp.MustCompile(done).MatchString(said[0]) {
				return nil
			}
		}
	}
}

// status asks as anybody else would.
func (d *desk) status() (s struct {
	PID     int
	Alive   bool
	State   string
	Resumes int
	Ledger  map[string]int
}, err error,
) {
	cmd := exec.CommandContext(d.ctx, d.ims, "status", "east-1", "-o", "json", "--config", d.config)
	out, err := cmd.Output()
	if _, exit := errors.AsType[*exec.ExitError](err); err != nil && !exit { // the exit code says how it stands
		return s, err
	}
	return s, json.Unmarshal(out, &s)
}

// waitsLonger gives mail for the host that is down more time, once the gateway
// is restarted: some of it must be there when the queues drain, however long it
// takes this test to put it aside.
func (d *desk) waitsLonger() error {
	cmd := exec.CommandContext(d.ctx, d.ims, "gateway", "set", "east", "--timeout-urgent", "40s", "--timeout-normal", "40s", "--timeout-non-urgent", "40s",
		"--reason", "test", "--config", d.config)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("set time-outs: %w: %s", err, out)
	}
	return nil
}

// killsRunner ends the runner as a crash would.
func (d *desk) killsRunner() error {
	s, err := d.status()
	if err != nil {
		return err
	}
	if !s.Alive || s.PID == 0 {
		return fmt.Errorf("no runner: %+v", s)
	}
	return syscall.Kill(s.PID, syscall.SIGKILL)
}

// tracked looks for what the monitor did in the tracking log.
func (d *desk) tracked(want ...string) func() error {
	return func() error {
		out, err := exec.CommandContext(d.ctx, d.ims, "track", "--gateway", "east", "--limit", "1000000", "-o", "jsonl", "--config", d.config).Output()
		if err != nil {
			return err
		}
		for _, w := range want {
			if !strings.Contains(string(out), w) {
				return fmt.Errorf("the tracking log does not say %q", w)
			}
		}
		return nil
	}
}

// mostByHand bounds a retirement that hangs. It is far more than one takes on a
// busy machine with the race detector: what goes on is decided by what is seen.
const mostByHand = 6 * time.Minute

func retireByHand(t *testing.T, w, h int) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), mostByHand)
	defer cancel()
	d, err := newDesk(ctx, t, w, h)
	if err != nil {
		return err
	}
	defer d.close()
	return steps(
		d.runs(d.ims+" demo --messages 600 --keep --dir "+filepath.Join(d.dir, "lab")),
		d.sees(`WAITING FOR AN ANSWER`),
		d.sees(`verdict blocked: down\.test \(\d+\), r retries, n returns`),
		d.waitsLonger,
		// One message is returned, by its count.
		d.act("n", "1", `1 message returned with an NDR`),
		d.tracked(`returned by an operator: gone for good`),
		// The question is answered.
		d.presses("a"), d.sees(`Answer the question of late_decision`), d.sees(`1 accept_loss`), d.presses("End", "Enter"),
		d.sees(`nothing is chosen yet`), d.types("1"), d.sees(`› 1 accept_loss`), d.presses("Enter"),
		// One is put aside, which will stall the drain.
		d.sees(`of \d+ (refusing|remove_spaces|remove_sites|settle|drain) `),
		d.act("h", "", `1 message held`),
		// Leaving ends nothing.
		d.presses("q"), d.sees(`goes on without the monitor`),
		func() error {
			if s, err := d.status(); err != nil || !s.Alive {
				return fmt.Errorf("the run does not go on: %+v, %w", s, err)
			}
			return nil
		},
		func() error {
			_, err := d.tmux("new-window", "-e", "IMS_CONFIG="+d.config, "-e", "LC_ALL=C.UTF-8", "sh")
			return err
		},
		d.runs(d.ims+" monitor east; echo LEFT=$?"), d.sees(`ims  east → west  q285090`),
		// A runner that is killed and its successor are seen, and hinder nothing.
		d.killsRunner, d.sees(`1 resume`),
		d.sees(`\d+ of \d+ drain `),
		// What is not put aside may still expire, which ends the stall, not the question.
		d.sees(`STALLED`), d.sees(`verdict (STALLED for .*)?blocked: down\.test \(1\), l releases`),
		// The verb that the verdict names resolves it.
		d.types("l"), d.sees(`reason: _`), d.types("enough"), d.presses("Enter"), d.sees(`1 message released`),
		d.sees(`· ?0 queued|  0 queued`), d.sees(`empty +now`),
		d.answersTheRest,
		d.sees(`ENDED: retired`), d.sees(`ledger 0 unaccounted`),
		d.presses("q"), d.sees(`LEFT=0`),
	)
}

// asking is the state whose question is on the screen.
var asking = regexp.MustCompile(`of \d+ (\w+)[^\n]*\nWAITING FOR AN ANSWER`)

// answersTheRest gives what is asked until the run has ended, each question one
// answer: what is on the screen may be older than it.
func (d *desk) answersTheRest() error {
	for answered := ""; ; {
		ended := false
		err := d.until("another question, or the end", func(s string) bool {
			m := asking.FindStringSubmatch(s)
			if m == nil {
				answered, ended = "", strings.Contains(s, "ENDED")
				return ended
			}
			if m[1] == answered {
				return false
			}
			answered = m[1]
			return true
		})
		if err != nil || ended {
			return err
		}
		dialog, err := d.seeAfter("a", `Answer the question[^$]*comment \(optional\)`)
		if err == nil && strings.Contains(dialog, " 1 ") {
			err = d.keys("1")
		}
		if err := errors.Join(err, d.keys("End", "Enter")); err != nil {
			return err
		}
		if _, err := d.see(`the run was told|ENDED|RUNNING`); err != nil {
			return err
		}
	}
}

// seeAfter presses a key and waits for what it shows.
func (d *desk) seeAfter(key, pattern string) (string, error) {
	if err := d.keys(key); err != nil {
		return "", err
	}
	m, err := d.see(pattern)
	return strings.Join(m, ""), err
}
