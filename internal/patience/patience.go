// Package patience is how long one look at the world bears with those who do not
// answer: whoever let time run out once is not asked again in the same look, and
// costs one time-out however many questions there are. What it remembers goes
// along in the context of the look, through contracts that know nothing of it,
// and is forgotten with it: the next look asks anew. It refuses to remember an
// error that cost no time, and it bounds nothing itself.
package patience

import (
	"context"
	"errors"
	"os"
	"sync"
)

type key struct{}

// look is what one look remembers.
type look struct {
	mu  sync.Mutex
	why map[string]error
}

// Look begins a look, for all who get its context or one made from it. Within a
// look it begins no other.
func Look(ctx context.Context) context.Context {
	if _, ok := ctx.Value(key{}).(*look); ok {
		return ctx
	}
	return context.WithValue(ctx, key{}, &look{why: map[string]error{}})
}

// Note remembers that who, a name that all who ask it use, let time run out. An
// error of another kind, or of a context that has ended, is not remembered, and
// outside of a look nothing is. It is safe for concurrent use.
func Note(ctx context.Context, who string, why error) {
	l, ok := ctx.Value(key{}).(*look)
	if !ok || ctx.Err() != nil || !errors.Is(why, os.ErrDeadlineExceeded) && !errors.Is(why, context.DeadlineExceeded) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.why[who] = why
}

// Of is why who gave no answer earlier in this look, or nil. It is safe for
// concurrent use.
func Of(ctx context.Context, who string) error {
	l, ok := ctx.Value(key{}).(*look)
	if !ok {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why[who]
}
