package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"example.org/ims/internal/runner"
)

// planned is what the page shows of the plan that a run performs, read from
// what the run keeps of it (schema ims/plan/v1).
type planned struct {
	Verdict string     `json:"verdict"`
	Made    time.Time  `json:"made"`
	Ends    time.Time  `json:"ends_not_before"`
	States  []foreseen `json:"states"`
	ID      struct {
		Hash string `json:"hash"`
	} `json:"plan"`
	Messages struct {
		Queued    int `json:"queued"`
		Delivered int `json:"delivered"`
		Returned  int `json:"returned"`
		Held      int `json:"held"`
	} `json:"messages"`
	Other []string `json:"-"` // states that the run entered and the plan did not foresee
}

// foreseen is a state of the predicted path, and when the run entered it first.
type foreseen struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Waits *struct {
		Earliest time.Time `json:"earliest"`
	} `json:"waits"`
	Entered time.Time `json:"-"`
}

// beside fills in what the journal keeps beside the records of what was done.
func (w *view) beside(e runner.Evidence) (err error) {
	if e.Plan != nil {
		if w.Plan, err = plannedOf(e); err != nil {
			return err
		}
	}
	if e.Compared != nil {
		if err := json.Unmarshal(e.Compared, &w.Compare); err != nil {
			return fmt.Errorf("read %s: %w", compareName, err)
		}
	}
	return nil
}

// plannedOf puts the plan of a run beside what came of it.
func plannedOf(e runner.Evidence) (*planned, error) {
	p := &planned{}
	if err := json.Unmarshal(e.Plan, p); err != nil {
		return nil, fmt.Errorf("read %s: %w", planName, err)
	}
	for _, v := range e.Status.Visits {
		if v.Undo {
			continue
		}
		i := slices.IndexFunc(p.States, func(s foreseen) bool { return s.ID == v.State })
		switch {
		case i < 0 && !slices.Contains(p.Other, v.State):
			p.Other = append(p.Other, v.State)
		case i >= 0 && p.States[i].Entered.IsZero():
			p.States[i].Entered = v.Entered
		}
	}
	return p, nil
}
