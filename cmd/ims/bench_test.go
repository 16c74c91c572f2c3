package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/mail/control"
	"example.org/ims/internal/mail/routing"
	"example.org/ims/pkg/gateway"
)

// crowd is a gateway with 100,000 messages for 10,000 destinations.
type crowd struct {
	*mem.Gateway
	lines []gateway.Line
}

func newCrowd() *crowd {
	o := mem.New(mem.Options{Domains: []string{"example.test"}, Sites: []routing.Site{{Name: "HQ"}}},
		mem.Spec{Name: "east", Site: "HQ", Spaces: []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1}}})
	c := &crowd{Gateway: o.Gateway("east")}
	now := time.Now()
	for i := range 100_000 {
		c.lines = append(c.lines, gateway.Line{
			Store: gateway.Out, Dest: fmt.Sprintf("d%05d.example", i%10_000), Recipients: 1, Size: 4096, Accepted: now.Add(-time.Duration(i) * time.Second),
			Next: now.Add(time.Duration(i%3600) * time.Second), Expires: now.Add(48 * time.Hour), Attempts: 1 + i%4,
			Last: "451 4.7.1 greylisted, come back later", LastAt: now,
		})
	}
	return c
}

// Census counts them.
func (c *crowd) Census(ctx context.Context) (gateway.Census, error) {
	n, err := c.Gateway.Census(ctx)
	n.Stores[gateway.Out] = gateway.Count{Known: gateway.Counted, Messages: int64(len(c.lines)), Recipients: int64(len(c.lines)), Bytes: 4096 * int64(len(c.lines)), Oldest: c.lines[len(c.lines)-1].Accepted}
	return n, err
}

// Summarize adds all of them up, as the service does.
func (c *crowd) Summarize(_ context.Context, q gateway.SummaryQuery) (gateway.Summary, error) {
	s := gateway.NewSumming(q, time.Now())
	for i := range c.lines {
		s.Add(&c.lines[i])
	}
	return s.Done(), q.Check()
}

// BenchmarkMonitor watches 100,000 messages for ten seconds on a terminal of
// 160x48, and says what that costs the monitor's process: percent of a core,
// and MiB at most.
func BenchmarkMonitor(b *testing.B) {
	dir, err := os.MkdirTemp("", "ims-") // a socket's path must be short
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.WriteFile(filepath.Join(dir, "ims.yaml"), []byte(monitored), 0o600); err != nil {
		b.Fatal(err)
	}
	ln, err := control.Listen(filepath.Join(dir, "state", "run", "gateway.sock"))
	if err != nil {
		b.Fatal(err)
	}
	server := control.NewServer(control.Options{Gateways: map[string]gateway.Gateway{"east": newCrowd()}})
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(ctx, ln) })
	defer wg.Wait()
	defer cancel()
	for b.Loop() {
		p, err := onTerminal(ctx, b, dir, nil, "monitor", "east")
		if err != nil {
			b.Fatal(err)
		}
		if err := p.until(ctx, "100000"); err != nil {
			b.Fatal(err)
		}
		begin, used := time.Now(), cpu(b, p.cmd.Process.Pid)
		<-time.After(10 * time.Second)
		spent := cpu(b, p.cmd.Process.Pid) - used
		b.ReportMetric(100*spent.Seconds()/time.Since(begin).Seconds(), "%core")
		b.ReportMetric(peak(b, p.cmd.Process.Pid), "MiB")
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			b.Fatal(err)
		}
		p.end()
	}
}

// cpu is what a process has used so far: fields 14 and 15 of its stat, in
// hundredths of a second (proc_pid_stat(5)).
func cpu(b *testing.B, pid int) time.Duration {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	var user, system int64
	var skip string
	fields := []any{&skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &user, &system}
	if _, err := fmt.Sscan(string(raw), fields...); err != nil {
		b.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// peak is the most memory that a process had at a time, in MiB.
func peak(b *testing.B, pid int) float64 {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		var kib int
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return float64(kib) / 1024
		}
	}
	b.Fatal("no VmHWM")
	return 0
}

// BenchmarkVersion is what the shortest command takes on a terminal.
func BenchmarkVersion(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		p, err := onTerminal(b.Context(), b, dir, nil, "--version")
		if err != nil {
			b.Fatal(err)
		}
		p.end()
	}
}
