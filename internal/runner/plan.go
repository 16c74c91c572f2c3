package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"example.org/ims/internal/journal"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// Planner is what a Site also is if its runs can be opened from saved plans.
type Planner interface {
	// ReadPlan reads a saved plan. Its errors are the request's, and wrap
	// ErrDrift if another version made the plan.
	ReadPlan(saved []byte) (Planned, error)
	// Holds predicts the run anew, from what is observed now, and makes its checks
	// again, for a run that actor opens. It returns a *DriftError if that is not what
	// the plan says, or a check that the plan relies on stands in the way and did not,
	// and an error that wraps ErrUnknown if something that the plan relies on cannot
	// be read.
	Holds(ctx context.Context, saved []byte, book *runbook.Book, actor string) error
}

// Planned is a saved plan as a runner opens a run from it.
type Planned struct {
	Request Request         // what the run is about, whole
	File    string          // of the runbook
	Source  []byte          // the runbook itself
	Nonce   string          // a run uses it up
	Hash    string          // of what the plan does and relies on
	Keep    json.RawMessage // what the run keeps of the plan
}

// ErrDrift says that a plan does not hold any more.
var ErrDrift = errors.New("the plan does not hold any more")

// DriftError says in what the world differs from a plan.
type DriftError struct {
	Plan        string       `json:"plan"` // its hash
	Differences []Difference `json:"differences"`
}

// Difference is one thing in which a plan and the world differ.
type Difference struct {
	What string   `json:"what"`
	Name string   `json:"name"`
	Was  []string `json:"was"`
	Now  []string `json:"now"`
	Why  string   `json:"why,omitempty"`
	Fix  string   `json:"fix,omitempty"` // of a check: what lets it pass
}

func (e *DriftError) Error() string {
	words := ""
	if len(e.Differences) > 0 {
		words = fmt.Sprintf(": %s %s, and %d more", e.Differences[0].What, e.Differences[0].Name, len(e.Differences)-1)
		if len(e.Differences) == 1 {
			words = fmt.Sprintf(": %s %s", e.Differences[0].What, e.Differences[0].Name)
		}
	}
	return ErrDrift.Error() + words
}

// Unwrap returns ErrDrift.
func (e *DriftError) Unwrap() error { return ErrDrift }

// UsedError says which run used a plan up.
type UsedError struct {
	Run string `json:"run"`
}

func (e *UsedError) Error() string {
	return fmt.Sprintf("the plan was performed already, by run %s: a plan is good for one run", e.Run)
}

// openPlanned opens a run that does exactly what a saved plan says, and begins
// to perform it. No other run is opened between the check and the open: while
// s.opening is held nobody can take the leases that were found free, and the
// commit that opens the run takes them and uses the plan up.
func (s *Server) openPlanned(ctx context.Context, r Request, actor string) (string, error) {
	planner, ok := s.opts.Site.(Planner)
	if !ok {
		return "", usage(errors.New("this runner opens no run from a saved plan"))
	}
	pl, err := planner.ReadPlan(r.Plan)
	if err != nil {
		return "", usage(err)
	}
	if err := s.unused(ctx, pl.Nonce); err != nil {
		return "", err
	}
	b, leases, err := s.opts.Site.Bind(ctx, pl.Request)
	if err != nil {
		return "", usage(err)
	}
	if err := s.free(ctx, leases); err != nil {
		return "", err
	}
	st := stored{File: pl.File, Binding: b, Opener: actor, Core: machine.CoreVersion, PlanHash: pl.Hash, Plan: pl.Keep, nonce: pl.Nonce}
	book, err := st.bind(pl.Source)
	if err != nil {
		return "", usage(err)
	}
	if err := planner.Holds(ctx, r.Plan, book, actor); err != nil {
		return "", planProblem(err)
	}
	return s.begin(ctx, st, book, leases)
}

// planProblem keeps drift apart from what is wrong with the request.
func planProblem(err error) error {
	if errors.Is(err, ErrDrift) {
		return err
	}
	return usage(err)
}

// unused refuses a plan that a run used up.
func (s *Server) unused(ctx context.Context, nonce string) error {
	all, err := s.journal.Runs(ctx, journal.RunFilter{})
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.Nonce == nonce {
			return &UsedError{Run: one.ID}
		}
	}
	return nil
}

// free refuses what another run holds: its changes under way would look like
// drift.
func (s *Server) free(ctx context.Context, leases []string) error {
	held, err := s.journal.Leases(ctx)
	if err != nil {
		return err
	}
	for _, want := range leases {
		for _, l := range held {
			if l.Resource == want {
				return &journal.HeldError{Resource: want, Run: l.Run, Owner: l.Owner, Since: l.Taken}
			}
		}
	}
	return nil
}
