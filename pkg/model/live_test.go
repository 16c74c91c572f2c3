package model_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// TestLiveIsAsObserved checks that every world is among those that its own facts
// allow: one of them says the same facts again.
func TestLiveIsAsObserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, w := walk(t)
		if !w.Exists || w.Flags&model.Alone != 0 {
			return
		}
		v := w.Facts(r.Params)
		v[facts.GwArrivals] = 0 // of what came before the first look nothing is known
		b := r.Bounds
		b.Out, b.In, b.Reports = 3, 3, 3
		starts, _, err := model.Live(&v, b, machine.BeginsServing)
		if err != nil {
			t.Fatal(err)
		}
		var nearest []string
		if !slices.ContainsFunc(starts, func(s model.Start) bool {
			nearest = differ(&v, s.World.Facts(r.Params))
			return len(nearest) == 0
		}) {
			t.Errorf("none of %d worlds says the facts of %+v; the last differs in %v", len(starts), w, nearest)
		}
	})
}

// untold are facts that others do not tell, or that are no world's.
var untold = []facts.ID{
	facts.GwExpiring, facts.LateClients, facts.NextCoversOut, facts.RouteUncovered, facts.DrainNamed,
	facts.NameHere, facts.NameWanted, facts.NameAgree, facts.NameExpired, facts.NextLimited, facts.NextSplit, facts.MxAgree, facts.GwQMTSIn, facts.GwQTotal, facts.LedgerPresent,
}

func differ(a *facts.Vector, b facts.Vector) (wrong []string) {
	for _, id := range facts.All() {
		if a[id] != b[id] && !slices.Contains(untold, id) && !strings.HasPrefix(id.String(), "run.") {
			wrong = append(wrong, id.String()+" "+id.Format(a[id])+" "+id.Format(b[id]))
		}
	}
	return wrong
}

// TestLiveSaysWhatItAssumes: what is unknown is taken each way, what is beyond
// the bounds as many as they allow, and each is said.
func TestLiveSaysWhatItAssumes(t *testing.T) {
	v := model.CIBounds().Starts(machine.BeginsServing)[0].World.Facts(model.Params{})
	v[facts.GwQOut], v[facts.GwExpiring], v[facts.RouteDependents] = 57, 57, facts.Unknown
	starts, assumed, err := model.Live(&v, model.DefaultBounds(), machine.BeginsServing)
	if err != nil || len(starts) != 2 || starts[0].World.Out != 2 || starts[0].World.Dependents == starts[1].World.Dependents {
		t.Fatalf("Live() = %+v, %v", starts, err)
	}
	for _, want := range []string{"gw.q.out is 57: taken as 2", "route.dependents is not known: taken each way"} {
		if !slices.Contains(assumed, want) {
			t.Errorf("it does not say %q: %q", want, assumed)
		}
	}
	v = facts.UnknownVector()
	if _, _, err := model.Live(&v, model.DefaultBounds(), machine.BeginsServing); err == nil {
		t.Error("nothing is known, and it is taken for a world")
	}
}
