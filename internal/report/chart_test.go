package report

import (
	"testing"
	"time"
)

// TestTicks: whatever a run lasts, its axis has a few times on it, and not so
// many that they overlap.
func TestTicks(t *testing.T) {
	from := time.Date(2026, 6, 16, 12, 0, 7, 0, time.UTC)
	for _, lasted := range []time.Duration{
		20 * time.Second, 45 * time.Second, 100 * time.Second, 5 * time.Minute, 570 * time.Second, 50 * time.Minute,
		100 * time.Minute, 5 * time.Hour, 30 * time.Hour, 9 * 24 * time.Hour, 16 * 24 * time.Hour, 35 * 24 * time.Hour,
	} {
		if n := len(axis{from, from.Add(lasted)}.ticks()); n < 3 || n > 9 {
			t.Errorf("%v: %d times on the axis, want 3 to 9", lasted, n)
		}
	}
}
