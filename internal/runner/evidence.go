package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// Evidence is everything that the journal knows of a run.
type Evidence struct {
	At      time.Time // as of which Status is told
	Status  Status
	Book    *runbook.Book
	Records []machine.Record
	Export  []byte // the run as JSON Lines with its hash chain, as journal.Export writes it
	// Plan is the saved plan that the run performs, nil if it was opened without.
	Plan json.RawMessage
	// Compared is the gateway as it was beside its successor as it was seen last,
	// as compare.Report, nil if the run never saw both.
	Compared json.RawMessage
}

// memoryCompared is the fact under which a world keeps its last comparison.
const memoryCompared = "memory.compared"

// ReadEvidence reads a run from the journal of a state directory, whether a
// runner is alive or not; "" is the last run that is open, or else the last. Its
// status is told as of at. Errors: ErrNoRun.
func ReadEvidence(ctx context.Context, dir, id string, at time.Time) (Evidence, error) {
	var e Evidence
	err := readingRun(ctx, dir, id, func(r *journal.Reader, id string) (err error) {
		e, err = evidenceOf(ctx, r, id, at)
		return err
	})
	return e, err
}

func evidenceOf(ctx context.Context, r *journal.Reader, id string, at time.Time) (Evidence, error) {
	var b bytes.Buffer
	if err := r.Export(ctx, id, &b); err != nil {
		return Evidence{}, err
	}
	return ParseEvidence(b.Bytes(), at)
}

// ParseEvidence reads the export of a run, without a journal: the same export and
// time give the same evidence. It does not check the chain; journal.VerifyExport
// does.
func ParseEvidence(export []byte, at time.Time) (Evidence, error) {
	info, entries, err := journal.ReadExport(bytes.NewReader(export))
	if err != nil {
		return Evidence{}, err
	}
	e := Evidence{Export: export, At: at.UTC().Round(0)}
	if e.Records, err = engine.Decode(entries); err != nil {
		return e, err
	}
	sum := journal.Summary{RunInfo: info}
	for _, r := range e.Records {
		if r.Kind == machine.ClosedRun.String() {
			sum.Closed, sum.Outcome = r.At, r.Detail.Outcome
		}
		if text, ok := r.Detail.Facts[memoryCompared]; ok {
			e.Compared = json.RawMessage(text)
		}
	}
	if n := len(entries); n > 0 {
		sum.Epoch = entries[n-1].Epoch
	}
	var st stored
	if st, e.Book, err = bound(sum); err != nil {
		return e, err
	}
	e.Status, e.Plan = folded(sum, st, e.Book, e.Records, e.At), st.Plan
	return e, nil
}
