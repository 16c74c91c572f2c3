package demo

import (
	"context"
	"strings"
	"sync"
	"time"

	"example.org/ims/internal/dns/resolve"
	"example.org/ims/internal/lab"
)

// mxWatch notes when every name server of the zone gives the successor.
type mxWatch struct {
	cancel func()
	wg     sync.WaitGroup
	mu     sync.Mutex
	at     time.Time
}

// watchMX watches until end is called.
func watchMX(ctx context.Context, l *lab.Lab) *mxWatch {
	ctx, cancel := context.WithCancel(ctx)
	w := &mxWatch{cancel: cancel}
	w.wg.Go(func() {
		for sleep(ctx, 100*time.Millisecond) == nil {
			if movedEverywhere(ctx, l) {
				w.mu.Lock()
				w.at = time.Now()
				w.mu.Unlock()
				return
			}
		}
	})
	return w
}

func (w *mxWatch) end() {
	w.cancel()
	w.wg.Wait()
}

// when is the zero time if it has not happened.
func (w *mxWatch) when() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func movedEverywhere(ctx context.Context, l *lab.Lab) bool {
	for _, server := range l.NameServers() {
		r, err := resolve.New(resolve.Config{Servers: []string{server}, Hosts: l.Hosts})
		if err != nil {
			return false
		}
		found, err := r.Lookup(ctx, lab.Domain)
		if err != nil || len(found) != 1 || !strings.HasPrefix(found[0].Host, lab.Heir+".") {
			return false
		}
	}
	return true
}
