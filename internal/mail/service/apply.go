package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.org/ims/internal/mail/routing"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
)

// operation is what the spool remembers of a change, by its key: before the
// first effect that is not a commit, and again when it is done. Refused
// changes are not remembered: the same key may succeed later.
type operation struct {
	Op       gateway.Op   `json:"op"`
	Want     gateway.Want `json:"want"`
	Instance string       `json:"instance"` // process that began it
	Starts   uint64       `json:"starts"`   // of the gateway in that process, then
}

func (op operation) encode(tx *spool.Tx, gw string) error {
	b, err := json.Marshal(op)
	if err != nil {
		return fmt.Errorf("encode operation: %w", err)
	}
	tx.Set("", opKey(gw, op.Op.Key), b)
	return nil
}

func opKey(gw, key string) string { return opPrefix + gw + "/" + key }

func (g *Gateway) loadOp(key string) (op operation, ok bool, err error) {
	b, ok, err := g.o.spool.Setting("", opKey(g.name, key))
	if err == nil && ok {
		err = json.Unmarshal(b, &op)
	}
	return op, ok, err
}

// Op implements gateway.Gateway.
func (g *Gateway) Op(ctx context.Context, key string) (gateway.Op, error) {
	op, ok, err := g.loadOp(key)
	if err == nil {
		err = ended(ctx)
	}
	if err == nil && !ok {
		err = gateway.ErrNotFound
	}
	if err != nil {
		return gateway.Op{}, fmt.Errorf("read operation %q of gateway %q: %w", key, g.name, err)
	}
	return op.Op, nil
}

// Apply implements gateway.Gateway. One change of a gateway is made at a time.
// A removed gateway refuses everything but to be absent.
func (g *Gateway) Apply(ctx context.Context, c gateway.Change) (gateway.Op, error) {
	op, err := g.apply(ctx, c)
	if err != nil {
		return op, fmt.Errorf("apply %q to gateway %q: %w", c.Key, g.name, err)
	}
	return op, nil
}

func (g *Gateway) apply(ctx context.Context, c gateway.Change) (gateway.Op, error) {
	if err := c.Check(); err != nil {
		return gateway.Op{}, err
	}
	c.Want = storable(c.Want)
	select {
	case g.applying <- struct{}{}:
		defer func() { <-g.applying }()
	case <-ctx.Done():
		return gateway.Op{}, ended(ctx)
	}
	if err := ended(ctx); err != nil {
		return gateway.Op{}, err
	}
	r := g.record()
	if c.Epoch != 0 && c.Epoch < r.Epoch {
		return gateway.Op{}, fmt.Errorf("epoch %d is older than %d: %w", c.Epoch, r.Epoch, gateway.ErrStaleEpoch)
	}
	op, again, err := g.loadOp(c.Key)
	if err != nil {
		return gateway.Op{}, err
	}
	if again && !sameWant(op.Want, c.Want) {
		return gateway.Op{}, refuse("the key was used for another change")
	}
	if again && op.Op.Done {
		return op.Op, g.remember(r, c.Epoch)
	}
	if !again {
		if c.IfGeneration != 0 && c.IfGeneration != r.Generation {
			return gateway.Op{}, fmt.Errorf("generation is %d, not %d: %w", r.Generation, c.IfGeneration, gateway.ErrConflict)
		}
		op = operation{Want: c.Want, Instance: g.o.instance, Starts: g.started()}
		op.Op = gateway.Op{Key: c.Key, Before: c.Want.Words(g.view(r))}
	}
	r.Epoch = max(r.Epoch, c.Epoch)
	return g.make(ctx, c, r, op, again)
}

// make makes the wanted value so.
func (g *Gateway) make(ctx context.Context, c gateway.Change, r record, op operation, again bool) (gateway.Op, error) {
	w := c.Want
	switch {
	case w.Absent != nil:
		return g.remove(ctx, c, r, op)
	case !r.Exists:
		return gateway.Op{}, refuse("it was removed")
	case r.Removal != nil:
		return gateway.Op{}, refuse("its removal has begun")
	case w.Settings != nil:
		return g.applySettings(ctx, *w.Settings, r, op)
	case w.Running != nil:
		return g.applyRun(ctx, *w.Running, r, op, again)
	case w.Spaces != nil:
		differs := !slices.Equal(r.spaces(), *w.Spaces)
		r.Spaces = w.Spaces
		return g.applyRoutes(r, op, differs)
	}
	differs := !slices.Equal(r.sites(), *w.Sites)
	r.Sites = w.Sites
	return g.applyRoutes(r, op, differs)
}

