package preflight

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/pkg/runbook"
)

// Update is what the primary of a zone says of a change that a run would make:
// the answer to an UPDATE that cannot succeed.
type Update struct {
	State   string    `json:"state"` // of the runbook, which makes the change
	Server  string    `json:"server"`
	Zone    string    `json:"zone"`
	Name    string    `json:"name"`
	Type    string    `json:"type"`
	Verdict Verdict   `json:"verdict"` // pass, unknown or fail
	Why     string    `json:"why"`
	Fix     string    `json:"fix,omitempty"`
	At      time.Time `json:"at"`
}

// UpdateCheck is the name of the check of a change of an RRset by a state.
func UpdateCheck(state, name, typ string) string {
	return fmt.Sprintf("dns.update.%s.%s.%s", state, strings.TrimSuffix(name, "."), typ)
}

// notAsked is why updates are not judged that nobody asked about.
const notAsked = "the name servers were not asked whether they let the run do it; --probe asks them"

// updates are judged as the servers answered. Those that were asked about for
// another runbook are not those of this one.
func (r *Report) updates(s *Snapshot, book *runbook.Book) {
	types := slices.Compact(slices.Sorted(slices.Values(changedTypes(book))))
	if len(types) == 0 {
		return
	}
	if s.Updates == nil || s.Runbook != book.Def.Name {
		r.Later = append(r.Later, Later{ID: "dns.update", That: "the name servers let the run change " + strings.Join(types, ", "), Why: notAsked})
		return
	}
	for _, u := range s.Updates {
		c := Check{
			ID: UpdateCheck(u.State, u.Name, u.Type), Group: GroupDNS, State: u.State, Provenance: s.provenance(), At: u.At,
			That: fmt.Sprintf("%s lets the run change %s %s", u.Server, strings.TrimSuffix(u.Name, "."), u.Type),
		}
		switch u.Verdict {
		case Pass:
			c = c.pass("%s", u.Why)
		case Fail:
			c = c.fail(u.Fix, "%s", u.Why)
		case Unknown, Ask:
			c = c.unknown(u.Why, u.Fix)
		}
		r.add(c)
	}
}
