package tui

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/mail/routing"
	"example.org/ims/internal/tui/feed"
	"example.org/ims/internal/tui/monitor"
	"example.org/ims/pkg/gateway"
)

// notes is a run that is told things.
type notes struct {
	Teller
	said []string
}

func (n *notes) Note(_ context.Context, _, text string) error {
	n.said = append(n.said, text)
	return nil
}

// TestActOnARowThatMoves: what came after the row was counted is not meant, and
// what left is not missed; the run's journal says which mail it was.
func TestActOnARowThatMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org := mem.New(mem.Options{Domains: []string{"org.example"}, Sites: []routing.Site{{Name: "HQ"}}},
			mem.Spec{Name: "east", Site: "HQ", Spaces: []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1}}})
		org.OnHandover(func(mem.Handover) mem.Answer { return mem.Answer{Code: 450, Text: "later"} })
		east := org.Gateway("east")
		waits := func() []gateway.Item {
			items, err := east.List(t.Context(), gateway.Selection{Dest: "slow.example"})
			if err != nil {
				t.Fatal(err)
			}
			return items
		}
		send := func() {
			org.Send(mem.Mail{From: "u@org.example", Rcpts: []string{"x@slow.example"}})
			for range 20 {
				org.Tick()
			}
		}
		send()
		send()
		time.Sleep(time.Second) // of a bubble
		counted := time.Now()
		time.Sleep(time.Second)
		send()
		before := waits()
		if len(before) != 3 {
			t.Fatalf("%d wait, want 3", len(before))
		}
		store := before[0].Store
		run := &notes{}
		sh := &shell{ctx: t.Context(), o: Options{Feed: feed.Options{Run: "east-1", Gateway: east}, Teller: run}}
		// Three were counted, of which one left since.
		got := sh.act(monitor.Act{
			Verb: gateway.Delete, Selection: gateway.Selection{Store: &store, Dest: "slow.example", Limit: 3}, By: counted,
			About: "for slow.example in " + store.String(), Reason: "gone",
		})
		if d, ok := got.(monitor.Done); !ok || d.Err != "" || d.Text != "2 messages deleted" {
			t.Errorf("%+v, want 2 messages", got)
		}
		if left := waits(); len(left) != 1 || !left[0].Accepted.After(counted) {
			t.Errorf("%+v are left, want the one that came later", left)
		}
		want := "2 messages for slow.example in " + store.String() + " deleted: gone"
		if said := strings.Join(run.said, "|"); said != want {
			t.Errorf("the journal says %q, want %q", said, want)
		}
	})
}
