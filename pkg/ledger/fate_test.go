package ledger_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"example.org/ims/pkg/ledger"
)

func TestFates(t *testing.T) {
	b := ledger.NewBook("east")
	b.Add(
		ledger.Event{Seq: 1, Gateway: "east", Kind: ledger.Accepted, Message: "m1", Rcpts: []string{"a", "b"}, Store: "out"},
		ledger.Event{Seq: 2, Gateway: "east", Kind: ledger.Delivered, Message: "m1", Rcpts: []string{"a"}},
		ledger.Event{Seq: 3, Gateway: "east", Kind: ledger.Failed, Message: "m1", Rcpts: []string{"b"}, Report: "r1", Reason: "550 no"},
		ledger.Event{Seq: 4, Gateway: "east", Kind: ledger.Generated, Message: "r1", Rcpts: []string{"s"}, Report: "m1", Store: "mts-in"},
		ledger.Event{Seq: 5, Gateway: "east", Kind: ledger.Accepted, Message: "m2", Rcpts: []string{"c"}, Store: "out"},
		ledger.Event{Seq: 6, Gateway: "west", Kind: ledger.Accepted, Message: "m3", Rcpts: []string{"c"}, Store: "out"},
	)
	item := func(m, r, s string) ledger.Item { return ledger.Item{Message: m, Rcpt: r, Store: s} }
	want := []ledger.Fate{
		{Item: item("m1", "a", "out"), End: "delivered", Seq: 2},
		{Item: item("m1", "b", "out"), End: "pending", Why: "550 no", Report: "r1", Seq: 3},
		{Item: item("m2", "c", "out"), End: "here", Seq: 5},
		{Item: item("r1", "s", "mts-in"), End: "here", Seq: 4},
	}
	if diff := cmp.Diff(want, b.Fates()); diff != "" {
		t.Errorf("fates (-want +got):\n%s", diff)
	}
	b.Add(ledger.Event{Seq: 7, Gateway: "east", Kind: ledger.Delivered, Message: "r1", Rcpts: []string{"s"}})
	if got := b.Fates()[1]; got.End != "returned" || got.Why != "550 no" {
		t.Errorf("once its report is delivered: %+v", got)
	}
}

// TestFatesAgreeWithTheLedger counts fates and compares with the account.
func TestFatesAgreeWithTheLedger(t *testing.T) {
	kinds := []ledger.Kind{ledger.Delivered, ledger.Absorbed, ledger.Deleted, ledger.Redirected, ledger.Failed}
	rapid.Check(t, func(t *rapid.T) {
		b := ledger.NewBook("g")
		var present []ledger.Item
		for i := range rapid.IntRange(0, 20).Draw(t, "messages") {
			id := string(rune('a' + i))
			b.Add(ledger.Event{Gateway: "g", Kind: ledger.Accepted, Message: id, Rcpts: []string{"x"}, Store: "out"})
			if !rapid.Bool().Draw(t, "ends") {
				present = append(present, ledger.Item{Message: id, Rcpt: "x", Store: "out"})
				continue
			}
			b.Add(ledger.Event{Gateway: "g", Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Message: id, Rcpts: []string{"x"}})
		}
		l := b.Ledger(present, b.Seq())
		n := map[string]int{}
		for _, f := range b.Fates() {
			n[f.End]++
		}
		if n["delivered"] != l.Delivered || n["returned"] != l.Returned || n["absorbed"] != l.Absorbed || n["deleted"] != l.Deleted ||
			n["redirected"] != l.Redirected || n["here"]+n["pending"] != l.Present {
			t.Fatalf("fates %v, ledger %+v", n, l)
		}
	})
}
