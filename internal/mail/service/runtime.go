package service

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/delivery"
	"example.org/ims/pkg/gateway"
)

// runtime is a gateway's service from one start to the next stop.
type runtime struct {
	g         *Gateway
	started   time.Time
	effective atomic.Pointer[gateway.Settings]
	paused    atomic.Bool
	names     *keeper // nil if names are looked up each time
	front     *front
	out       *delivery.Scheduler // out → Internet
	in        *delivery.Scheduler // mts-in → mail host
	outbound  bell                // something is in mts-out
	inbound   bell                // something is in in
	cancel    context.CancelFunc
	loops     sync.WaitGroup
}

func (rt *runtime) settings() gateway.Settings { return *rt.effective.Load() }

// picksUp reports whether mts-out is converted in a mode: not in Inbound Only
// (Q285090, Q238719), and not in None (Q189587), unless told to read it so.
func (g *Gateway) picksUp(m gateway.Mode) bool {
	flush := g.record().File.NonePicksUp || g.faults.flushPicksUp.Load()
	return m == gateway.InboundOutbound || m == gateway.OutboundOnly || m == gateway.None && flush
}

// delivers reports whether out is delivered in a mode. None delivers what was
// converted (release notes of 5.0, 3.2.7); an Inbound Only gateway that was
// seen to try (Q295749) is not imitated.
func delivers(m gateway.Mode) bool { return m != gateway.InboundOnly }

// accepts reports whether mail from the Internet is taken in a mode.
func accepts(m gateway.Mode) bool { return m == gateway.InboundOutbound || m == gateway.InboundOnly }

// start brings the service up with the stored settings. The service lives
// until stop, however ctx ends.
func (g *Gateway) start(ctx context.Context, paused bool) error {
	r := g.record()
	set := r.settings()
	ctx = context.WithoutCancel(ctx)
	rt := &runtime{g: g, started: time.Now(), outbound: newBell(), inbound: newBell()}
	rt.effective.Store(&set)
	rt.paused.Store(paused)
	rt.front = &front{g: g, rt: rt}
	if err := rt.bringUp(ctx, set); err != nil {
		g.o.log.Error("gateway does not start", "gateway", g.name, "err", err)
		return fmt.Errorf("start gateway %q: %w", g.name, errors.Join(err, g.stopped(ctx, rt)))
	}
	g.mu.Lock()
	g.starts++
	g.mu.Unlock()
	g.o.log.Info("gateway started", "gateway", g.name, "mode", set.Mode.String())
	return nil
}

// bringUp starts the parts of rt, the listener last.
func (rt *runtime) bringUp(ctx context.Context, set gateway.Settings) error {
	g := rt.g
	opt := delivery.Options{
		Hostname: g.record().File.Hostname, Settings: set, Resolver: g.o.deps.Resolver, Dial: g.o.deps.Dial, Self: g.self,
		Store: &courier{g.o, g.name, gateway.Out, &g.flow}, Limits: g.o.cfg.Delivery, Log: g.o.log.With("gateway", g.name),
		StartTLS: true,
	}
	if g.record().File.KeepNames {
		rt.names = &keeper{Resolver: g.o.deps.Resolver, kept: map[string][]delivery.Target{}}
		opt.Resolver = rt.names
	}
	var err error
	if rt.out, err = delivery.New(ctx, opt); err != nil {
		return err
	}
	if !delivers(set.Mode) {
		rt.out.Pause()
	}
	opt.Store, opt.Resolver = &courier{g.o, g.name, gateway.MTSIn, &g.flow}, g.o.deps.Resolver
	opt.Settings, opt.Self, opt.LMTP, opt.StartTLS = g.o.inward(set), nil, g.o.cfg.LMTP, false
	if rt.in, err = delivery.New(ctx, opt); err != nil {
		return err
	}
	if err := rt.takeOver(); err != nil {
		return err
	}
	var loops context.Context
	loops, rt.cancel = context.WithCancel(ctx)
	rt.loops.Go(func() { rt.convertLoop(loops, rt.outbound, rt.convertOut) })
	rt.loops.Go(func() { rt.convertLoop(loops, rt.inbound, rt.convertIn) })
	rt.loops.Go(func() { g.saveLoop(loops) })
	return rt.front.adjust(ctx, set)
}

// takeOver gives the schedulers what is in their stores, and makes rt the
// gateway's service before any outcome can be stored.
func (rt *runtime) takeOver() error {
	g := rt.g
	g.flow.Lock()
	defer g.flow.Unlock()
	for st, s := range map[gateway.Store]*delivery.Scheduler{gateway.Out: rt.out, gateway.MTSIn: rt.in} {
		if err := g.o.spool.Scan(g.name, st, func(e mail.Entry) bool { s.Add(e); return true }); err != nil {
			return err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rt = rt
	return nil
}

// inward are the settings for the way to the mail host.
func (o *Organization) inward(s gateway.Settings) gateway.Settings {
	return gateway.Settings{Retry: s.Retry, Timeouts: s.Timeouts, ForwardHost: o.cfg.MailHost}
}

// stop takes the service down: sessions and attempts under way may finish for
// StopGrace; what is cut off stays in its store. It does nothing while the
// service is stopped.
func (g *Gateway) stop(ctx context.Context) error {
	rt := g.runtime()
	if rt == nil {
		return nil
	}
	err := g.stopped(ctx, rt)
	g.o.log.Info("gateway stopped", "gateway", g.name, "err", err)
	return err
}

// stopped ends every part of rt that was started.
func (g *Gateway) stopped(ctx context.Context, rt *runtime) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.o.cfg.StopGrace)
	defer cancel()
	rt.front.close(ctx)
	if rt.cancel != nil {
		rt.cancel()
		rt.loops.Wait()
	}
	for _, s := range []*delivery.Scheduler{rt.out, rt.in} {
		if s == nil {
			continue
		}
		if err := s.Stop(ctx); err != nil {
			g.o.log.Warn("attempts cut off", "gateway", g.name, "err", err)
		}
	}
	g.mu.Lock()
	g.rt = nil
	g.mu.Unlock()
	return g.saveClients()
}

// wake tells the part that works on an entry of it.
func (rt *runtime) wake(e mail.Entry) {
	switch e.Store {
	case gateway.MTSOut:
		rt.outbound.ring()
	case gateway.Out:
		rt.out.Add(e)
	case gateway.In:
		rt.inbound.ring()
	case gateway.MTSIn:
		rt.in.Add(e)
	case gateway.MTA, gateway.Bad, gateway.Hold, gateway.Corrupt, gateway.NumStores: // nothing here moves it
	}
}

// configure makes settings effective while the service runs (apply: live).
func (rt *runtime) configure(ctx context.Context, set gateway.Settings) error {
	if err := rt.out.Configure(set); err != nil {
		return err
	}
	if err := rt.in.Configure(rt.g.o.inward(set)); err != nil {
		return err
	}
	rt.effective.Store(&set)
	if delivers(set.Mode) {
		rt.out.Resume()
	} else {
		rt.out.Pause()
	}
	rt.outbound.ring()
	return rt.front.adjust(context.WithoutCancel(ctx), set)
}
