package zone

import (
	"context"
	"slices"
	"sync"
)

// Guarded reads through to a Writer and refuses, and records, every write. A
// dry run gets one of these, so that it cannot write by mistake.
type Guarded struct {
	w     Writer
	probe bool

	mu      sync.Mutex
	refused []Change
}

var _ Writer = (*Guarded)(nil)

// ReadOnly wraps w. Preflight is refused too: where it is implemented by an
// UPDATE that cannot succeed, it is still a message that asks for a change.
func ReadOnly(w Writer) *Guarded { return &Guarded{w: w} }

// ReadOnlyProbing wraps w and lets Preflight through.
func ReadOnlyProbing(w Writer) *Guarded { return &Guarded{w: w, probe: true} }

// Caps are those of the wrapped writer, with ReadOnly set.
func (g *Guarded) Caps() Caps {
	c := g.w.Caps()
	c.ReadOnly = true
	c.Preflight = c.Preflight && g.probe
	return c
}

// Read reads through.
func (g *Guarded) Read(ctx context.Context, name, typ string) (RRset, error) {
	return g.w.Read(ctx, name, typ)
}

// Preflight reads through if g was made by [ReadOnlyProbing].
func (g *Guarded) Preflight(ctx context.Context, c Change) Outcome {
	if g.probe {
		return g.w.Preflight(ctx, c)
	}
	return g.refuse(ctx, c, "read-only: permission is not probed")
}

// Apply sends nothing. It compares like a real Apply, so that the outcome is
// AlreadyApplied or Conflict where a real one would be, and Unsupported where
// a real one would write; the latter is recorded.
func (g *Guarded) Apply(ctx context.Context, c Change) Outcome {
	if o := c.Check(); o.Kind != Ready {
		return o
	}
	o := g.refuse(ctx, c, "read-only: the change is recorded, not made")
	if o.Got.Name != "" {
		switch {
		case o.Got.Equal(c.New):
			o.Kind, o.Detail = AlreadyApplied, ""
			return o
		case !o.Got.SameData(c.Old):
			o.Kind, o.Detail = Conflict, "the data is not what the change expects"
			return o
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused = append(g.refused, c.Canonical())
	return o
}

func (g *Guarded) refuse(ctx context.Context, c Change, why string) Outcome {
	o := Outcome{Kind: Unsupported, Rcode: -1, TSIGErr: -1, Detail: why}
	got, err := g.w.Read(ctx, c.New.Name, c.New.Type)
	if err != nil {
		o.Detail += "; " + err.Error()
		return o
	}
	o.Got = got
	return o
}

// Refused are the changes that were asked for and not made, in order.
func (g *Guarded) Refused() []Change {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.refused)
}
