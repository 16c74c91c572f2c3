package cli

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/tui/monitor"
	"example.org/ims/pkg/gateway"
)

// pasted is a command line as a shell hands it to a program.
func pasted(t *testing.T, command string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", `ims() { printf '%s\n' "$@"; }; `+command).Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// TestMonitorProposesWhatWorks: every command that a verdict names does, when
// it is pasted, what the verdict says, and asks for nothing more.
func TestMonitorProposesWhatWorks(t *testing.T) {
	now := time.Now()
	dead := gateway.Destination{
		Store: gateway.Out, Dest: "down.test", Messages: 2, Tried: 2, Most: 9, Oldest: now.Add(-time.Hour),
		Next: now.Add(time.Minute), Expires: now.Add(time.Hour), Ends: now.Add(time.Hour), Last: "connection refused",
	}
	nowhere, slow, tired, literal := dead, dead, dead, dead
	nowhere.Last, slow.Last = "look up down.test: no such domain", "451 4.7.1 later; rm -rf $HOME"
	literal.Dest, literal.Last = "[192.0.2.9]", nowhere.Last
	tired.Next = now.Add(2 * time.Hour)
	running := gateway.Config{Name: "east", Exists: true, Running: true, Stored: gateway.Settings{Mode: gateway.OutboundOnly}}
	running.Effective = gateway.Settings{Mode: gateway.OutboundOnly, Retry: []time.Duration{time.Minute}}
	stopped, paused, none, once := running, running, running, running
	stopped.Running, paused.Paused, none.Effective.Mode, once.Effective.Retry = false, true, gateway.None, nil
	tired2 := dead
	tired2.Next = time.Time{}
	for _, c := range []struct {
		name   string
		config gateway.Config
		row    gateway.Destination
		verb   string
	}{
		{"dead", running, dead, "queue retry"},
		{"nowhere", running, nowhere, "queue return"},
		{"dead address", running, literal, "queue return"},
		{"times out first", running, tired, "queue return"},
		{"no retry", once, tired2, "queue return"},
		{"slow", running, slow, "queue retry"},
		{"held", running, gateway.Destination{Store: gateway.Hold, Dest: "x.test", Messages: 2, Held: "by ann"}, "queue release"},
		{"bad", running, gateway.Destination{Store: gateway.Bad, Messages: 2, Held: "loops"}, "queue release"},
		{"corrupt", running, gateway.Destination{Store: gateway.Corrupt, Messages: 2, Held: "torn"}, "queue delete"},
		{"stopped", stopped, dead, "gateway start"},
		{"paused", paused, dead, "gateway resume"},
		{"mode", none, gateway.Destination{Store: gateway.MTSOut, Messages: 2}, "gateway set"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := monitor.New(monitor.Options{})
			m.Update(monitor.Snapshot{
				At: now, Seen: now, Gateway: "east", Config: c.config,
				Summary: &gateway.Summary{Rows: []gateway.Destination{c.row}, Worst: []gateway.Destination{c.row}, Found: 1},
			})
			text, command, _ := m.Verdict()
			if !strings.HasPrefix(command, "ims "+c.verb+" ") {
				t.Fatalf("%s: %q, want ims %s", text, command, c.verb)
			}
			d := &desk{config: c.config, items: make([]gateway.Item, c.row.Messages)}
			code, out, words := onDesk(t, d, d, pasted(t, command)...)
			if code != 0 || len(d.acted)+len(d.asked) == 0 {
				t.Errorf("%s: exit code %d, %d acts, %d changes:\n%s%s", command, code, len(d.acted), len(d.asked), out, words)
			}
		})
	}
}
