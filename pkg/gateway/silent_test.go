package gateway

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"
)

// TestSilenceSaysWhoHangs: the command that shows the process is in the error,
// and found again in words of which nothing else was kept.
func TestSilenceSaysWhoHangs(t *testing.T) {
	for _, tt := range []struct {
		pid  int
		want string
	}{{4711, "ps -o pid,stat,wchan,etime,args -p 4711"}, {0, ""}} {
		e := &SilentError{Within: 10 * time.Second, PID: tt.pid}
		err := fmt.Errorf("count: %w: %w", e, ErrUnreachable)
		if e.Fix() != tt.want || FixOfSilence(err.Error()) != tt.want || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v: fix %q, of its words %q, want %q", err, e.Fix(), FixOfSilence(err.Error()), tt.want)
		}
	}
	if got := FixOfSilence("connection refused, and process x keeps its socket open: gateway unreachable"); got != "" {
		t.Errorf("of other words: %q", got)
	}
}
