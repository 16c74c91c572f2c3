package cli

import (
	"context"
	"fmt"

	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/check"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/runbook"
)

// liveStart is the world that a check begins in, as it was observed.
type liveStart struct {
	Gateway string `json:"gateway"`
	Worlds  int    `json:"worlds"` // that the facts allow

	set *facts.Set
}

// observed binds each runbook to a gateway as a run would be bound, and looks
// at the gateway; without arguments, the runbook that the configuration names.
func (s *session) observed(ctx context.Context, name string, argv []string) (books []*runbook.Book, starts []*liveStart, err error) {
	c, err := s.configuration()
	if err != nil {
		return nil, nil, err
	}
	if _, err := s.configured(c, name); err != nil {
		return nil, nil, err
	}
	if len(argv) == 0 {
		argv = []string{c.Retire.Runbook}
	}
	for _, arg := range argv {
		snap, book, err := s.deps.Observations.Observe(ctx, c, Look{Request: runner.Request{Gateway: name, Runbook: arg}})
		if err != nil {
			return nil, nil, output.As(output.Usage, "", err)
		}
		set, err := snap.Set()
		if err != nil {
			return nil, nil, err
		}
		if f := set[facts.GwExists]; f.Value == facts.Unknown {
			return nil, nil, output.As(output.Unknown, answering(f.Why), fmt.Errorf("gateway %s does not answer, so there is no world to begin in: %s", name, f.Why))
		}
		books, starts = append(books, book), append(starts, &liveStart{Gateway: name, set: set})
	}
	return books, starts, nil
}

// begin lets a check begin in what was observed.
func (l *liveStart) begin(o *check.Options, b *check.Runbook) error {
	v := l.set.Vector()
	if err := o.From(&v, b); err != nil {
		return output.As(output.Unknown, "ims facts "+l.Gateway, err)
	}
	l.Worlds = len(o.Starts)
	return nil
}

// line says where the check begins.
func (l *liveStart) line() string {
	return fmt.Sprintf("  begins as gateway %s was observed: %s", l.Gateway, output.Count(int64(l.Worlds), "world"))
}
