package lab

import (
	"context"
	"fmt"

	"example.org/ims/internal/dns/rfc2136"
	"example.org/ims/internal/dns/tsig"
	"example.org/ims/pkg/zone"
)

// PointMX points the organization's MX at a gateway by a dynamic update, as
// somebody would who knows the key and nothing of a run.
func (l *Layout) PointMX(ctx context.Context, gateway string) error {
	key, err := tsig.LoadFile(l.keyFile())
	if err != nil {
		return err
	}
	w, err := rfc2136.New(rfc2136.Config{Zone: Domain, Server: l.addr("dns-primary"), Key: &key})
	if err != nil {
		return err
	}
	old, err := w.Read(ctx, Domain, "MX")
	if err != nil {
		return err
	}
	change := zone.Change{Zone: Domain, Old: old, New: old.ReplaceHost(Heir+"."+Domain, gateway+"."+Domain)}
	if out := w.Apply(ctx, change); !out.Done() {
		return fmt.Errorf("point MX at %s: %s", gateway, out)
	}
	return nil
}
