package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"example.org/ims/internal/dns/server"
	"example.org/ims/internal/dns/tsig"
	"example.org/ims/internal/mail/sink"
)

// Roles are the processes of a lab, in the order in which they start.
var Roles = []string{"dns-primary", "dns-secondary", "mailhost", "remotes", "organization", "senders"}

// Organization runs the organization that a configuration file describes until
// ctx ends. Once every listener is open it calls ready with a function that
// sets a fault of a gateway.
type Organization func(ctx context.Context, config string, log *slog.Logger, ready func(fault func(gateway, name string) error)) error

// Runner performs runs until ctx ends, and calls ready once it answers.
type Runner func(ctx context.Context, config string, log *slog.Logger, ready func()) error

// Process is one process of a lab.
type Process struct {
	Role, Dir string
	In        io.Reader // its lifeline and its commands
	Out       io.Writer // says Ready
	Log       *slog.Logger
	// Organization and Runner are what the roles of these names run.
	Organization Organization
	Runner       Runner
}

// Serve runs the process until ctx ends or its lifeline does. Its goroutine on
// the lifeline may outlive it: nothing ends a read of standard input.
func Serve(ctx context.Context, p Process) error {
	l, err := Load(p.Dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	commands := make(chan string)
	go func() {
		defer cancel()
		for in := bufio.NewScanner(p.In); in.Scan(); {
			select {
			case commands <- in.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	ready := func() { _, _ = fmt.Fprintln(p.Out, Ready) } // a parent that is gone ends us by the lifeline
	switch p.Role {
	case "dns-primary":
		return l.serveDNS(ctx, l.primary(), p.Log, ready)
	case "dns-secondary":
		return l.serveDNS(ctx, l.secondary(), p.Log, ready)
	case "mailhost":
		return l.serveHosts(ctx, []host{l.mailhost()}, nil, p.Log, ready)
	case "remotes":
		keys, err := l.grants()
		if err != nil {
			return err
		}
		return l.serveHosts(ctx, l.remotes(), []server.Config{
			{Zone: "test.", Text: l.internetText(), Listen: l.addr("dns-internet")},
			{Zone: reverseName, Text: l.reverseText(), Listen: l.addr("dns-reverse"), Keys: keys},
		}, p.Log, ready)
	case "organization":
		return l.serveOrganization(ctx, p, commands, ready)
	case "runner":
		return p.Runner(ctx, l.Config(), p.Log, ready)
	case "senders":
		return l.serveSenders(ctx, ready)
	}
	return fmt.Errorf("serve lab: no role %q", p.Role)
}

// serveOrganization obeys "fault GATEWAY NAME" while it serves.
func (l *Layout) serveOrganization(ctx context.Context, p Process, commands <-chan string, ready func()) error {
	var obeying sync.WaitGroup
	defer obeying.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return p.Organization(ctx, l.Config(), p.Log, func(fault func(gateway, name string) error) {
		ready()
		obeying.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case line := <-commands:
					word := strings.Fields(line)
					if len(word) != 3 || word[0] != "fault" {
						p.Log.Error("unknown command", "line", line)
						continue
					}
					if err := fault(word[1], word[2]); err != nil {
						p.Log.Error("fault not set", "err", err)
					}
				}
			}
		})
	})
}

func (l *Layout) grants() ([]server.Grant, error) {
	k, err := tsig.LoadFile(l.keyFile())
	if err != nil {
		return nil, err
	}
	return []server.Grant{{Key: k, Update: true, Transfer: true}}, nil
}

func (l *Layout) primary() server.Config {
	return server.Config{
		Zone: Domain, File: l.path("dns", "primary.zone"), Text: l.zoneText(), Listen: l.addr("dns-primary"), CheckTargets: true,
		Secondaries: []server.Remote{{Addr: l.addr("dns-secondary"), Key: keyName}}, NotifyDelay: 300 * time.Millisecond,
	}
}

func (l *Layout) secondary() server.Config {
	return server.Config{
		Zone: Domain, File: l.path("dns", "secondary.zone"), Listen: l.addr("dns-secondary"),
		Primary: &server.Remote{Addr: l.addr("dns-primary"), Key: keyName}, Refresh: 2 * time.Second,
	}
}

func (l *Layout) serveDNS(ctx context.Context, c server.Config, log *slog.Logger, ready func()) error {
	var err error
	if c.Keys, err = l.grants(); err != nil {
		return err
	}
	c.Log = log
	s, err := server.New(c)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	select {
	case <-s.Loaded():
		ready()
		return <-done
	case err := <-done:
		return err
	}
}

// host is one host of the lab and its listener; without one it is down.
type host struct {
	listen string
	sink.Config
}

func (l *Layout) mailhost() host {
	c := sink.Config{Name: "mail." + Domain, Dir: l.path("mailboxes")}
	for _, u := range users {
		c.Mailboxes = append(c.Mailboxes, u+"@"+Domain)
	}
	c.Mailboxes = append(c.Mailboxes, "postmaster@"+Domain, "office@"+Branch)
	return host{"mailhost", c}
}

func (l *Layout) remotes() []host {
	one := func(name string, b sink.Behaviour) host {
		return host{name, sink.Config{Name: "mx." + name, Dir: l.path("sinks", name), Behaviour: b}}
	}
	return []host{
		one(Fast, sink.Behaviour{}), one(Slow, sink.Behaviour{Delay: 2 * time.Second}),
		one(Defers, sink.Behaviour{Defer: 3}), one(Refuse, sink.Behaviour{Reject: true}),
		{"reports", sink.Config{Name: "mx.reports.test", Dir: l.path("sinks", "reports")}},
		{"bridgehead", sink.Config{Name: "bridgehead." + Domain, Dir: l.path("sinks", "bridgehead")}},
	}
}

// serveHosts runs hosts and name servers until ctx ends.
func (l *Layout) serveHosts(ctx context.Context, hosts []host, dns []server.Config, log *slog.Logger, ready func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	run := func(what string, serve func() error) {
		wg.Go(func() {
			defer cancel() // a lab without one of its hosts is none
			if err := serve(); err != nil {
				mu.Lock()
				errs = append(errs, fmt.Errorf("%s: %w", what, err))
				mu.Unlock()
			}
		})
	}
	for _, h := range hosts {
		h.Log = log
		s, err := sink.New(h.Config)
		if err != nil {
			return errors.Join(err, finish(cancel, &wg))
		}
		ln, err := net.Listen("tcp", l.addr(h.listen))
		if err != nil {
			return errors.Join(err, s.Close(), finish(cancel, &wg))
		}
		run(h.Name, func() error { return errors.Join(s.Serve(ctx, ln), s.Close()) })
	}
	for _, c := range dns {
		s, err := server.New(c)
		if err != nil {
			return errors.Join(err, finish(cancel, &wg))
		}
		run("zone "+c.Zone, func() error { return s.Run(ctx) })
	}
	ready()
	wg.Wait()
	return errors.Join(errs...)
}

func finish(cancel func(), wg *sync.WaitGroup) error {
	cancel()
	wg.Wait()
	return nil
}
