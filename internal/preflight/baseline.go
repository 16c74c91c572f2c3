package preflight

import (
	"encoding/json"
	"fmt"
	"time"
)

// ReportSchema is the shape of a saved report.
const ReportSchema = "ims/preflight/v1"

// Baseline says what a report was compared with.
type Baseline struct {
	Made    time.Time `json:"made"`
	Runbook string    `json:"runbook"`
	Old     []string  `json:"old"`  // checks that do not pass, as before
	New     []string  `json:"new"`  // checks that do not pass, and did before or were not there
	Gone    []string  `json:"gone"` // checks that did not pass before, and pass now or are no more
}

// ReadReport reads a saved report.
func ReadReport(data []byte) (*Report, error) {
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("read baseline: %w", err)
	}
	if head.Schema != ReportSchema {
		return nil, fmt.Errorf("read baseline: schema is %q, want %q: save it with ims preflight NAME -o json", head.Schema, ReportSchema)
	}
	r := &Report{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("read baseline: %w", err)
	}
	return r, nil
}

// compare marks what is no worse than in an earlier report: not as a verdict, and
// not in what it names and counts. What was waived there counts as passed: without
// the waiver it is new.
func (r *Report) compare(before *Report) error {
	if before == nil {
		return nil
	}
	for _, c := range [][3]string{
		{"gateway", before.Gateway, r.Gateway}, {"successor", before.Successor, r.Successor}, {"runbook", before.Runbook, r.Runbook},
	} {
		if c[1] != c[2] {
			return fmt.Errorf("the baseline is of %s %q, this is of %q: save one with ims preflight %s -o json and the same options", c[0], c[1], c[2], r.Gateway)
		}
	}
	was := map[string]*Check{}
	for i := range before.Checks {
		if c := &before.Checks[i]; c.Waived == nil {
			was[c.ID] = c
		}
	}
	b := &Baseline{Made: before.Made, Runbook: before.Runbook, Old: []string{}, New: []string{}, Gone: []string{}}
	now := map[string]bool{}
	for i := range r.Checks {
		c := &r.Checks[i]
		if c.Verdict == Pass || c.Waived != nil {
			continue
		}
		now[c.ID] = true
		v, ok := was[c.ID]
		if ok && v.Verdict != Pass {
			c.Worse = c.worse(v)
		}
		if ok && c.Group != GroupWaiver && v.Verdict.Gravity() >= c.Verdict.Gravity() && c.Worse == "" {
			c.Old = true
			b.Old = append(b.Old, c.ID)
		} else {
			b.New = append(b.New, c.ID)
		}
	}
	for i := range before.Checks {
		if c := &before.Checks[i]; c.Verdict != Pass && c.Waived == nil && !now[c.ID] {
			b.Gone = append(b.Gone, c.ID)
		}
	}
	r.Baseline = b
	return nil
}
