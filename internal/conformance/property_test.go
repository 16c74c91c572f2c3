package conformance

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// starts are the worlds in which a sequence may begin, with all that can happen
// in them. There is one domain, so a successor cannot take some; and no message
// that is old, or a report, from the beginning.
func starts() (all []model.Start) {
	for _, s := range bounds.Starts(machine.BeginsServing) {
		if s.World.Flags &^= model.Calm | model.Lean; s.World.Covers && s.World.Old+s.World.MTSRep == 0 {
			all = append(all, s)
		}
	}
	return all
}

var names = slices.Sorted(maps.Keys(others))

// sequences are random ops: much mail, many changes, and time.
func sequences() *rapid.Generator[[]op] {
	all := slices.Concat(slices.Sorted(maps.Keys(effects)), names, []op{"minutes pass", "hours pass", "days pass"})
	mail := []op{"send from hq", "send from branch", "mail arrives", "send from hq", "mail for nobody arrives"}
	hold := []op{"stop", "start", "mode none", "mode inbound-only", "mode outbound-only", "remove spaces", "remove sites", "destination defers"}
	one := rapid.OneOf(rapid.SampledFrom(all), rapid.SampledFrom(mail), rapid.SampledFrom(hold))
	return rapid.SliceOfN(one, 1, 25)
}

// try runs a sequence in a bubble of its own.
func try(t *testing.T, start model.World, as reading, claims model.Params, ops []op) (err error) {
	t.Helper()
	archives := t.TempDir()
	synctest.Test(t, func(*testing.T) { err = run(context.Background(), start, as, claims, ops, archives) })
	return err
}

func words(ops []op) string {
	list := make([]string, len(ops))
	for i, o := range ops {
		list[i] = string(o)
	}
	return strings.Join(list, ", ")
}

// TestGatewayConforms checks that whatever is done to a gateway, what it shows
// is what the model allows.
func TestGatewayConforms(t *testing.T) {
	for name, params := range map[string]model.Params{
		"none leaves mts-out alone": {},
		"none picks mts-out up":     {NonePicksUp: true},
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				start := rapid.SampledFrom(starts()).Draw(rt, "start")
				ops := sequences().Draw(rt, "ops")
				if err := try(t, start.World, reading{params: params}, params, ops); err != nil {
					rt.Fatalf("%s; %s: %v", start.Words, words(ops), err)
				}
			})
		})
	}
}
