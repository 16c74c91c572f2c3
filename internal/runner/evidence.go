package runner

import (
	"bytes"
	"context"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// Evidence is everything that the journal knows of a run.
type Evidence struct {
	Status  Status
	Book    *runbook.Book
	Records []machine.Record
	Export  []byte // the run as JSON Lines with its hash chain, as journal.Export writes it
}

// ReadEvidence reads a run from the journal of a state directory, whether a
// runner is alive or not; "" is the run that was opened last. Errors: ErrNoRun.
func ReadEvidence(ctx context.Context, dir, id string) (Evidence, error) {
	var e Evidence
	err := reading(ctx, dir, func(r *journal.Reader) (err error) {
		if id == "" {
			if id, err = last(ctx, r); err != nil {
				return err
			}
		}
		e, err = evidenceOf(ctx, r, id)
		return err
	})
	return e, err
}

func evidenceOf(ctx context.Context, r *journal.Reader, id string) (Evidence, error) {
	var b bytes.Buffer
	if err := r.Export(ctx, id, &b); err != nil {
		return Evidence{}, err
	}
	return ParseEvidence(b.Bytes())
}

// ParseEvidence reads the export of a run, without a journal. It does not check
// the chain; journal.VerifyExport does.
func ParseEvidence(export []byte) (Evidence, error) {
	info, entries, err := journal.ReadExport(bytes.NewReader(export))
	if err != nil {
		return Evidence{}, err
	}
	e := Evidence{Export: export}
	if e.Records, err = engine.Decode(entries); err != nil {
		return e, err
	}
	sum := journal.Summary{RunInfo: info}
	for _, r := range e.Records {
		if r.Kind == machine.ClosedRun.String() {
			sum.Closed, sum.Outcome = r.At, r.Detail.Outcome
		}
	}
	if n := len(entries); n > 0 {
		sum.Epoch = entries[n-1].Epoch
	}
	e.Status, e.Book, err = folded(sum, e.Records)
	return e, err
}
