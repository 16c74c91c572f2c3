package preflight

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/suggest"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/runbook"
)

// Waiver accepts that a check does not pass.
type Waiver struct {
	ID      string    `json:"id"` // of the check
	Reason  string    `json:"reason"`
	By      string    `json:"by"`
	Expires time.Time `json:"expires"`
	Aside   string    `json:"not_for_this,omitempty"` // why it is not for this gateway and successor; "" if it is
}

func (w Waiver) String() string {
	return fmt.Sprintf("%s (%s, until %s)", w.Reason, w.By, w.Expires.UTC().Format(time.RFC3339))
}

// WaiverUse is a waiver, and what it did.
type WaiverUse struct {
	Waiver
	Expired bool   `json:"expired"`
	Used    bool   `json:"used"` // the check would not pass without it
	Note    string `json:"note"`
}

// NoCheckError says that a waiver names no check.
type NoCheckError struct {
	ID   string
	hint string
}

func (e *NoCheckError) Error() string {
	return fmt.Sprintf("there is no check %q to waive%s", e.ID, e.hint)
}

// waived is what a waiver is of, by the verdict on the check.
var waived = map[Verdict]string{Fail: "a blocker", Ask: "a question", Unknown: "what is not known"}

// waive applies waivers by the present time, not by the time of the facts: a
// waiver is a promise of people. Every one is shown; one that has expired
// waives nothing, and is a failure of its own.
func (r *Report) waive(all []Waiver, known []string, book *runbook.Book, s *Snapshot) error {
	ids := slices.Clone(known)
	for i := range r.Checks {
		ids = append(ids, r.Checks[i].ID)
	}
	for _, l := range r.Later {
		ids = append(ids, l.ID)
	}
	for i := range book.Def.States {
		if st := &book.Def.States[i]; st.Approve != nil {
			ids = append(ids, PeopleCheck(st.ID))
		}
	}
	for i := range all {
		w := all[i]
		if w.Aside != "" {
			r.Waivers = append(r.Waivers, WaiverUse{Waiver: w, Expired: !r.Made.Before(w.Expires), Note: "not used: " + w.Aside})
			continue
		}
		if !slices.Contains(ids, w.ID) && r.Removed == nil { // of what is gone, few checks are left
			return &NoCheckError{w.ID, nearest(w.ID, ids)}
		}
		use := WaiverUse{Waiver: w, Expired: !r.Made.Before(w.Expires), Note: "not needed: the check passes, or is not judged now"}
		if strings.HasPrefix(w.ID, "compare:") {
			use.Used, use.Note = r.settled(w, s)
		}
		for j := range r.Checks {
			c := &r.Checks[j]
			if c.ID != w.ID || c.Verdict == Pass {
				continue
			}
			use.Used, use.Note = true, fmt.Sprintf("waives %s: %s", waived[c.Verdict], line(c.Reason))
			if !use.Expired {
				c.Waived = &all[i]
			}
		}
		if use.Expired {
			use.Used, use.Note = false, "expired: it waives nothing"
			r.add(expired(w))
		}
		r.Waivers = append(r.Waivers, use)
	}
	return nil
}

func expired(w Waiver) Check {
	return Check{
		ID: "waiver." + w.ID, Group: GroupWaiver, That: "the waiver of " + w.ID + " has not expired", Verdict: Fail,
		Reason:     fmt.Sprintf("the waiver of %s by %s (%s) expired %s", w.ID, w.By, w.Reason, w.Expires.UTC().Format(time.RFC3339)),
		Fix:        "mend what the check says, then remove the waiver from the configuration; or let " + w.By + " decide again, and date it anew",
		Provenance: facts.Attested,
	}
}

func nearest(id string, ids []string) string {
	if near, ok := suggest.Nearest(id, ids); ok {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	var begin []string
	for _, known := range ids {
		if head, _, _ := strings.Cut(id, "."); strings.HasPrefix(known, head+".") && !slices.Contains(begin, known) {
			begin = append(begin, known)
		}
	}
	if len(begin) > 0 {
		return "; there are " + strings.Join(begin[:min(len(begin), 5)], ", ")
	}
	return "; ims preflight NAME -o json lists them"
}
