package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// Server is an authoritative server of a zone, or what forbids to know them all.
type Server struct {
	Zone  string    `json:"zone"`
	Name  string    `json:"name"`            // ip:port, or what is wrong with the delegation
	Holds []string  `json:"holds"`           // types of records there that a run may change
	Err   string    `json:"error,omitempty"` // why it proves nothing
	At    time.Time `json:"at"`
}

// ServerCheck is the name of the check of a server of a zone.
func ServerCheck(zone, server string) string {
	return "dns." + strings.TrimSuffix(zone, ".") + "." + server
}

// servers judges whether every authoritative server answers that publishes what
// the runbook changes: a run waits until all of them do, and each may be the one
// that somebody asks.
func (r *Report) servers(s *Snapshot, book *runbook.Book) {
	types := changedTypes(book)
	for _, v := range s.Servers {
		if !slices.ContainsFunc(v.Holds, func(t string) bool { return slices.Contains(types, t) }) {
			continue
		}
		c := Check{
			ID: ServerCheck(v.Zone, v.Name), Group: GroupDNS, Provenance: s.provenance(), At: v.At,
			That: fmt.Sprintf("%s answers for zone %s", v.Name, v.Zone),
		}
		if v.Err == "" {
			r.add(c.pass("it gives an authoritative answer"))
			continue
		}
		r.add(c.unknown(v.Err, fmt.Sprintf("bring %s back, or take it out of the NS records and out of zones.%s.authorities, then ims preflight %s again", v.Name, v.Zone, s.Gateway)))
	}
}

// changedTypes are the types of the records that a runbook changes.
func changedTypes(book *runbook.Book) []string {
	var out []string
	for i := range book.Def.States {
		if do := book.Def.States[i].Do; do != nil && do.Action == machine.DNSRRset {
			out = append(out, cmp.Or(do.Args.Type, "MX"))
		}
	}
	return out
}
