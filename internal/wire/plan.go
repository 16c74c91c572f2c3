package wire

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/readonly"
	"example.org/ims/internal/plan"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
)

// readOnly wires adapters that cannot change the world: every write is
// refused, and recorded, whatever calls it.
func (s *site) readOnly() *site {
	return &site{
		cfg:         s.cfg,
		wrapGateway: func(g gateway.Gateway) gateway.Gateway { return readonly.Wrap(g) },
		wrapZone:    func(w zone.Writer) zone.Writer { return zone.ReadOnly(w) },
	}
}

// plan predicts a run from what is observed now. It sends queries, and SMTP up
// to RCPT; nothing else.
func (s *site) plan(ctx context.Context, book *runbook.Book) (*plan.Plan, error) {
	ro := s.readOnly()
	w, err := ro.world(book)
	if err != nil {
		return nil, err
	}
	look := engine.Look{Named: map[machine.Subject]map[string]bool{}, Memory: map[string]string{}}
	obs := w.Observe(ctx, look)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := plan.Make(plan.Input{
		Book: book, Facts: assume(obs.Facts), Now: obs.At, Expires: w.CachedUntil(),
		Describe: func(a machine.ActionName, args machine.Args, target string) string {
			return ro.describe(ctx, w, a, args, target)
		},
	})
	p.Notes = obs.Notes
	g := ro.gateway(book.Bound.Gateway)
	p.Messages = fates(ctx, g, p.Ends)
	return p, nil
}

// assume fills in what only a run can tell: nothing has arrived since the last
// look when there was none, and nobody has decided anything yet.
func assume(s *facts.Set) *facts.Set {
	for _, id := range facts.All() {
		f := s[id]
		if f.Value == facts.Unknown && (id == facts.GwArrivals || strings.HasPrefix(id.String(), "run.")) {
			f.Value, f.Provenance = 0, facts.Simulated
			s.Put(f)
		}
	}
	return s
}

// describe puts a change into words, as a difference where the present value
// is known.
func (s *site) describe(ctx context.Context, w engine.World, a machine.ActionName, args machine.Args, target string) string {
	_, before, err := w.Image(ctx, engine.Effect{Action: a, Args: args, Target: target})
	if err != nil {
		before = "unknown: " + err.Error()
	}
	switch a {
	case machine.DNSRRset:
		next, _ := s.cfg.Gateway(args.Successor)
		return fmt.Sprintf("- %s  + the same, naming %s", before, next.Hostname)
	case machine.RouteSpaces, machine.RouteSites:
		return "- " + before
	case machine.GatewayAbsent:
		return fmt.Sprintf("archive, verify and remove %s", target)
	case machine.GatewayRunning:
		return fmt.Sprintf("- %s  + %s", before, args.Running)
	case machine.GatewayMode, machine.GatewayConfig:
		return fmt.Sprintf("- %s  + %s", before, settings(args))
	case machine.QueueReturn, machine.QueueRedirect, machine.QueueExport, machine.QueueRetry, machine.ProbeSend:
	}
	return string(a)
}

func settings(a machine.Args) string {
	words := ""
	add := func(name, v string) {
		if v != "" {
			words += name + " " + v + ", "
		}
	}
	add("mode", a.Mode)
	add("refuse", a.Refuse)
	if len(a.Retry) > 0 {
		add("retry", a.Retry[0].String())
	}
	if a.Timeouts > 0 {
		add("time-outs", a.Timeouts.String())
	}
	if a.Restart {
		return words + "restart"
	}
	return words + "from the next start on"
}

// fates predicts what becomes of what is queued now.
func fates(ctx context.Context, g gateway.Gateway, ends time.Time) plan.Messages {
	var m plan.Messages
	q, ok := g.(gateway.Queues)
	if !ok {
		m.Notes = append(m.Notes, "this adapter cannot list messages")
		return m
	}
	items, err := q.List(ctx, gateway.Selection{Limit: 100_000})
	if err != nil {
		m.Notes = append(m.Notes, "could not be listed: "+err.Error())
		return m
	}
	for _, it := range items {
		f := plan.Fate{Message: it.Message, Rcpts: it.Rcpts, Store: it.Store.String(), Fate: "deliver"}
		switch {
		case it.Store.Side():
			f.Fate, f.Why = "held", it.Held
			m.Held++
		case it.Attempts > 0 && !it.Expires.IsZero() && it.Expires.Before(ends):
			f.Fate, f.Why = "return", "its destination does not take it, and it expires "+it.Expires.Format(time.RFC3339)+": "+it.Last
			m.Returned++
		default:
			m.Delivered++
		}
		m.Queued++
		m.Fates = append(m.Fates, f)
	}
	if n := slices.IndexFunc(m.Fates, func(f plan.Fate) bool { return f.Fate == "return" }); n >= 0 {
		m.Notes = append(m.Notes, fmt.Sprintf("returned unless their destination comes back; the first is %s", m.Fates[n].Message))
	}
	return m
}
