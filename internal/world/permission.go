package world

import (
	"context"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/zone"
)

// Permission is whether the primary of a zone would let an RRset be changed.
type Permission struct {
	Server     string // the primary, ip:port
	Zone       string
	Name, Type string
	// Outcome is that of [zone.Writer.Preflight], or AlreadyApplied: the data
	// is as it is to be, so nothing was asked.
	Outcome zone.Outcome
}

// Permissions asks the primaries whether they would make the changes that an
// effect consists of, and has none made. e.Image is the value from before. An
// effect that changes no records has none.
func (w *World) Permissions(ctx context.Context, e engine.Effect) ([]Permission, error) {
	if e.Action != machine.DNSRRset {
		return nil, nil
	}
	list, err := w.swaps(ctx, e)
	if err != nil {
		return nil, err
	}
	out := make([]Permission, len(list))
	for i, s := range list {
		out[i] = Permission{
			Server: s.zone.Writer.Caps().Server, Zone: zone.CanonicalName(s.zone.Name),
			Name: zone.CanonicalName(s.name), Type: s.typ, Outcome: zone.Outcome{Kind: zone.AlreadyApplied, Rcode: -1, TSIGErr: -1},
		}
		if !s.Old.SameData(s.New) {
			out[i].Outcome = s.zone.Writer.Preflight(ctx, s.Change)
		}
	}
	return out, nil
}
