package conformance

import (
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"example.org/ims/internal/mail/service"
	"example.org/ims/pkg/model"
)

// wrong are gateways that are not as the model under a reading says: faults
// seeded on purpose, and the other reading of a disputed cell. Each has a short
// sequence that shows it.
var wrong = []struct {
	name   string
	is     reading
	claims model.Params
	family string
	start  int
	shows  []op
}{
	{
		"mode None picks up mts-out although the option says no",
		reading{faults: []service.Fault{service.FlushPicksUp}},
		model.Params{},
		"q285090", 0,
		[]op{"mode none", "send from hq"},
	},
	{
		"removing a route reroutes what is queued",
		reading{faults: []service.Fault{service.RerouteQueued}},
		model.Params{},
		"q285090", 0,
		[]op{"mode inbound-only", "send from hq", "remove spaces"},
	},
	{
		"a refusing gateway answers 550",
		reading{faults: []service.Fault{service.Refuse550}},
		model.Params{},
		"q285090", 0,
		[]op{"mode none"},
	},
	{
		"a message is lost",
		reading{faults: []service.Fault{service.LoseOne}},
		model.Params{},
		"q285090", 0,
		[]op{"send from hq"},
	},
	{
		"the option picks up, the model does not",
		reading{params: model.Params{NonePicksUp: true}},
		model.Params{},
		"q285090", 0,
		[]op{"mode none", "send from hq"},
	},
	{
		"the model picks up, the option does not",
		reading{},
		model.Params{NonePicksUp: true},
		"q285090", 0,
		[]op{"mode none", "send from hq"},
	},
	{
		"the model refuses for good, the gateway for now",
		reading{},
		model.Params{Hard: true},
		"q285090", 0,
		[]op{"mode none"},
	},
	{
		"what is exported stays in the store",
		reading{seeded: seeds{act: keepsExported}},
		model.Params{},
		"rescue", 0,
		[]op{"hold what is old", "decide on old mail", "export what is held"},
	},
	{
		"a hold leaves mts-out alone",
		reading{seeded: seeds{list: overlooks}},
		model.Params{},
		"rescue", 0,
		[]op{"hold what is old"},
	},
	{
		"a release moves nothing",
		reading{seeded: seeds{act: releasesNothing}},
		model.Params{},
		"rescue", 0,
		[]op{"hold what is old", "decide on old mail", "release what is held"},
	},
	{
		"a null MX stands beside the old one",
		reading{seeded: seeds{write: addsNull}},
		model.Params{},
		"last-gateway", 0,
		[]op{"null mx"},
	},
	{
		"an address is not written",
		reading{seeded: seeds{write: skipsAAAA}},
		model.Params{},
		"replace", 0,
		[]op{"flip A", "flip AAAA"},
	},
	{
		"session limits are stored and not in effect",
		reading{seeded: seeds{apply: noRestart}},
		model.Params{},
		"add-successor", 0,
		[]op{"limit here", "limit next"},
	},
	{
		"a black hole is not seen",
		reading{seeded: seeds{cover: noHoles}},
		model.Params{},
		"q285090", 0,
		[]op{"successor sends nothing"},
	},
	{
		"another gateway's routes are not seen",
		reading{seeded: seeds{cover: nobodyElse}},
		model.Params{},
		"last-gateway", 0,
		[]op{"another gets routes"},
	},
	{
		"a split forgets the successor",
		reading{seeded: seeds{apply: noSplit}},
		model.Params{},
		"add-successor", 0,
		[]op{"split here", "split next"},
	},
}

// TestFaultsAreCaught requires that the model does not allow what each wrong
// gateway does in the sequence that shows it, and that what is not wrong may be
// asked for the same.
func TestFaultsAreCaught(t *testing.T) {
	for _, tt := range wrong {
		t.Run(tt.name, func(t *testing.T) {
			b := of(tt.family)[tt.start]
			err := try(t, b, tt.is, tt.claims, tt.shows)
			if err == nil {
				t.Errorf("%s: %s does not show it", b, words(tt.shows))
			}
			t.Logf("%s: %s: %v", b, words(tt.shows), err)
			if err := try(t, b, reading{}, model.Params{}, tt.shows); err != nil {
				t.Errorf("%s: %s: the gateway without the fault: %v", b, words(tt.shows), err)
			}
		})
	}
}

// mostTries is how many sequences may pass before one shows a fault.
const mostTries = 500

// TestFaultsAreFound requires that chance finds a sequence, too, and shows the
// shortest that is left of it.
func TestFaultsAreFound(t *testing.T) {
	if os.Getenv("IMS_TEST_CONFORM_ALL") != "1" {
		t.Skip("IMS_TEST_CONFORM_ALL=1 has chance look for each fault")
	}
	for _, tt := range wrong {
		t.Run(tt.name, func(t *testing.T) {
			all := of(tt.family)
			gen := sequences(all[0].family)
			for n := range mostTries {
				b, ops := all[n%len(all)], gen.Example(n)
				fails := func(ops []op) error { return try(t, b, tt.is, tt.claims, ops) }
				if fails(ops) == nil {
					continue
				}
				ops = shrink(ops, func(ops []op) bool { return fails(ops) != nil })
				t.Logf("sequence %d; %s: %s: %v", n, b, words(ops), fails(ops))
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
	b := of("q285090")[0]
	untold := sequences(b.family).Filter(func(ops []op) bool {
		return !slices.ContainsFunc(ops, func(o op) bool { return effects[o].args.Refuse != "" })
	})
	hard := model.Params{Hard: true}
	rapid.Check(t, func(rt *rapid.T) {
		ops := untold.Draw(rt, "ops")
		if err := try(t, b, reading{faults: []service.Fault{service.Refuse550}}, hard, ops); err != nil {
			rt.Fatalf("%s: %v", words(ops), err)
		}
	})
}
