package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
	"example.org/ims/pkg/machine"
)

// idBatch is how many entries are named at once.
const idBatch = 200

// picked is what an effect on queued mail is about, by id: it is named in the
// intent, so that whoever looks afterwards knows what to look for, and mail
// that comes later is left alone.
type picked struct {
	Seq   uint64 `json:"seq"` // the tracking log when it was picked
	Items []pick `json:"items"`
}

// pick is one queue entry.
type pick struct {
	Entry   string        `json:"entry"`
	Message string        `json:"message"`
	Store   gateway.Store `json:"store"`
	Rcpts   []string      `json:"rcpts"`
}

func (p picked) ids() []string {
	ids := make([]string, len(p.Items))
	for i, it := range p.Items {
		ids[i] = it.Entry
	}
	return ids
}

func (p picked) String() string {
	messages, rcpts := map[string]bool{}, 0
	for _, it := range p.Items {
		messages[it.Message] = true
		rcpts += len(it.Rcpts)
	}
	return fmt.Sprintf("%d messages, %d recipients", len(messages), rcpts)
}

func pickedOf(e engine.Effect) (picked, error) {
	var p picked
	if err := json.Unmarshal([]byte(e.Image), &p); err != nil {
		return p, fmt.Errorf("which messages were meant cannot be read: %w", err)
	}
	return p, nil
}

// queueImage names what an effect on queued mail is going to touch.
func (w *World) queueImage(ctx context.Context, e engine.Effect) (image, words string, err error) {
	t, ok := w.cfg.Gateway.(gateway.Tracker)
	if !ok {
		return "", "", errNoAbility
	}
	if err := w.read(ctx, t); err != nil {
		return "", "", err
	}
	items, err := w.list(ctx, e)
	if err != nil {
		return "", "", err
	}
	p := pickedFrom(w.seq, items)
	raw, err := json.Marshal(p)
	if err != nil {
		return "", "", fmt.Errorf("encode queue of %q: %w", w.cfg.Name, err)
	}
	return string(raw), p.String(), nil
}

func pickedFrom(seq uint64, items []gateway.Item) picked {
	p := picked{Seq: seq, Items: []pick{}}
	for _, it := range items {
		p.Items = append(p.Items, pick{it.Entry, it.Message, it.Store, it.Rcpts})
	}
	return p
}

// listAll lists every entry that matches.
func listAll(ctx context.Context, q gateway.Queues, sel gateway.Selection) ([]gateway.Item, error) {
	sel.Limit = mostItems
	items, err := q.List(ctx, sel)
	if err != nil {
		return nil, err
	}
	if len(items) == mostItems {
		return nil, fmt.Errorf("more than the %d entries that can be listed match", mostItems)
	}
	return items, nil
}

// actOn applies a verb to each of the named entries that is still there.
func (w *World) actOn(ctx context.Context, verb gateway.Verb, p picked, actor, reason string) error {
	q, ok := w.cfg.Gateway.(gateway.Queues)
	if !ok {
		return fmt.Errorf("%w: %w", errNoAbility, gateway.ErrRefused)
	}
	for ids := range slices.Chunk(p.ids(), idBatch) {
		if _, err := q.Act(ctx, verb, gateway.Selection{IDs: ids, Limit: mostItems}, actor, reason); err != nil {
			return err
		}
	}
	return nil
}

// returnMail returns each of the named entries that is still there.
func (w *World) returnMail(ctx context.Context, e engine.Effect) engine.Result {
	p, err := pickedOf(e)
	if err != nil {
		return engine.Result{State: machine.Refused, Why: err.Error()}
	}
	if err := w.actOn(ctx, gateway.Return, p, e.Actor, e.Reason); err != nil {
		return engine.Result{State: classify(err), Before: p.String(), Why: err.Error()}
	}
	res := w.lookQueue(ctx, e)
	res.Before = p.String()
	if res.State == machine.NotDone {
		res.State = machine.InDoubt
	}
	return res
}

