package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"example.org/ims/internal/lab"
	"example.org/ims/pkg/gateway"
)

// sabotage breaks the world once, when the run is where it hurts.
func (s *show) sabotage(ctx context.Context, st Status) error {
	when := map[string][]string{
		"lose-one":   {"accepting"},
		"refuse-550": {"accepting"}, // it shows as soon as the gateway refuses
		"mx-back":    {"watch"},
		"route-back": {"watch"},
	}
	if s.broken || !slices.Contains(when[s.Sabotage], st.State) || time.Since(s.moments[st.State]) < 500*time.Millisecond {
		return nil
	}
	s.broken = true
	s.moments["sabotage"] = time.Now()
	switch s.Sabotage {
	case "lose-one":
		s.say("sabotage", "a queued message of %s vanishes, without a word in the tracking log", lab.Retiring)
		return s.lab.Part("organization").Tell("fault %s lose-one", lab.Retiring)
	case "refuse-550":
		s.say("sabotage", "%s will answer 550 instead of 450 when it refuses", lab.Retiring)
		return s.lab.Part("organization").Tell("fault %s refuse-550", lab.Retiring)
	case "mx-back":
		s.say("sabotage", "somebody points the MX at %s again, by a dynamic update", lab.Retiring)
		return s.lab.PointMX(ctx, lab.Retiring)
	case "route-back":
		s.say("sabotage", "another administrator adds an address space to %s", lab.Retiring)
		spaces := []gateway.Space{{Type: "SMTP", Pattern: "*@" + lab.Slow, Cost: 1}}
		_, err := s.mail.Apply(ctx, lab.Retiring, gateway.Change{
			Key: fmt.Sprintf("another-admin/%d", time.Now().UnixNano()), Actor: "another-admin", Reason: "did not know",
			Want: gateway.Want{Spaces: &spaces},
		})
		return err
	}
	return nil
}

// patience is how long a sabotaged run may go on without noticing, and how
// long it may stand still where it is.
const patience = 25 * time.Second

// given reports that a sabotaged run has been blocked for long enough: it does
// not go on, and says why.
func (s *show) given(st Status) bool {
	if !s.broken || time.Since(s.moments["sabotage"]) < patience || len(st.Missing) == 0 {
		return false
	}
	n := len(st.Visits)
	if n == 0 || time.Since(st.Visits[n-1].Entered) < patience {
		return false
	}
	s.say("end", "the run does not go on: %s", st.Missing[0])
	return true
}
