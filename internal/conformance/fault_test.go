package conformance

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"example.org/ims/internal/mail/service"
	"example.org/ims/pkg/model"
)

// wrong are gateways that are not as the model under a reading says: faults
// seeded on purpose, and the other reading of a disputed cell.
var wrong = []struct {
	name   string
	is     reading
	claims model.Params
}{
	{"mode None picks up mts-out although the option says no", reading{faults: []service.Fault{service.FlushPicksUp}}, model.Params{}},
	{"removing a route reroutes what is queued", reading{faults: []service.Fault{service.RerouteQueued}}, model.Params{}},
	{"a refusing gateway answers 550", reading{faults: []service.Fault{service.Refuse550}}, model.Params{}},
	{"a message is lost", reading{faults: []service.Fault{service.LoseOne}}, model.Params{}},
	{"the option picks up, the model does not", reading{params: model.Params{NonePicksUp: true}}, model.Params{}},
	{"the model picks up, the option does not", reading{}, model.Params{NonePicksUp: true}},
	{"the model refuses for good, the gateway for now", reading{}, model.Params{Hard: true}},
}

// mostTries is how many sequences may pass before one shows a fault.
const mostTries = 300

// TestFaultsAreCaught requires that for each wrong gateway a sequence is found
// that the model does not allow, and shows the shortest that is left of it.
func TestFaultsAreCaught(t *testing.T) {
	gen := sequences()
	for _, tt := range wrong {
		t.Run(tt.name, func(t *testing.T) {
			fails := func(start model.Start, ops []op) error { return try(t, start.World, tt.is, tt.claims, ops) }
			for n := range mostTries {
				start, ops := starts()[n%len(starts())], gen.Example(n)
				if fails(start, ops) == nil {
					continue
				}
				ops = shrink(ops, func(ops []op) bool { return fails(start, ops) != nil })
				t.Logf("sequence %d; %s: %s: %v", n, start.Words, words(ops), fails(start, ops))
				return
			}
			t.Errorf("%d random sequences do not show it", mostTries)
		})
	}
}

// shrink leaves out whatever is not needed for a sequence to fail.
func shrink(ops []op, fails func([]op) bool) []op {
	for n := len(ops); n > 0; n /= 2 {
		for i := 0; i+n <= len(ops); {
			if less := slices.Delete(slices.Clone(ops), i, i+n); fails(less) {
				ops = less
			} else {
				i += n
			}
		}
	}
	return ops
}

// TestHardReading: a gateway that answers 550 unless it was told how to refuse
// is what the model says under the other reading of that cell.
func TestHardReading(t *testing.T) {
	untold := sequences().Filter(func(ops []op) bool {
		return !slices.ContainsFunc(ops, func(o op) bool { return effects[o].args.Refuse != "" })
	})
	hard := model.Params{Hard: true}
	rapid.Check(t, func(rt *rapid.T) {
		start := starts()[0]
		ops := untold.Draw(rt, "ops")
		if err := try(t, start.World, reading{faults: []service.Fault{service.Refuse550}}, hard, ops); err != nil {
			rt.Fatalf("%s: %v", words(ops), err)
		}
	})
}
