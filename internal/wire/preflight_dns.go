package wire

import (
	"cmp"
	"context"
	"strings"
	"sync"

	"example.org/ims/internal/config"
	"example.org/ims/internal/preflight"
	"example.org/ims/pkg/zone"
)

// servers asks every authoritative server of every zone whether it answers, all
// at the same time.
func (s *site) servers(ctx context.Context, g config.Gateway, domains []string) ([]preflight.Server, error) {
	rounds := make([][]zone.Observation, len(s.cfg.Zones))
	var wg sync.WaitGroup
	for i, z := range s.cfg.Zones {
		one, err := s.zone(z)
		if err != nil {
			wg.Wait()
			return nil, err
		}
		wg.Go(func() { rounds[i] = one.Watch.Observe(ctx, z.Name, "SOA") })
	}
	wg.Wait()
	out := []preflight.Server{}
	for i, z := range s.cfg.Zones {
		holds := s.holds(z, g, domains)
		for _, ob := range rounds[i] {
			one := preflight.Server{Zone: z.Name, Name: cmp.Or(ob.Server.Addr, ob.Server.NS), Holds: holds, At: ob.At}
			if !ob.Counts() {
				one.Err = cmp.Or(strings.ReplaceAll(ob.Err, "\n", "; "), "it gives no authoritative answer")
			}
			out = append(out, one)
		}
	}
	return out, ctx.Err()
}

// holds are the types of records of a zone that a run of a gateway may change.
func (s *site) holds(z config.Zone, g config.Gateway, domains []string) []string {
	in := func(name string) bool {
		at, ok := s.cfg.ZoneOf(name)
		return name != "" && ok && at.Name == z.Name
	}
	types := []string{}
	for _, d := range domains {
		if in(d) {
			types = append(types, "MX", "TXT")
			break
		}
	}
	if in(g.Hostname) || in(g.Drain.Name) {
		types = append(types, "A", "AAAA")
	}
	if strings.HasSuffix(strings.TrimSuffix(strings.ToLower(z.Name), "."), ".arpa") {
		types = append(types, "PTR")
	}
	return types
}
