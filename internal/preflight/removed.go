package preflight

import (
	"fmt"
	"strings"
	"time"

	"example.org/ims/internal/plan"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/runbook"
)

// Removal is how a gateway went that exists no more.
type Removal struct {
	Run   string    `json:"run"`            // that removed it; "" if no run that is known did
	Ended time.Time `json:"ended,omitzero"` // of that run
}

// Words say that a gateway was removed, and when and by which run if that is
// known.
func (m Removal) Words(gateway string) string {
	if m.Run == "" {
		return fmt.Sprintf("gateway %s was removed already, by no run that is known here; there is nothing left to retire", gateway)
	}
	return fmt.Sprintf("gateway %s was removed already, by run %s, which ended %s; there is nothing left to retire",
		gateway, m.Run, m.Ended.UTC().Format(time.RFC3339))
}

// Look is the command that says more about it.
func (m Removal) Look() string {
	return strings.TrimSuffix("ims status "+m.Run, " ")
}

// notes say what is left to look at, and to do.
func (m Removal) notes(gateway string) []string {
	out := []string{"what passed through " + gateway + " is still known: ims track --gateway " + gateway}
	if m.Run != "" {
		out = append(out, "the evidence of its end: ims report "+m.Run)
	}
	return append(out, "nothing needs gateways."+gateway+" of the configuration any more; one that is installed again under this name begins anew")
}

// gone is the report on a gateway that exists no more: it says that, which run is
// open on it, and nothing of guards that only what exists can pass or fail.
func (r *Report) gone(s *Snapshot, set *facts.Set, book *runbook.Book) {
	m := Removal{}
	if s.Removed != nil {
		m = *s.Removed
	}
	if len(s.Runs) > 0 { // which is then the one that knows
		m = Removal{}
	}
	exists := set[facts.GwExists]
	r.Removed, r.Ends, r.Notes = &m, s.Made, m.notes(s.Gateway)
	for i := range book.Def.States {
		st := &book.Def.States[i]
		for _, u := range uses(book, st) {
			r.aside(st, u, "the gateway was removed already")
		}
	}
	r.add(Check{
		ID: plan.Removed, Group: GroupRun, That: facts.GwExists.String(), Verdict: Fail, Reason: m.Words(s.Gateway), Fix: m.Look(),
		Provenance: exists.Provenance, At: exists.At, Facts: []string{fmt.Sprintf("%s = %s", facts.GwExists, facts.GwExists.Format(exists.Value))},
	})
	r.runs(s)
}
