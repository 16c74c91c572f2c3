package delivery

import (
	"strings"
	"time"
)

// Dequeue tries what waits for a domain now, as ETRN asks for (RFC 1985), and
// returns how many entries there are for it. With below, the domains under it
// are meant, too. Entries that are being tried are counted and left alone.
func (s *Scheduler) Dequeue(domain string, below bool) int {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, it := range s.byAge() {
		dest := it.entry.Dest
		if !strings.EqualFold(dest, domain) && (!below || !strings.HasSuffix(strings.ToLower(dest), "."+strings.ToLower(domain))) {
			continue
		}
		n++
		if it.phase == waiting && it.unstored == nil {
			it.dest.down = time.Time{}
			it.next = now
			s.rest(it)
		}
	}
	s.signal()
	return n
}
