package service

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

var _ gateway.Summarizer = (*Gateway)(nil)

// Summarize implements gateway.Summarizer. It reads memory only.
func (g *Gateway) Summarize(ctx context.Context, q gateway.SummaryQuery) (gateway.Summary, error) {
	err := q.Check()
	if err == nil {
		err = ended(ctx)
	}
	if err != nil {
		return gateway.Summary{}, fmt.Errorf("sum up gateway %q: %w", g.name, err)
	}
	set := g.record().settings()
	if rt := g.runtime(); rt != nil {
		set = rt.settings()
	}
	sum := gateway.NewSumming(q, time.Now().UTC())
	err = g.o.spool.Briefs(g.name, func(b *spool.Brief) {
		l := gateway.Line{
			Store: b.Store, Dest: b.Dest, Recipients: b.Recipients, Size: b.Size, Accepted: b.Accepted,
			Attempts: b.Attempts, Last: b.Last, LastAt: b.Tried,
		}
		if b.Store.Side() {
			l.Held = b.Held
		}
		l.Next, l.Expires = plan(b, set)
		sum.Add(&l)
	})
	if err != nil {
		return gateway.Summary{}, fmt.Errorf("sum up gateway %q: %w", g.name, err)
	}
	return sum.Done(), nil
}

// plan is when an entry is tried next and when its time-out is. Only out and
// mts-in have either.
func plan(b *spool.Brief, set gateway.Settings) (next, expires time.Time) {
	if b.Store != gateway.Out && b.Store != gateway.MTSIn {
		return next, expires
	}
	next = b.Next
	if n := len(set.Retry); b.Attempts > 0 && n > 0 {
		at := b.Tried.Add(set.Retry[min(b.Attempts, n)-1])
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next, b.Accepted.Add(b.Class.Timeout(set.Timeouts))
}

// Limits of Inspect: header bytes, and events of one message.
const (
	maxHeader = 64 << 10
	maxTrail  = 200
)

// Inspect implements gateway.Summarizer.
func (g *Gateway) Inspect(ctx context.Context, entry string) (gateway.Letter, error) {
	l, err := g.inspect(ctx, entry)
	if err != nil {
		return gateway.Letter{}, fmt.Errorf("read entry %s of gateway %q: %w", entry, g.name, err)
	}
	return l, nil
}

func (g *Gateway) inspect(ctx context.Context, entry string) (gateway.Letter, error) {
	var l gateway.Letter
	if err := ended(ctx); err != nil {
		return l, err
	}
	e, err := g.get(mail.ID(entry))
	if err != nil {
		return l, err
	}
	set := g.record().settings()
	if rt := g.runtime(); rt != nil {
		set = rt.settings()
	}
	l.Item = itemOf(e, set)
	if l.Header, err = g.o.header(e.Message); err != nil && !errors.Is(err, spool.ErrNotFound) {
		return l, err
	}
	l.Events, err = g.trail(ctx, e)
	return l, err
}

// get finds an entry in whichever store has it.
func (g *Gateway) get(id mail.ID) (mail.Entry, error) {
	for st := range gateway.NumStores {
		e, err := g.o.spool.Get(g.name, st, id)
		if !errors.Is(err, spool.ErrNotFound) {
			return e, err
		}
	}
	return mail.Entry{}, gateway.ErrNotFound
}

// header reads the header section of a message, up to its first empty line.
func (o *Organization) header(m mail.ID) ([]string, error) {
	body, _, err := o.spool.Body(m)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }() // it was only read
	var lines []string
	for in, left := bufio.NewReader(io.LimitReader(body, maxHeader)), true; left; {
		line, err := in.ReadString('\n')
		left = err == nil
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			break
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// trail is the newest part of what the tracking log says of a message. It
// reads the whole log.
func (g *Gateway) trail(ctx context.Context, e mail.Entry) ([]ledger.Event, error) {
	events, err := g.o.track(ctx, 0, 0, func(ev *ledger.Event) bool { return ev.Message == string(e.Message) })
	return events[max(0, len(events)-maxTrail):], err
}
