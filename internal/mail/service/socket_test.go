package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"example.org/ims/internal/mail/delivery"
	"example.org/ims/internal/mail/sink"
	"example.org/ims/pkg/gateway"
)

// sockets is a world of real sockets and files: names are looked up in a map,
// listeners take free ports.
type sockets struct {
	mu    sync.Mutex
	ports map[string]string
}

func (s *sockets) listen(ctx context.Context, name string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ports[name] = ln.Addr().String()
	}
	return ln, err
}

func (s *sockets) addr(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ports[name]
}

func (s *sockets) Lookup(_ context.Context, domain string) ([]delivery.Target, error) {
	return []delivery.Target{{Host: "mx." + domain, Addr: domain + ":25"}}, nil
}

func (s *sockets) dial(ctx context.Context, name string) (net.Conn, error) {
	if a := s.addr(name); a != "" {
		name = a
	}
	return new(net.Dialer).DialContext(ctx, "tcp", name)
}

// host runs a lab host.
func (s *sockets) host(t *testing.T, name string) *sink.Host {
	t.Helper()
	h, err := sink.New(sink.Config{Name: name, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := s.listen(t.Context(), name+":25")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- h.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, h.Close()); err != nil {
			t.Errorf("host %s: %v", name, err)
		}
	})
	return h
}

// TestSocketsAndFiles sends mail over TCP through a spool on disk, with a
// stopped gateway and a new process in between.
func TestSocketsAndFiles(t *testing.T) {
	s := &sockets{ports: map[string]string{}}
	far, mailHost := s.host(t, "far.example"), s.host(t, "mail.corp.example")
	cfg, dir := config(), t.TempDir()
	open := func() (*Organization, func()) {
		o, err := Open(t.Context(), cfg, Deps{Spool: dir, Resolver: s, Dial: s.dial, Listen: s.listen})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- o.Run(ctx) }()
		<-o.Ready()
		return o, func() {
			cancel()
			if err := errors.Join(<-done, o.Close()); err != nil {
				t.Error(err)
			}
		}
	}
	send := func(name, rcpt string) {
		t.Helper()
		c, err := s.dial(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		said, err := talk(c, "ann@corp.example", []string{rcpt}, text)
		if err != nil || code(last(said)) != "250" {
			t.Fatalf("%s: %q, %v", name, said, err)
		}
	}
	until := func(what string, cond func() bool) {
		t.Helper()
		for start := time.Now(); !cond(); moment(t) {
			if time.Since(start) > 30*time.Second {
				t.Fatalf("%s: not within 30 s", what)
			}
		}
	}
	apply := func(o *Organization, want gateway.RunState) {
		t.Helper()
		if _, err := o.byName["alpha"].Apply(t.Context(), gateway.Change{Key: fmt.Sprint(want), Want: gateway.Want{Running: &want}}); err != nil {
			t.Fatal(err)
		}
	}
	o, stop := open()
	if c, err := o.byName["alpha"].Config(t.Context()); err != nil || c.Listen != s.addr("alpha:25") {
		t.Errorf("listens on %q, want %q, %v", c.Listen, s.addr("alpha:25"), err)
	}
	send("alpha:25", "bob@corp.example")
	until("mail host", func() bool { return mailHost.Counts().Messages == 1 })
	apply(o, gateway.Stopped)
	send("submit.hq:25", "joe@far.example")
	stop()
	o, stop = open()
	defer stop()
	until("handover", func() bool { return o.spool.Counts("alpha")[gateway.MTSOut].Messages == 1 })
	if n := far.Counts().Messages; n != 0 {
		t.Errorf("%d messages left a stopped gateway", n)
	}
	apply(o, gateway.Started)
	until("far", func() bool { return far.Counts().Messages == 1 })
}
