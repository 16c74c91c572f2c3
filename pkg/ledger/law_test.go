package ledger_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"example.org/ims/pkg/ledger"
)

// history is what happened to one message, in order, and what is left of it.
type history struct {
	events []ledger.Event
	held   []ledger.Item
	want   ledger.Ledger
	id     string
}

func (h *history) log(k ledger.Kind, message string, rcpts ...string) *ledger.Event {
	h.events = append(h.events, ledger.Event{Gateway: "G", Kind: k, Message: message, Rcpts: rcpts, Store: "out"})
	return &h.events[len(h.events)-1]
}

func (h *history) hold(message, rcpt string) {
	h.held = append(h.held, held(message, rcpt))
	h.want.Present++
}

// message draws the life of a message with up to three recipients.
func message(t *rapid.T, id string) *history {
	h := &history{id: id}
	rcpts := []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(t, "recipients")]
	h.log(ledger.Accepted, id, rcpts...)
	h.want.Accepted = len(rcpts)
	if rapid.Bool().Draw(t, "moves") {
		h.log(ledger.Moved, id, rcpts...)
	}
	for _, r := range rcpts {
		h.fate(t, r)
	}
	return h
}

func (h *history) fate(t *rapid.T, rcpt string) {
	for range rapid.IntRange(0, 2).Draw(t, "attempts") {
		h.log(ledger.Attempted, h.id, rcpt)
	}
	if rapid.Bool().Draw(t, "away and back") {
		h.log(ledger.Redirected, h.id, rcpt).Report = h.id
		h.log(ledger.Accepted, h.id, rcpt)
	}
	end := rapid.SampledFrom([]string{"present", "delivered", "absorbed", "silent", "deleted", "redirected", "failed"})
	switch end.Draw(t, "end") {
	case "failed":
		report := h.id + "-report-" + rcpt
		h.log(ledger.Failed, h.id, rcpt).Report = report
		h.log(ledger.Generated, report, "sender").Report = h.id
		h.want.Generated++
		h.report(t, report)
	case "present":
		h.hold(h.id, rcpt)
	case "delivered":
		h.log(ledger.Delivered, h.id, rcpt)
		h.want.Delivered++
	case "absorbed":
		h.log(ledger.Absorbed, h.id, rcpt)
		h.want.Absorbed++
	case "silent":
		h.log(ledger.Failed, h.id, rcpt)
		h.want.Absorbed++
	case "deleted":
		h.log(ledger.Deleted, h.id, rcpt)
		h.want.Deleted++
	case "redirected":
		h.log(ledger.Redirected, h.id, rcpt).Report = "elsewhere"
		h.want.Redirected++
	}
}

// report draws the end of a report, which decides that of its original too.
func (h *history) report(t *rapid.T, id string) {
	end := rapid.SampledFrom([]ledger.Kind{"", ledger.Delivered, ledger.Redirected, ledger.Deleted, ledger.Absorbed, ledger.Failed})
	switch k := end.Draw(t, "end of the report"); k {
	case "":
		h.hold(id, "sender")
		h.want.Present++
		h.want.Pending++
	case ledger.Delivered, ledger.Redirected:
		h.log(k, id, "sender")
		h.want.Returned++
		if k == ledger.Delivered {
			h.want.Delivered++
		} else {
			h.want.Redirected++
		}
	default:
		h.log(k, id, "sender")
		h.want.Absorbed++
		if k == ledger.Deleted {
			h.want.Deleted++
		} else {
			h.want.Absorbed++
		}
	}
}

// world draws messages and mixes their histories into one log.
func world(t *rapid.T) (log []ledger.Event, present []ledger.Item, want ledger.Ledger) {
	want.Gateway = "G"
	var open []*history
	for i := range rapid.IntRange(0, 6).Draw(t, "messages") {
		h := message(t, fmt.Sprintf("m%d", i))
		open = append(open, h)
		present = append(present, h.held...)
		want.Accepted += h.want.Accepted
		want.Generated += h.want.Generated
		want.Delivered += h.want.Delivered
		want.Returned += h.want.Returned
		want.Absorbed += h.want.Absorbed
		want.Deleted += h.want.Deleted
		want.Redirected += h.want.Redirected
		want.Present += h.want.Present
		want.Pending += h.want.Pending
	}
	for len(open) > 0 {
		i := rapid.IntRange(0, len(open)-1).Draw(t, "next")
		log = append(log, open[i].events[0])
		if open[i].events = open[i].events[1:]; len(open[i].events) == 0 {
			open = slices.Delete(open, i, i+1)
		}
		if rapid.IntRange(0, 9).Draw(t, "other gateway") == 0 {
			log = append(log, ledger.Event{Gateway: "H", Kind: ledger.Accepted, Message: "m0", Rcpts: []string{"a"}})
		}
	}
	for i := range log {
		log[i].Seq = uint64(i + 1)
	}
	want.Seq = uint64(len(log))
	return log, present, want
}

var onlyCounts = cmpopts.IgnoreFields(ledger.Ledger{}, "AbsorbedPairs")

func TestLegalHistoriesBalance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log, present, want := world(t)
		got := ledger.Compute(log, present, "G")
		if diff := cmp.Diff(want, got, onlyCounts); diff != "" {
			t.Fatalf("Compute() -want +got:\n%s", diff)
		}
		if err := got.Balance(); err != nil {
			t.Fatal(err)
		}
		if len(got.AbsorbedPairs) != got.Absorbed {
			t.Fatalf("%d absorbed pairs listed, %d counted", len(got.AbsorbedPairs), got.Absorbed)
		}
	})
}

func TestReadingInPiecesIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log, present, _ := world(t)
		b := ledger.NewBook("G")
		for from := 0; from < len(log); {
			to := rapid.IntRange(from+1, len(log)).Draw(t, "to")
			b.Add(log[max(0, from-1):to]...) // the last one again, as after a lost answer
			b.Ledger(present, b.Seq())       // asking changes nothing
			from = to
		}
		whole := ledger.Compute(log, present, "G")
		if diff := cmp.Diff(whole, b.Ledger(present, b.Seq())); diff != "" {
			t.Fatalf("-whole +pieces:\n%s", diff)
		}
		if len(b.Gaps()) > 0 {
			t.Fatalf("gaps %v", b.Gaps())
		}
	})
}

// accounting reports whether the loss of an event changes an account.
func accounting(e ledger.Event) bool {
	return e.Gateway == "G" && e.Kind != ledger.Moved && e.Kind != ledger.Attempted
}

func TestNothingCanBeLeftOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log, present, _ := world(t)
		for i, e := range log {
			b := ledger.NewBook("G")
			b.Add(slices.Concat(log[:i], log[i+1:])...)
			if i < len(log)-1 && len(b.Gaps()) == 0 {
				t.Fatalf("no gap without event %d", e.Seq)
			}
			if accounting(e) && b.Ledger(present, b.Seq()).Balance() == nil {
				t.Fatalf("balances without event %+v", e)
			}
		}
		for i, item := range present {
			without := slices.Concat(present[:i], present[i+1:])
			if ledger.Compute(log, without, "G").Balance() == nil {
				t.Fatalf("balances without %+v in the spool", item)
			}
			if ledger.Compute(log, append(present[:len(present):len(present)], item), "G").Balance() == nil {
				t.Fatalf("balances with %+v twice in the spool", item)
			}
		}
		extra := slices.Concat(present, []ledger.Item{held("ghost", "a")})
		if ledger.Compute(log, extra, "G").Balance() == nil {
			t.Fatal("balances with a ghost in the spool")
		}
	})
}
