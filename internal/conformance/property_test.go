package conformance

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"example.org/ims/pkg/model"
)

// sequences are random ops of a family: much mail, many changes, and time.
func sequences(f *family) *rapid.Generator[[]op] {
	all := slices.Concat(slices.Sorted(maps.Keys(effects)), slices.Sorted(maps.Keys(others)), []op{"minutes pass", "hours pass", "days pass"})
	all = slices.DeleteFunc(all, func(o op) bool { return !f.may(o) })
	mail := []op{"send from hq", "send from branch", "mail arrives", "send from hq", "mail for nobody arrives"}
	hold := []op{"stop", "start", "mode none", "mode inbound-only", "mode outbound-only", "remove sites", "destination defers"}
	own := slices.Concat(f.own, []op{"undo", "days pass"})
	one := rapid.OneOf(rapid.SampledFrom(all), rapid.SampledFrom(mail), rapid.SampledFrom(hold), rapid.SampledFrom(own))
	return rapid.SliceOfN(one, 1, 30)
}

// try runs a sequence in a bubble of its own.
func try(t *testing.T, b beginning, as reading, claims model.Params, ops []op) (err error) {
	t.Helper()
	archives := t.TempDir()
	synctest.Test(t, func(*testing.T) { err = run(context.Background(), b, as, claims, ops, archives) })
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
				b := rapid.SampledFrom(beginnings()).Draw(rt, "beginning")
				ops := sequences(b.family).Draw(rt, "ops")
				if err := try(t, b, reading{params: params}, params, ops); err != nil {
					rt.Fatalf("%s; %s: %v", b, words(ops), err)
				}
			})
		})
	}
}

// directed are sequences that chance seldom finds: each way that mail which is
// old, a record, a split and a decision can take, and what once was not as the
// model says.
var directed = []struct {
	family string
	start  int
	ops    []op
}{
	{"q285090", 0, []op{"refuse at rcpt", "store mode none", "refuse at rcpt", "undo"}},
	{"q285090", 0, []op{"move mx", "days pass", "mail arrives", "decide on late clients", "mail arrives", "undo", "mail arrives"}},
	{"q285090", 0, []op{"remove spaces", "undo", "minutes pass", "remove spaces", "mail arrives", "send from branch"}},
	{"q285090", 0, []op{
		"destination defers", "send from hq", "stop", "days pass", "hold what is old", "decide on old mail", "release what is held", "start",
	}},
	{"q285090", 1, []op{"decide on what has no route", "remove spaces", "undo", "remove the gateway"}},
	{"q285090", 3, []op{"remove sites", "decide on what has no route", "undo", "successor fails", "successor back"}},
	{"rescue", 0, []op{"hold what is old", "release what is held", "export what is held", "decide on old mail", "undo", "start"}},
	{"rescue", 0, []op{"hold what is old", "decide on old mail", "release what is held", "mode outbound-only", "start"}},
	{"rescue", 1, []op{"send from hq", "days pass", "hold what is old", "decide on old mail", "return what is held", "move mx"}},
	{"rescue", 2, []op{"hold what is old", "decide on old mail", "export what is held", "mode inbound-outbound"}},
	{"rescue", 3, []op{"start", "hours pass"}},
	{"replace", 0, []op{"flip A", "flip AAAA", "days pass", "mail arrives", "undo", "mail arrives", "undo"}},
	{"replace", 0, []op{"drain PTR", "drain A", "drain SPF", "drain AAAA", "undo", "undo", "undo", "undo"}},
	{"last-gateway", 0, []op{"null mx", "spf none", "days pass", "mail arrives", "undo", "undo"}},
	{"add-successor", 0, []op{"stop", "limit here", "limit next", "start", "undo", "undo"}},
	{"add-successor", 0, []op{"split here", "split next", "send from hq", "undo", "undo"}},
	{"q285090", 2, []op{"successor sends nothing", "remove sites", "undo", "remove spaces", "successor sends again"}},
	{"q285090", 0, []op{"move mx", "mail arrives", "days pass", "mail arrives", "undo", "mail arrives", "move mx", "mail arrives"}},
	{"last-gateway", 0, []op{"another gets routes", "send from hq", "null mx", "another loses its routes"}},
	{"last-gateway", 1, []op{"another gets routes", "decide on what has no route", "remove sites", "another loses its routes", "undo"}},
	{"add-successor", 0, []op{"split next", "successor sends nothing", "split here", "undo", "undo", "successor sends again"}},
	{"add-successor", 1, []op{"split next", "split here", "name next", "hours pass", "undo"}},
}

func TestDirected(t *testing.T) {
	for _, tt := range directed {
		t.Run(tt.family+", "+words(tt.ops), func(t *testing.T) {
			if err := try(t, of(tt.family)[tt.start], reading{}, model.Params{}, tt.ops); err != nil {
				t.Error(err)
			}
		})
	}
	for _, b := range beginnings() {
		if !b.World.Differs {
			continue
		}
		for _, settled := range []op{"decide on what differs", "settings taken"} {
			if err := try(t, b, reading{}, model.Params{}, []op{settled}); err != nil {
				t.Errorf("%s: %s: %v", b, settled, err)
			}
		}
	}
}

// TestDirectedIsWhole: what chance may miss in a run of the tests is tried in
// each.
func TestDirectedIsWhole(t *testing.T) {
	tried := map[op]bool{}
	for _, tt := range directed {
		for _, o := range tt.ops {
			tried[o] = true
		}
	}
	for _, f := range families() {
		for _, o := range f.own {
			if !tried[o] {
				t.Errorf("%s: no directed sequence has %q", f.name, o)
			}
		}
	}
}
