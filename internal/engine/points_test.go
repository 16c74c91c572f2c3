package engine_test

import (
	"fmt"
	"os"
	"testing"
)

// every returns how many points of a crash lie between two that are tried, and
// whether each is tried both ways. Without the race detector, or with
// IMS_TEST_KILL_ALL=1, all are, as in internal/runner.
func every() (step int, both bool) {
	if stride == 1 || os.Getenv("IMS_TEST_KILL_ALL") == "1" {
		return 1, true
	}
	return stride, false
}

// atCommits runs f with crashes before and after the commits from first to last.
func atCommits(t *testing.T, first, last int, f func(t *testing.T, n int, after bool)) {
	t.Helper()
	step, both := every()
	for n := first; n <= last; n += step {
		for _, after := range []bool{false, true} {
			if both || after == (n%2 == 0) {
				t.Run(fmt.Sprintf("%d,after=%v", n, after), func(t *testing.T) { f(t, n, after) })
			}
		}
	}
}

// some are the effects of a run after which a crash is tried: all, or every
// other.
func some(effects []string) []string {
	if _, both := every(); both {
		return effects
	}
	var out []string
	for i := 0; i < len(effects); i += 2 {
		out = append(out, effects[i])
	}
	return out
}
