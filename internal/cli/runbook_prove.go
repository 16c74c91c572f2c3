package cli

import (
	"cmp"
	"context"
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
	limit := s.memoryLimit(opts.memory.bytes)
	defer tightHeap(limit)()
	memory, board := check.NewMemory(limit), s.board(p, opts, limit)
	defer board.show()()
	subjects, options := make([]*check.Runbook, len(books)), make([]check.Options, len(books))
	for i, b := range books {
		subjects[i] = subject(b)
		options[i] = check.Options{Bounds: opts.bounds.Bounds, MaxStates: opts.limit, Memory: memory, Now: time.Now}
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
				board.note(p, "checking %s, bounds %s", books[i].Def.Name, opts.bounds.Name)
				tell, done := board.begin(books[i].Def.Name)
				options[i].Progress = tell
				var err error
				if results[i], err = check.Run(ctx, subjects[i], options[i]); err != nil {
					cancel(err)
				}
				done()
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
