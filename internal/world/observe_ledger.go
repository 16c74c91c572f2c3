package world

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

const subjectLate = machine.SubjectLate

// isOwn recognises the probes, for logs that do not leave them out.
func isOwn(c gateway.Client) bool { return strings.HasPrefix(c.Helo, gateway.ProbeHelo) }

func clientWords(c gateway.Client) string {
	return fmt.Sprintf("%s (%s), last mail from <%s> at %s, %d accepted", c.Host, c.Helo, c.LastFrom,
		c.LastValid.Format("15:04:05"), c.Accepted)
}

// ledger accounts for every message, from the tracking log and the spool.
func (o *observer) ledger() {
	ids := []facts.ID{facts.LedgerUnaccounted, facts.LedgerAbsorbed, facts.LedgerPresent, facts.GwUnaccounted}
	t, ok := o.cfg.Gateway.(gateway.Tracker)
	if !ok {
		o.unknown(errNoAbility, o.source(), ids...)
		return
	}
	if err := o.account(o.ctx, t); err != nil {
		o.unknown(err, o.source(), ids...)
		return
	}
	absorbed := 0
	for _, p := range o.pairs.AbsorbedPairs {
		if !o.look.Named[machine.SubjectAbsorbed][pairName(p.Message, p.Rcpt)] {
			absorbed++
		}
	}
	o.counts = o.pairs.Counts()
	unaccounted := o.pairs.Unaccounted + len(o.pairs.Conflicts)
	o.put(facts.LedgerUnaccounted, facts.Int(int64(unaccounted)), "tracking log")
	o.put(facts.GwUnaccounted, facts.Int(int64(unaccounted)), "tracking log")
	o.put(facts.LedgerAbsorbed, facts.Int(int64(absorbed)), "tracking log")
	o.put(facts.LedgerPresent, facts.Int(int64(o.pairs.Present)), "tracking log")
	for i, f := range o.pairs.UnaccountedPairs {
		if i == 10 {
			o.note("unaccounted: and %d more", len(o.pairs.UnaccountedPairs)-i)
			break
		}
		o.note("unaccounted: %s", f)
	}
}

func pairName(message, rcpt string) string { return message + " " + rcpt }

// account brings the book up to date and compares it with the spool. The
// order is the one that the ledger asks for while a gateway works: log, list,
// log.
func (w *World) account(ctx context.Context, t gateway.Tracker) error {
	if err := w.read(ctx, t); err != nil {
		return err
	}
	taken := w.book.Seq()
	present, err := t.Present(ctx)
	if err != nil {
		return fmt.Errorf("list what the spool holds: %w", err)
	}
	if err := w.read(ctx, t); err != nil {
		return err
	}
	w.pairs = w.book.Ledger(present, taken)
	return nil
}

// read adds the events of the tracking log that came since the last time.
func (w *World) read(ctx context.Context, t gateway.Tracker) error {
	for {
		events, err := t.Track(ctx, w.seq, trackBatch)
		if err != nil {
			return fmt.Errorf("read the tracking log: %w", err)
		}
		w.book.Add(events...)
		if len(events) > 0 {
			w.seq = events[len(events)-1].Seq
		}
		if len(events) < trackBatch {
			return nil
		}
	}
}

// trackBatch is how many events of the tracking log are read at once.
const trackBatch = 5000

// mostItems is how many entries can be listed at once.
const mostItems = 100_000

// outItems lists what waits for a destination, reports left out.
func outItems(ctx context.Context, g gateway.Gateway, c gateway.Census) ([]gateway.Item, error) {
	if c.Stores[gateway.Out].Known != gateway.Unknown && c.Stores[gateway.Out].Messages == 0 {
		return nil, nil
	}
	q, ok := g.(gateway.Queues)
	if !ok {
		return nil, errNoAbility
	}
	out := gateway.Out
	items, err := listAll(ctx, q, gateway.Selection{Store: &out})
	return slices.DeleteFunc(items, isReport), err
}

func isReport(it gateway.Item) bool { return it.Class == "report" }

// atOnce counts the recipients that a short time-out would return at once.
func atOnce(items []gateway.Item, after time.Duration, now time.Time) int {
	n := 0
	for _, it := range items {
		if now.Sub(it.Accepted) >= after {
			n += len(it.Rcpts)
		}
	}
	return n
}
