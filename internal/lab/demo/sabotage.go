package demo

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
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

// stillFor is how long a run whose ledger does not balance may stand still
// before it is judged to be blocked: nothing but a person can bring a message
// back.
const stillFor = 8 * time.Second

// given reports that a run from which a message was stolen does not go on, and
// says why.
func (s *show) given(st Status) bool {
	i := slices.IndexFunc(st.Missing, func(m string) bool { return strings.Contains(m, "ledger.unaccounted") })
	n := len(st.Visits)
	if s.Sabotage != "lose-one" || i < 0 || n == 0 || time.Since(st.Visits[n-1].Entered) < stillFor {
		return false
	}
	s.say("end", "the run does not go on: %s", st.Missing[i])
	return true
}

// judge says whether the sabotage was noticed, by what, and whether the
// gateway is still there.
func (s *show) judge(ctx context.Context, st Status) error {
	if s.Sabotage == "" {
		return nil
	}
	c, err := s.mail.Config(ctx, lab.Retiring)
	if err != nil {
		return err
	}
	switch {
	case !s.broken:
		s.res.problem("the run never came to where %s was to be done", s.Sabotage)
	case st.Ended || !c.Exists:
		s.res.problem("%s was not noticed: %s is gone", s.Sabotage, lab.Retiring)
	default:
		s.res.Caught = caught(st)
	}
	return nil
}

var factName = regexp.MustCompile(`[a-z]+(\.[a-z_]+)+`)

// caught is what noticed that the world is not as it should be: the guards that
// do not hold, with the facts that they name.
func caught(st Status) string {
	var all []string
	for _, m := range st.Missing {
		values := []string{}
		for _, f := range factName.FindAllString(m, -1) {
			if v, ok := st.Facts[f]; ok && !slices.Contains(values, f+" = "+v) {
				values = append(values, f+" = "+v)
			}
		}
		all = append(all, fmt.Sprintf("%s [%s]", m, join(values, ", ")))
	}
	what := "blocked"
	if st.Why != "" {
		what = st.Why
	}
	return fmt.Sprintf("%s in %s: %s", what, st.State, join(append(all, st.Notes...), "; "))
}
