package wire

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.org/ims/internal/config"
	"example.org/ims/internal/dependents"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/setting"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
)

// others are the commands by which a person makes the edits of an image, and
// takes them back, in the order of the edits.
func others(image, state string) (plan.Others, error) {
	var edits []dependents.Edit
	if err := json.Unmarshal([]byte(image), &edits); err != nil {
		return plan.Others{}, fmt.Errorf("read what other gateways are to have: %w", err)
	}
	var out plan.Others
	reason := state + ", by hand"
	for _, e := range edits {
		out.Open = append(out.Open, e.Open...)
		if len(e.IDs) > 0 {
			out.Do = append(out.Do, setting.Command(e.Gateway, e.After, e.IDs, reason))
			out.Undo = append(out.Undo, setting.Command(e.Gateway, e.Before, e.IDs, reason))
		}
		if e.Resite {
			out.Do = append(out.Do, connects(e.Gateway, e.SitesOld, e.SitesNew, reason)...)
			out.Undo = append(out.Undo, connects(e.Gateway, e.SitesNew, e.SitesOld, reason)...)
		}
		if e.Restart {
			out.Do = append(out.Do, fmt.Sprintf("ims gateway restart %s --reason %s", setting.Quote(e.Gateway), setting.Quote(reason)))
		}
	}
	return out, nil
}

// connects are the commands that connect the sites which are to be others.
func connects(name string, from, to []gateway.Site, reason string) []string {
	var out []string
	for _, site := range to {
		if !slices.Contains(from, site) {
			out = append(out, fmt.Sprintf("ims route connect %s --site %s --via %s --cost %d --reason %s", setting.Quote(name),
				setting.Quote(site.Name), setting.Quote(site.RoutingAddress), site.Cost, setting.Quote(reason)))
		}
	}
	return out
}

// placesOfNames says where the records are changed that are not the MX of a mail
// domain, by name.
func (s *site) placesOfNames(book *runbook.Book, words map[string]string) []plan.Zone {
	all := map[string]plan.Zone{}
	for key, r := range plan.Readings(book.Def) {
		if r.Action != machine.DNSRRset {
			continue
		}
		sets, err := plan.Records(words[key])
		if err != nil { // it could not be read, and the plan says so
			continue
		}
		for _, rr := range sets {
			name := strings.TrimSuffix(zone.CanonicalName(rr.Name), ".")
			z, ok := s.zoneHolding(name)
			if ok && !slices.ContainsFunc(book.Bound.Domains, func(d string) bool { return zone.CanonicalName(d) == zone.CanonicalName(name) }) {
				all[name] = plan.Zone{Domain: name, Zone: z.Name, Server: z.Server, KeyFile: z.KeyFile, Authorities: z.Authorities}
			}
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b plan.Zone) int { return strings.Compare(a.Domain, b.Domain) })
}

// zoneHolding finds the smallest zone that a name lives in.
func (s *site) zoneHolding(name string) (best config.Zone, ok bool) {
	for _, z := range s.cfg.Zones {
		if zone.IsSubdomain(name, z.Name) && (!ok || zone.IsSubdomain(z.Name, best.Name)) {
			best, ok = z, true
		}
	}
	return best, ok
}
