package world

import (
	"context"
	"fmt"
	"time"

	"example.org/ims/internal/patience"
)

// lookWithin bounds a look at the world: a run's own clocks and its people wait
// behind it. Whoever is silent costs one time-out of its adapter; this is for all
// the others, and for what answers slowly, question by question. A tracking log
// that takes longer is read on at the next look.
const lookWithin = 2 * time.Minute

// looking bounds a look.
func looking(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(patience.Look(ctx), lookWithin,
		fmt.Errorf("a look at the world ends after %s, and this was not answered by then", lookWithin))
}
