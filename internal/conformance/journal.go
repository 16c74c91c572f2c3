package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
	"example.org/ims/pkg/runbook"
)

// Journal requires that the abstract world can follow every run in the journal
// of a state directory; see [Accept]. It only reads.
func Journal(ctx context.Context, dir string, in Around) (err error) {
	r, err := journal.OpenReadOnly(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	runs, err := r.Runs(ctx, journal.RunFilter{})
	if err == nil && len(runs) == 0 {
		err = errors.New("the journal holds no run")
	}
	for _, sum := range runs {
		if e := follow(ctx, r, sum, in); e != nil {
			err = errors.Join(err, fmt.Errorf("run %s: %w", sum.ID, e))
		}
	}
	return err
}

func follow(ctx context.Context, r *journal.Reader, sum journal.Summary, in Around) error {
	var opened struct {
		Binding runbook.Binding `json:"binding"`
	}
	if err := json.Unmarshal(sum.Params, &opened); err != nil {
		return fmt.Errorf("read what it is bound to: %w", err)
	}
	doc, mistakes := runbook.Load(sum.Runbook+".yaml", sum.Text)
	if len(mistakes) > 0 {
		return mistakes
	}
	book, mistakes := runbook.Bind(doc, opened.Binding)
	if len(mistakes) > 0 {
		return mistakes
	}
	entries, err := r.Records(ctx, sum.ID, 0)
	if err != nil {
		return err
	}
	records, err := engine.Decode(entries)
	if err != nil {
		return err
	}
	if err := Accept(book.Def, records, in); err != nil {
		return fmt.Errorf("%d records: %w", len(records), err)
	}
	return nil
}
