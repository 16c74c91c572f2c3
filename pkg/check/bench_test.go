package check_test

import (
	"testing"

	"example.org/ims/pkg/check"
	"example.org/ims/pkg/model"
)

// BenchmarkCheck explores q285090 at the bounds of every commit, on one core,
// liveness included.
func BenchmarkCheck(b *testing.B) {
	book := shipped(b, "q285090")
	states := 0
	for b.Loop() {
		res, err := check.Run(b.Context(), book, check.Options{Bounds: model.CIBounds()})
		if err != nil {
			b.Fatal(err)
		}
		states += res.States
	}
	b.ReportMetric(float64(states)/b.Elapsed().Seconds(), "states/s")
	b.ReportMetric(check.Footprint(b.Context(), book, model.CIBounds()), "B/state")
}
