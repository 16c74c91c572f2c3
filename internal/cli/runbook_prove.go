package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/check"
	"example.org/ims/pkg/runbook"
)

// prove checks runbooks, several at a time, those with the most states first,
// because they take longest. What it found is in the order of books; the error
// is that of the first which could not be checked, and ends the others.
func (s *session) prove(ctx context.Context, p *output.Printer, books []*runbook.Book, starts []*liveStart, opts runbookCheckOptions) ([]*check.Result, error) {
	subjects, options := make([]*check.Runbook, len(books)), make([]check.Options, len(books))
	for i, b := range books {
		subjects[i] = subject(b)
		options[i] = check.Options{Bounds: opts.bounds.Bounds, MaxStates: opts.limit, Now: time.Now}
		if s.io.OutTerminal {
			options[i].Progress = checkProgress(p, b.Def.Name, opts.bounds.Name, time.Now)
		}
		if starts != nil {
			if err := starts[i].begin(&options[i], subjects[i]); err != nil {
				return nil, err
			}
		}
	}
	todo := make(chan int, len(books))
	for _, i := range largestFirst(books) {
		todo <- i
	}
	close(todo)

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	results := make([]*check.Result, len(books))
	var workers sync.WaitGroup
	for range max(opts.jobs, 1) {
		workers.Go(func() {
			for i := range todo {
				if ctx.Err() != nil {
					return
				}
				p.Note("checking %s, bounds %s", books[i].Def.Name, opts.bounds.Name)
				var err error
				if results[i], err = check.Run(ctx, subjects[i], options[i]); err != nil {
					cancel(err)
				}
			}
		})
	}
	workers.Wait()
	return results, context.Cause(ctx)
}

// largestFirst orders runbooks by the number of their states.
func largestFirst(books []*runbook.Book) []int {
	order := make([]int, len(books))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Compare(len(books[j].Def.States), len(books[i].Def.States))
	})
	return order
}

// progressEvery is how often a check that lasts says how far it is.
const progressEvery = 5 * time.Second

// checkProgress says every few seconds how many states the check of a runbook
// has reached, and the first time how to make it shorter.
func checkProgress(p *output.Printer, name, bounds string, now func() time.Time) func(states int) {
	begin, hint := now(), ""
	if quick := check.BoundNames(); bounds == quick[0] {
		hint = fmt.Sprintf("; --bounds %s takes seconds", quick[len(quick)-1])
	}
	spoke := begin
	return func(states int) {
		if at := now(); at.Sub(spoke) >= progressEvery {
			spoke = at
			p.Note("  %s: %d states so far, %s%s", name, states, output.Duration(at.Sub(begin)), hint)
			hint = ""
		}
	}
}
