package preflight

import (
	"fmt"
	"slices"
)

// Held is what a run of the gateway would have to hold alone, and another run
// holds.
type Held struct {
	Resource string `json:"resource"` // gateway/west, space/SMTP:*, site/branch
	Run      string `json:"run"`
}

// held makes what another run holds a blocker: until that run ends, none can be
// opened that needs the same.
func (r *Report) held(s *Snapshot) {
	for _, h := range s.Held {
		if slices.Contains(s.Runs, h.Run) {
			continue // the open run itself is a blocker
		}
		r.add(Check{
			ID: "lease." + h.Resource, Group: GroupRun, That: "no other run holds what a run of " + s.Gateway + " must hold alone", Verdict: Fail,
			Reason: fmt.Sprintf("run %s holds %s until it ends, so no run that needs it can be opened", h.Run, h.Resource),
			Fix:    fmt.Sprintf("ims status %s, and wait for its end", h.Run), Provenance: s.provenance(), At: s.Made,
		})
	}
}
