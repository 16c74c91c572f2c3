package resolve

import (
	"sync"
	"time"

	"example.org/ims/pkg/zone"
)

// maxEntries bounds the cache.
const maxEntries = 10000

type question struct{ name, typ string }

// entry is an answer, positive or negative, until an instant.
type entry struct {
	set   zone.RRset
	err   error // ErrNoSuchDomain or nil
	until time.Time
}

// cache is safe for concurrent use.
type cache struct {
	mu      sync.Mutex
	entries map[question]entry
}

func (c *cache) get(q question, now time.Time) (entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[q]
	return e, ok && now.Before(e.until)
}

// put stores e. A full cache drops what has expired, or else anything.
func (c *cache) put(q question, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= maxEntries {
		now := time.Now()
		for k, x := range c.entries {
			if !now.Before(x.until) {
				delete(c.entries, k)
			}
		}
	}
	for k := range c.entries {
		if len(c.entries) < maxEntries {
			break
		}
		delete(c.entries, k)
	}
	c.entries[q] = e
}

// Flush empties the cache.
func (r *Resolver) Flush() {
	r.cache.mu.Lock()
	defer r.cache.mu.Unlock()
	clear(r.cache.entries)
}
