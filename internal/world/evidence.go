package world

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"example.org/ims/internal/compare"
	"example.org/ims/internal/engine"
	"example.org/ims/internal/patience"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
	"example.org/ims/pkg/machine"
)

// Evidence is what people are shown before they decide: the facts of the
// groups asked for, and by name whatever the decision will cover.
func (w *World) Evidence(ctx context.Context, look engine.Look, shows []string, names machine.Subject) engine.Evidence {
	ctx = patience.Look(ctx)
	obs := w.Observe(ctx, look)
	ev := engine.Evidence{}
	for _, f := range obs.Facts {
		name := f.ID.String()
		group := name[:min(len(name), groupLen(name))]
		if slices.Contains(shows, group) && f.ID.Definition().Class != facts.Clock {
			ev.Lines = append(ev.Lines, name+" = "+f.ID.Format(f.Value))
		}
	}
	o := &observer{World: w, ctx: ctx, look: look, set: obs.Facts, now: obs.At, since: obs.Since, memory: obs.Memory}
	switch names {
	case machine.SubjectLate:
		w.nameLate(o, &ev)
	case machine.SubjectAbsorbed:
		for _, p := range w.pairs.AbsorbedPairs {
			ev.Names = append(ev.Names, pairName(p.Message, p.Rcpt))
			ev.Lines = append(ev.Lines, p.String())
		}
	case machine.SubjectNoRoute:
		if c, err := w.cfg.Routing.Cover(ctx); err == nil {
			ev.Names = c.Uncovered
			ev.Lines = append(ev.Lines, c.Uncovered...)
		}
	case machine.SubjectExpiring:
		w.nameExpiring(ctx, &ev)
		w.nameAside(ctx, &ev)
	case machine.SubjectDiffers:
		w.nameDiffering(o, &ev)
	case machine.SubjectAged:
		w.nameAged(o, &ev)
	case machine.SubjectSide:
	}
	ev.Number = max(ev.Number, int64(len(ev.Names)))
	return ev
}

func groupLen(name string) int {
	for i, c := range name {
		if c == '.' {
			return i
		}
	}
	return len(name)
}

func (w *World) nameLate(o *observer, ev *engine.Evidence) {
	c, err := w.cfg.Gateway.Config(o.ctx)
	if err != nil {
		return
	}
	o.config = c
	o.safe = o.deadline()
	_, never, _, err := o.lateClients()
	if err != nil {
		return
	}
	for _, c := range never {
		ev.Names = append(ev.Names, c.Host)
		ev.Lines = append(ev.Lines, "does not follow MX: "+clientWords(c))
	}
}

// nameDiffering names the settings that the successor has not taken over.
func (w *World) nameDiffering(o *observer, ev *engine.Evidence) {
	r, err := o.compared()
	if err != nil {
		ev.Lines = append(ev.Lines, "what the successor has not taken over is unknown: "+err.Error())
		return
	}
	for _, l := range r.Lines {
		if l.Verdict != compare.Different {
			continue
		}
		ev.Names = append(ev.Names, string(l.ID))
		ev.Lines = append(ev.Lines, fmt.Sprintf("%s: %s has %q, %s has %q; %s", l.Title, r.Old, l.Old, r.New, l.New, l.Why))
		ev.Lines = append(ev.Lines, l.Fix...)
	}
}

// nameExpiring shows what short time-outs would return, by destination and age.
func (w *World) nameExpiring(ctx context.Context, ev *engine.Evidence) {
	census, err := w.cfg.Gateway.Census(ctx)
	if err != nil {
		return
	}
	items, err := outItems(ctx, w.cfg.Gateway, census)
	if err != nil {
		return
	}
	now := time.Now()
	type row struct {
		rcpts  int
		oldest time.Duration
		last   string
	}
	rows := map[string]*row{}
	for _, it := range items {
		r := rows[it.Dest]
		if r == nil {
			r = &row{}
			rows[it.Dest] = r
		}
		r.rcpts += len(it.Rcpts)
		r.oldest = max(r.oldest, now.Sub(it.Accepted))
		r.last = it.Last
		ev.Number += int64(len(it.Rcpts))
	}
	ev.Lines = append(ev.Lines, fmt.Sprintf("%d recipients would be returned at once, %d if their destinations stay as they are", atOnce(items, w.cfg.FlushAfter, now), ev.Number))
	dests := make([]string, 0, len(rows))
	for d := range rows {
		dests = append(dests, d)
	}
	sort.Strings(dests)
	for _, d := range dests {
		r := rows[d]
		ev.Lines = append(ev.Lines, fmt.Sprintf("%s: %d recipients, oldest %s, last reply %q", d, r.rcpts, r.oldest.Round(time.Second), r.last))
	}
}

// mostAside is how many messages that are set aside are named one by one.
const mostAside = 20

// nameAside shows what no attempt moves and no time-out returns, because it was
// held or cannot be delivered from here, and what lets it go.
func (w *World) nameAside(ctx context.Context, ev *engine.Evidence) {
	q, ok := w.cfg.Gateway.(gateway.Queues)
	if !ok {
		return
	}
	named := 0
	for _, store := range []gateway.Store{gateway.Hold, gateway.Bad} {
		items, err := listAll(ctx, q, gateway.Selection{Store: &store})
		if err != nil {
			ev.Lines = append(ev.Lines, fmt.Sprintf("what is in %s is unknown: %v", store, err))
			continue
		}
		for _, it := range items {
			if named++; named <= mostAside {
				ev.Lines = append(ev.Lines, fmt.Sprintf("%s is in %s and stays: <%s> to %s; let it go: ims queue release %s %s --reason WHY",
					it.Message, store, it.From, strings.Join(it.Rcpts, ", "), w.cfg.Name, it.Message))
			}
		}
	}
	if more := named - mostAside; more > 0 {
		ev.Lines = append(ev.Lines, fmt.Sprintf("and %d more are set aside: ims queue list %s --store hold", more, w.cfg.Name))
	}
}

// Ledger is the account as of the last observation.
func (w *World) Ledger() ledger.Ledger { return w.pairs }
