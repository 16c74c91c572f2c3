package check_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/check"
)

// TestLedAgainIsNoticed wants the waits that overlook an MX, a name or a route
// that somebody puts back: none, and those that were made blind.
func TestLedAgainIsNoticed(t *testing.T) {
	for _, tt := range []struct{ book, state string }{
		{"maintenance", ""},
		{"maintenance", "out_of_service"},
		{"replace", "watch"},
	} {
		if raced && tt.state == "" {
			continue
		}
		t.Run(tt.book+"/"+tt.state, func(t *testing.T) {
			t.Parallel()
			b, want := shipped(t, tt.book), []string(nil)
			if tt.state != "" {
				b = check.Undrifted(b, tt.state)
				want = []string{fmt.Sprintf("state %s never notices that somebody leads mail to the gateway", tt.state)}
			}
			if diff := cmp.Diff(want, check.Overlooked(t.Context(), b)); diff != "" {
				t.Errorf("overlooked (-want +got):\n%s", diff)
			}
		})
	}
}