// storable is w with copies of its lists, none of them nil: a nil list would
// come back from the spool as one that nobody asked for.
func storable(w gateway.Want) gateway.Want {
	w.Spaces, w.Sites = filled(w.Spaces), filled(w.Sites)
	if w.Settings != nil {
		p := w.Settings.Clone()
		w.Settings = &p
	}
	return w
}

func filled[T any](list *[]T) *[]T {
	if list == nil {
		return nil
	}
	out := append([]T{}, *list...)
	return &out
}

func refuse(why string) error { return fmt.Errorf("%s: %w", why, gateway.ErrRefused) }

func sameWant(a, b gateway.Want) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// started is how often this process has started the gateway.
func (g *Gateway) started() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.starts
}

// remember stores a newer epoch.
func (g *Gateway) remember(r record, epoch uint64) error {
	if epoch <= r.Epoch {
		return nil
	}
	r.Epoch = epoch
	var tx spool.Tx
	if err := r.encode(&tx); err != nil {
		return err
	}
	return g.commit(&tx, r)
}

// commit commits tx, which holds r, and lets r count.
func (g *Gateway) commit(tx *spool.Tx, r record) error {
	if err := g.o.spool.Commit(tx); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rec = r
	return nil
}

// begin stores r and the operation before it has an effect.
func (g *Gateway) begin(r record, op operation) error {
	var tx spool.Tx
	if err := errors.Join(r.encode(&tx), op.encode(&tx, g.name)); err != nil {
		return err
	}
	return g.commit(&tx, r)
}

// finish stores r and that the operation is done.
func (g *Gateway) finish(r record, op operation) (gateway.Op, error) {
	g.end(&op, r)
	if err := g.begin(r, op); err != nil {
		return gateway.Op{}, err
	}
	return op.Op, nil
}

// end writes into op that it is done, and the value read back.
func (g *Gateway) end(op *operation, r record) {
	op.Op.Done, op.Op.Failed, op.Op.At = true, "", time.Now().UTC()
	op.Op.After = op.Want.Words(g.view(r))
}

// fail stores why an operation did not succeed. It may be tried again.
func (g *Gateway) fail(r record, op operation, why error) (gateway.Op, error) {
	op.Op.Failed, op.Op.At = why.Error(), time.Now().UTC()
	return op.Op, errors.Join(why, g.begin(r, op))
}

// applyRoutes stores address spaces or connected sites and tells routing.
func (g *Gateway) applyRoutes(r record, op operation, differs bool) (gateway.Op, error) {
	if !differs {
		return g.finish(r, op)
	}
	r.changed()
	g.end(&op, r)
	if err := g.commitRouted(r, op); err != nil {
		return gateway.Op{}, err
	}
	return op.Op, g.rerouteQueued()
}

// commitRouted stores r, the operation and the change of routing that r means,
// all at once.
func (g *Gateway) commitRouted(r record, op operation) error {
	ch := routing.Change{At: time.Now(), Site: g.site, Name: g.name, Gateway: r.routing()}
	err := g.o.routes.change(ch, func(history []byte) error {
		var tx spool.Tx
		tx.Set("", routingKey, history)
		if err := errors.Join(r.encode(&tx), op.encode(&tx, g.name)); err != nil {
			return err
		}
		return g.commit(&tx, r)
	})
	if err == nil {
		g.o.mta.route.ring()
	}
	return err
}

// settleOps finishes the operations that an earlier process began: what they
// wanted was stored, and this process started with it.
func (g *Gateway) settleOps() error {
	var open []operation
	var bad error
	err := g.o.spool.Settings("", opKey(g.name, ""), func(_ string, value []byte) bool {
		var op operation
		if bad = json.Unmarshal(value, &op); bad == nil && !op.Op.Done && op.Instance != g.o.instance && op.Want.Absent == nil {
			open = append(open, op)
		}
		return bad == nil
	})
	if err = errors.Join(err, bad); err != nil || len(open) == 0 {
		return err
	}
	r := g.record()
	for _, op := range open {
		if _, err := g.finish(r, op); err != nil {
			return err
		}
	}
	return nil
}
