package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// labView is what the tests read of `ims lab run -o json`.
type labView struct {
	Config    string
	Processes []struct {
		Role  string
		PID   int
		Ports []string
	}
	Try []struct {
		Command, Says string
		Exit          int
	}
}

// openLab runs a lab without traffic, and reads where it is.
func openLab(t *testing.T) (*exec.Cmd, labView) {
	t.Helper()
	dir, err := os.MkdirTemp("", "lab-") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what is left there is of no use
	cmd := ims(t.Context(), t, "lab", "run", "--idle", "--dir", filepath.Join(dir, "lab"), "-o", "json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	var v labView
	if err := json.Unmarshal(line, &v); err != nil {
		t.Fatalf("lab says %q: %v", line, err)
	}
	return cmd, v
}

// gone waits until none of a lab's processes is alive.
func gone(t *testing.T, v labView) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for {
		var alive []string
		for _, p := range v.Processes {
			if running(p.PID) {
				alive = append(alive, fmt.Sprintf("%s (pid %d)", p.Role, p.PID))
			}
		}
		if len(alive) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("still alive: %s", strings.Join(alive, ", "))
		}
	}
}

// running reports whether a process exists and is no zombie: one whose parent
// was killed is reaped by whoever adopted it, at leisure.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return syscall.Kill(pid, 0) == nil && !os.IsNotExist(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func TestLabEndsWithItsParent(t *testing.T) {
	for _, c := range []struct {
		name string
		sig  syscall.Signal
		want string
	}{{"asked", syscall.SIGINT, ""}, {"killed", syscall.SIGKILL, "signal: killed"}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cmd, v := openLab(t)
			if len(v.Processes) != 5 {
				t.Errorf("%d processes, want 5: %+v", len(v.Processes), v.Processes)
			}
			answers(t, v)
			if err := cmd.Process.Signal(c.sig); err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := cmd.Wait(); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("it ended with %q, want %q", got, c.want)
			}
			gone(t, v)
		})
	}
}

// answers requires that every port that is printed is open.
func answers(t *testing.T, v labView) {
	t.Helper()
	ports := 0
	for _, p := range v.Processes {
		for _, port := range p.Ports {
			_, addr, _ := strings.Cut(port, "=")
			conn, err := net.DialTimeout("tcp", addr, patience)
			if err != nil {
				t.Errorf("%s %s: %v", p.Role, port, err)
				continue
			}
			ports++
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if ports < 10 {
		t.Errorf("%d open ports", ports)
	}
}
