package control

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"example.org/ims/pkg/gateway"
)

func (s *Server) routes() {
	const one = " /v1/gateways/{name}/"
	s.handle("GET /v1/gateways", View, func(call) (any, error) { return list(s.infos()), nil })
	s.handle("GET"+one+"config", View, func(c call) (any, error) { return c.gw.Config(c.ctx) })
	s.handle("GET"+one+"census", View, func(c call) (any, error) { return c.gw.Census(c.ctx) })
	s.handle("GET"+one+"op", View, func(c call) (any, error) { return c.gw.Op(c.ctx, c.r.URL.Query().Get("key")) })
	s.handle("POST"+one+"apply", Operate, apply)
	s.handle("GET"+one+"queue", View, able(listQueue))
	s.handle("POST"+one+"queue", Operate, able(actOnQueue))
	s.handle("GET"+one+"track", View, able(track))
	s.handle("GET"+one+"present", View, able(func(c call, t gateway.Tracker) (any, error) {
		items, err := t.Present(c.ctx)
		return list(items), err
	}))
	s.handle("GET"+one+"tables", View, able(func(c call, r gateway.Router) (any, error) {
		tables, err := r.Tables(c.ctx)
		return list(tables), err
	}))
	s.handle("GET"+one+"route", View, able(route))
	s.handle("GET"+one+"clients", View, able(func(c call, l gateway.ClientLog) (any, error) {
		clients, err := l.Clients(c.ctx)
		return list(clients), err
	}))
	s.summaryRoutes(one)
	s.bodyRoutes(one)
	s.handle("/", View, func(c call) (any, error) {
		return nil, fmt.Errorf("%s %s: no such request: %w", c.r.Method, c.r.URL.Path, errors.ErrUnsupported)
	})
}

// able answers with a gateway's ability.
func able[T any](answer func(call, T) (any, error)) func(call) (any, error) {
	return func(c call) (any, error) {
		a, ok := c.gw.(T)
		if !ok {
			return nil, fmt.Errorf("gateway %q (%s) cannot do this: %w", c.r.PathValue("name"), c.gw.Caps().Adapter, errors.ErrUnsupported)
		}
		return answer(c, a)
	}
}

func apply(c call) (any, error) {
	var ch gateway.Change
	if err := body(c.r, &ch); err != nil {
		return nil, err
	}
	ch.Actor = c.peer.Signed(ch.Actor)
	return c.gw.Apply(c.ctx, ch)
}

func listQueue(c call, q gateway.Queues) (any, error) {
	p := params{c.r.URL.Query(), nil}
	sel := gateway.Selection{
		ID: p.Get("id"), IDs: p.Values["ids"], Dest: p.Get("dest"), OlderThan: p.duration("older_than"),
		Held: p.Get("held"), NoReports: p.Get("no_reports") == "true", Limit: int(p.number("limit", maxList)),
	}
	if name := p.Get("store"); name != "" {
		sel.Store = new(gateway.Store)
		p.note(sel.Store.UnmarshalText([]byte(name)))
	}
	if p.err != nil {
		return nil, p.err
	}
	items, err := q.List(c.ctx, sel)
	return list(items), err
}

func actOnQueue(c call, q gateway.Queues) (any, error) {
	var a action
	if err := body(c.r, &a); err != nil {
		return nil, err
	}
	if a.Reason == "" {
		return nil, fmt.Errorf("act on queue: it has no reason: %w", gateway.ErrRefused)
	}
	n, err := q.Act(c.ctx, a.Verb, a.Selection, c.peer.Signed(a.Actor), a.Reason)
	return touched{n}, err
}

func track(c call, t gateway.Tracker) (any, error) {
	p := params{c.r.URL.Query(), nil}
	after, limit := p.number("after", 1<<63-1), p.number("limit", maxList)
	if limit == 0 {
		limit = maxList
	}
	if p.err != nil {
		return nil, p.err
	}
	events, err := t.Track(c.ctx, after, int(limit))
	return list(events), err
}

func route(c call, r gateway.Router) (any, error) {
	p := params{c.r.URL.Query(), nil}
	count := p.number("count", 1_000_000)
	if p.err != nil {
		return nil, p.err
	}
	return r.Route(c.ctx, p.Get("site"), p.Get("address"), int(count))
}

// params reads query parameters and keeps the first mistake.
type params struct {
	url.Values
	err error
}

func (p *params) note(err error) {
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("read request: %w: %w", err, gateway.ErrRefused)
	}
}

// number is a parameter within 0 and limit; 0 if it is not there.
func (p *params) number(name string, limit uint64) uint64 {
	text := p.Get(name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err == nil && n > limit {
		err = fmt.Errorf("%s is %d, at most %d", name, n, limit)
	}
	p.note(err)
	return n
}

func (p *params) duration(name string) time.Duration {
	text := p.Get(name)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	p.note(err)
	return d
}
