package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/delivery"
	"example.org/ims/internal/mail/smtpd"
	"example.org/ims/pkg/gateway"
)

// Run serves until ctx is done: it opens the submission listeners, starts the
// gateways that are to run, and moves mail. Then it lets sessions and attempts
// finish for StopGrace and returns after everything has ended. It fails if a
// submission listener cannot be opened; a gateway that cannot be started is
// logged and stays stopped. It may be called once.
func (o *Organization) Run(ctx context.Context) error {
	if err := o.enter(); err != nil {
		return fmt.Errorf("run organization: %w", err)
	}
	var servers []*smtpd.Server
	var work sync.WaitGroup
	loops, cancel := context.WithCancel(ctx)
	defer cancel()
	alive := context.WithoutCancel(ctx)
	err := o.mta.start(alive)
	if err == nil {
		servers, err = o.listen(alive, &work)
	}
	if err == nil {
		work.Go(func() { o.mta.routeLoop(loops) })
		work.Go(func() { o.mta.handLoop(loops) })
		o.mta.route.ring()
		o.mta.hand.ring()
		o.startGateways(ctx)
		close(o.ready)
		<-ctx.Done()
	}
	return errors.Join(err, o.shutDown(alive, servers, cancel, &work))
}

// enter allows gateways to be started.
func (o *Organization) enter() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ran {
		return errors.New("it ran already")
	}
	o.ran, o.running = true, true
	return nil
}

// listen opens the submission listeners and serves them.
func (o *Organization) listen(ctx context.Context, work *sync.WaitGroup) ([]*smtpd.Server, error) {
	var servers []*smtpd.Server
	for _, s := range o.cfg.Sites {
		if s.Submission == "" {
			continue
		}
		ln, err := o.deps.Listen(ctx, s.Submission)
		if err != nil {
			return servers, fmt.Errorf("listen for site %q: %w", s.Name, err)
		}
		srv := smtpd.New(smtpd.Config{
			Hostname: o.cfg.Hostname, Handler: &submission{o: o, site: s}, Log: o.log.With("site", s.Name),
		})
		servers = append(servers, srv)
		work.Go(func() { o.serve(ctx, srv, ln, s.Name) })
	}
	return servers, nil
}

func (o *Organization) serve(ctx context.Context, srv *smtpd.Server, ln net.Listener, site string) {
	if err := srv.Serve(ctx, ln); err != nil {
		o.log.Error("submission listener ended", "site", site, "err", err)
	}
}

// startGateways starts the gateways that are to run. One whose operation was
// cut off by a crash gets it finished.
func (o *Organization) startGateways(ctx context.Context) {
	for _, g := range o.gateways {
		if err := g.resume(ctx); err != nil {
			o.log.Error("gateway is not what it should be", "gateway", g.name, "err", err)
		}
	}
}

// resume makes the gateway run if it is wanted.
func (g *Gateway) resume(ctx context.Context) error {
	g.applying <- struct{}{}
	defer func() { <-g.applying }()
	r := g.record()
	if r.Exists && r.Running && g.runtime() == nil {
		if err := g.start(ctx, r.Paused); err != nil {
			return err
		}
	}
	return g.settleOps()
}

// shutDown ends everything Run started.
func (o *Organization) shutDown(ctx context.Context, servers []*smtpd.Server, cancel context.CancelFunc, work *sync.WaitGroup) error {
	o.mu.Lock()
	o.running = false
	o.mu.Unlock()
	bounded, done := context.WithTimeout(ctx, o.cfg.StopGrace)
	defer done()
	var stops sync.WaitGroup
	for _, s := range servers {
		stops.Go(func() {
			if err := s.Shutdown(bounded); err != nil {
				o.log.Warn("submissions cut off", "err", err)
			}
		})
	}
	errs := make([]error, len(o.gateways))
	for i, g := range o.gateways {
		stops.Go(func() {
			g.applying <- struct{}{} // an Apply under way ends first
			defer func() { <-g.applying }()
			errs[i] = g.stop(ctx)
		})
	}
	stops.Wait()
	cancel()
	work.Wait()
	return errors.Join(append(errs, o.mta.stop(bounded))...)
}

// start makes the MTA's scheduler and gives it what waits for the mail host.
func (m *mta) start(ctx context.Context) error {
	s, err := delivery.New(ctx, delivery.Options{
		Hostname: m.o.cfg.Hostname, Resolver: m.o.deps.Resolver, Dial: m.o.deps.Dial, LMTP: m.o.cfg.LMTP,
		Settings: gateway.Settings{Retry: m.o.cfg.LocalRetry, Timeouts: m.o.cfg.LocalTimeouts, ForwardHost: m.o.cfg.MailHost},
		Store:    &courier{m.o, "", localStore, new(sync.RWMutex)}, Limits: m.o.cfg.Delivery, Log: m.o.log.With("gateway", ""),
	})
	if err != nil {
		return fmt.Errorf("start mta: %w", err)
	}
	m.mu.Lock()
	m.local = s
	m.mu.Unlock()
	return m.o.spool.Scan("", localStore, func(e mail.Entry) bool { s.Add(e); return true })
}

func (m *mta) stop(ctx context.Context) error {
	m.mu.Lock()
	s := m.local
	m.mu.Unlock()
	if s == nil {
		return nil
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := s.Stop(bounded); err != nil {
		m.o.log.Warn("attempts cut off", "err", err)
	}
	return nil
}
