package wire

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"example.org/ims/internal/patience"
	"example.org/ims/pkg/zone"
)

// counting is a writer that never answers.
type counting struct {
	zone.Writer
	reads *int
	err   error
}

func (c counting) Read(context.Context, string, string) (zone.RRset, error) {
	*c.reads++
	return zone.RRset{}, c.err
}

// TestAServerThatHangsIsReadOnce: only what costs time is remembered, and only
// where somebody looks once.
func TestAServerThatHangsIsReadOnce(t *testing.T) {
	hangs := fmt.Errorf("read: %w: %w", zone.ErrUnreachable, os.ErrDeadlineExceeded)
	for _, tt := range []struct {
		name string
		err  error
		ctx  context.Context
		want int
	}{
		{"one look", hangs, patience.Look(t.Context()), 1},
		{"many looks", hangs, t.Context(), 3},
		{"refused", fmt.Errorf("read: %w: connection refused", zone.ErrUnreachable), patience.Look(t.Context()), 3},
		{"another error", errors.New("lame"), patience.Look(t.Context()), 3},
	} {
		reads := 0
		p := patient{counting{reads: &reads, err: tt.err}, "192.0.2.1:53"}
		for range 3 {
			if _, err := p.Read(tt.ctx, "example.test", "MX"); err == nil || errors.Is(tt.err, zone.ErrUnreachable) != errors.Is(err, zone.ErrUnreachable) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if reads != tt.want {
			t.Errorf("%s: read %d times, want %d", tt.name, reads, tt.want)
		}
	}
}