// lookQueue finds out what became of the named entries: which are still there,
// and of those that are not, what the tracking log says. One that is gone
// without a trace is for a person.
func (w *World) lookQueue(ctx context.Context, e engine.Effect) engine.Result {
	doubt := func(err error) engine.Result { return engine.Result{State: machine.InDoubt, Why: err.Error()} }
	p, err := pickedOf(e)
	if err != nil {
		return doubt(err)
	}
	left, err := w.still(ctx, p)
	if err != nil {
		return doubt(err)
	}
	ends, err := w.ends(ctx, p)
	if err != nil {
		return doubt(err)
	}
	lost := 0
	for _, it := range p.Items {
		for _, r := range it.Rcpts {
			if !left[it.Entry] && ends.of[pairName(it.Message, r)] == "" {
				lost++
			}
		}
	}
	switch {
	case lost > 0:
		return doubt(fmt.Errorf("%d recipients are in no store any more, and the tracking log does not say why", lost))
	case len(left) > 0:
		return engine.Result{State: machine.NotDone, Why: fmt.Sprintf("%d of %d entries are still there", len(left), len(p.Items))}
	}
	return engine.Result{State: machine.Done, After: ends.String()}
}

// still are the named entries that the gateway has.
func (w *World) still(ctx context.Context, p picked) (map[string]bool, error) {
	q, ok := w.cfg.Gateway.(gateway.Queues)
	if !ok {
		return nil, errNoAbility
	}
	left := map[string]bool{}
	for ids := range slices.Chunk(p.ids(), idBatch) {
		items, err := listAll(ctx, q, gateway.Selection{IDs: ids})
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			left[it.Entry] = true
		}
	}
	return left, nil
}

// ends are the ends of pairs since some mail was picked.
type ends struct {
	of    map[string]ledger.Kind // by pairName
	count map[ledger.Kind]int
}

func (n ends) String() string {
	words := ""
	for _, k := range []ledger.Kind{ledger.Failed, ledger.Absorbed, ledger.Delivered, ledger.Deleted, ledger.Redirected} {
		if n.count[k] == 0 {
			continue
		}
		if words != "" {
			words += ", "
		}
		name := string(k)
		if k == ledger.Failed {
			name = "returned"
		}
		words += fmt.Sprintf("%d %s", n.count[k], name)
	}
	if words == "" {
		return "nothing was queued"
	}
	return words
}

// ends reads from the tracking log what became of named mail.
func (w *World) ends(ctx context.Context, p picked) (ends, error) {
	out := ends{map[string]ledger.Kind{}, map[ledger.Kind]int{}}
	if len(p.Items) == 0 {
		return out, nil
	}
	t, ok := w.cfg.Gateway.(gateway.Tracker)
	if !ok {
		return out, errors.New("the adapter cannot tell what became of the messages")
	}
	named := map[string]bool{}
	for _, it := range p.Items {
		for _, r := range it.Rcpts {
			named[pairName(it.Message, r)] = true
		}
	}
	for seq := p.Seq; ; {
		events, err := t.Track(ctx, seq, trackBatch)
		if err != nil {
			return out, fmt.Errorf("read the tracking log: %w", err)
		}
		for _, ev := range events {
			seq = ev.Seq
			out.add(ev, w.cfg.Name, named)
		}
		if len(events) < trackBatch {
			return out, nil
		}
	}
}

func (n *ends) add(ev ledger.Event, gw string, named map[string]bool) {
	switch ev.Kind {
	case ledger.Failed, ledger.Absorbed, ledger.Delivered, ledger.Deleted, ledger.Redirected:
	default:
		return
	}
	for _, r := range ev.Rcpts {
		if k := pairName(ev.Message, r); named[k] && ev.Gateway == gw && n.of[k] == "" {
			n.of[k] = ev.Kind
			n.count[ev.Kind]++
		}
	}
}
