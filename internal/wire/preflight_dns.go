package wire

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"

	"example.org/ims/internal/config"
	"example.org/ims/internal/preflight"
	"example.org/ims/pkg/zone"
)

// servers asks every authoritative server of every zone whether it answers, all
// at the same time. The notes are of zones with servers that nobody looks at.
func (s *site) servers(ctx context.Context, g config.Gateway, domains []string) (out []preflight.Server, notes []string, err error) {
	rounds, named := make([][]zone.Observation, len(s.cfg.Zones)), make([][]zone.Observation, len(s.cfg.Zones))
	var wg sync.WaitGroup
	for i, z := range s.cfg.Zones {
		one, err := s.zone(z)
		if err != nil {
			wg.Wait()
			return nil, nil, err
		}
		wg.Go(func() {
			rounds[i] = one.Watch.Observe(ctx, z.Name, "SOA")
			if len(z.Authorities) > 0 {
				named[i] = one.Watch.Observe(ctx, z.Name, "NS")
			}
		})
	}
	wg.Wait()
	out = []preflight.Server{}
	for i, z := range s.cfg.Zones {
		holds := s.holds(z, g, domains)
		if note := missed(z, named[i]); note != "" && len(holds) > 0 {
			notes = append(notes, note)
		}
		for _, ob := range rounds[i] {
			one := preflight.Server{Zone: z.Name, Name: cmp.Or(ob.Server.Addr, ob.Server.NS), Holds: holds, At: ob.At}
			if !ob.Counts() {
				one.Err = cmp.Or(strings.ReplaceAll(ob.Err, "\n", "; "), "it gives no authoritative answer")
			}
			out = append(out, one)
		}
	}
	return out, notes, ctx.Err()
}

// missed says that a zone has more name servers by its NS records (RFC 1034 4.2.1)
// than are configured, or "". Which of them those are, their names do not say: a
// configured one is an address, and may be one behind which the same server is seen.
func missed(z config.Zone, seen []zone.Observation) string {
	for _, ob := range seen {
		if n := len(ob.RRset.Data); ob.Counts() && n > len(z.Authorities) {
			return fmt.Sprintf("zone %s has %d name servers (%s), and zones.%s.authorities of ims.yaml names %d: what the others publish is not looked at",
				z.Name, n, strings.Join(ob.RRset.Data, ", "), z.Name, len(z.Authorities))
		}
	}
	return ""
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
