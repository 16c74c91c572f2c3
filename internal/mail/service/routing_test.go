package service

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/gateway"
)

// The misconceptions that Q285090 and Q263714 warn of, each as it really is.

func TestStoppedGatewayStillAttractsMail(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.run("alpha", gateway.Stopped)
		w.submit("hq", "ann@corp.example", "joe@far.example")
		pass(90 * 24 * hour)
		if got := w.stores("alpha"); got != "mts-out:1" {
			t.Errorf("stores of a gateway stopped for 90 days: %q, want mts-out:1", got)
		}
		if n := len(w.mail.letters()) + len(w.far.letters()); n != 0 {
			t.Errorf("%d messages went somewhere: nobody is told, nothing is rerouted", n)
		}
		w.run("alpha", gateway.Started)
		pass(time.Minute)
		if got := w.fate("alpha", w.far); got != "delivered" {
			t.Errorf("after the start: %q", got)
		}
	})
}

func TestQueuedMailIsNotRerouted(t *testing.T) {
	for _, m := range []gateway.Mode{gateway.InboundOnly, gateway.None} {
		t.Run(m.String(), func(t *testing.T) {
			play(t, nil, func(t *testing.T, w *world) {
				w.mode("alpha", m)
				old := w.submit("hq", "ann@corp.example", "joe@far.example")
				pass(time.Minute)
				w.spaces("alpha")
				fresh := w.submit("hq", "ann@corp.example", "sue@far.example")
				pass(30 * 24 * hour)
				if got := w.stores("alpha"); got != "mts-out:1" {
					t.Errorf("stores of alpha: %q, want the old message to stay", got)
				}
				if got := w.ends(old); !cmp.Equal(got, []string{" delivered joe@far.example"}) {
					t.Errorf("old message: %q", got)
				}
				if got := w.ends(fresh); !cmp.Equal(got, []string{" delivered sue@far.example", "beta delivered sue@far.example"}) {
					t.Errorf("new message: %q", got)
				}
			})
		})
	}
}

func TestOldMailIsReleasedAtOnce(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.mode("alpha", gateway.InboundOnly)
		for i := range 20 {
			w.submit("hq", "ann@corp.example", fmt.Sprintf("u%d@far.example", i))
			pass(10 * hour)
		}
		w.mode("alpha", gateway.InboundOutbound)
		pass(time.Minute)
		if n := len(w.far.letters()); n != 20 {
			t.Errorf("%d messages, however old, went out when the mode was changed back, want 20", n)
		}
	})
}

func TestRecipientsAreSplit(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.spaces("beta", smtpSpace("*@away.example", 50)) // quality before cost (Q229961)
		w.down("far.example")
		w.down("away.example")
		id := w.submit("hq", "ann@corp.example", "a@far.example", "b@far.example", "c@away.example", "bob@corp.example")
		pass(time.Minute)
		if a, b := w.stores("alpha"), w.stores("beta"); a != "out:1" || b != "out:1" {
			t.Errorf("alpha %q, beta %q, want one entry each", a, b)
		}
		items, err := w.gw("alpha").List(t.Context(), gateway.Selection{ID: id})
		if err != nil || len(items) != 1 || !cmp.Equal(items[0].Rcpts, []string{"a@far.example", "b@far.example"}) {
			t.Errorf("entry of alpha: %+v, %v", items, err)
		}
		if got := w.mail.rcpts(); !cmp.Equal(got, map[string]int{"bob@corp.example": 1}) {
			t.Errorf("mail host got %v", got)
		}
	})
}

func TestOneEntryADestination(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.down("far.example")
		w.down("away.example")
		w.submit("hq", "ann@corp.example", "a@far.example", "b@FAR.example", "c@away.example")
		pass(time.Minute)
		if got := w.stores("alpha"); got != "out:2" {
			t.Errorf("stores: %q, want two entries for two destinations", got)
		}
	})
}

func TestEqualCostSharesLoad(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.spaces("beta", smtpSpace("*", 1))
		for i := range 10 { // two recipients of one message go one way
			w.submit("hq", "ann@corp.example", fmt.Sprintf("a%d@far.example", i), fmt.Sprintf("b%d@away.example", i))
		}
		pass(time.Minute)
		for _, name := range []string{"alpha", "beta"} {
			if c, _ := w.gw(name).Census(t.Context()); c.Routed != 5 {
				t.Errorf("%s got %d messages, want 5", name, c.Routed)
			}
		}
		got, err := w.gw("alpha").Route(t.Context(), "hq", "x@far.example", 8)
		if want := map[string]int{"alpha": 4, "beta": 4}; err != nil || !cmp.Equal(got, want) {
			t.Errorf("Route() = %v, %v, want %v", got, err, want)
		}
	})
}

func TestScopes(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		tower := gateway.Space{Type: "SMTP", Pattern: "*", Cost: 1, Scope: gateway.ScopeLocation}
		w.spaces("alpha", tower) // alpha stands in no location: it serves nobody of the tower
		if got, err := w.o.Route(t.Context(), "hq", "x@far.example", 1); err != nil || got["beta"] != 1 {
			t.Errorf("Route() = %v, %v, want beta", got, err)
		}
		tower.Scope = gateway.ScopeSite
		w.spaces("alpha", tower)
		for site, want := range map[string]string{"hq": "alpha", "branch": "beta", "hq/cellar": "alpha"} {
			if got, err := w.o.Route(t.Context(), site, "x@far.example", 1); err != nil || got[want] != 1 {
				t.Errorf("Route(%s) = %v, %v, want %s", site, got, err, want)
			}
		}
		if _, err := w.o.Route(t.Context(), "nowhere", "x@far.example", 1); err == nil {
			t.Error("a route from an unknown site")
		}
	})
}

// TestReplicationLag removes alpha's space at its own site; users elsewhere go
// on being routed by their site's old copy, over a restart of the process too.
func TestReplicationLag(t *testing.T) {
	play(t, func(c *Config) { c.Replication = 15 * time.Minute }, func(t *testing.T, w *world) {
		w.spaces("alpha")
		current := func() (list []bool) {
			tables, err := w.gw("alpha").Tables(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, tb := range tables {
				list = append(list, tb.Current)
			}
			return list
		}
		step := func(when, want string) {
			t.Helper()
			hq := w.submit("hq", "ann@corp.example", "joe@far.example")
			branch := w.submit("branch", "bob@corp.example", "joe@far.example")
			pass(time.Second)
			by := func(id string) string { return strings.Fields(w.ends(id)[1])[0] }
			if got := fmt.Sprint(by(hq), " ", by(branch), " ", current()); got != want {
				t.Errorf("%s: hq, branch routed to %s, want %s", when, got, want)
			}
		}
		step("at once", "beta alpha [true false]")
		pass(5 * time.Minute)
		w.reopen()
		step("after a restart", "beta alpha [true false]")
		pass(11 * time.Minute)
		step("after replication", "beta beta [true true]")
		w.reopen()
		step("after another restart", "beta beta [true true]")
	})
}

// TestConnectedSite sends to users of a site that is reached through alpha's
// connected-site entry, by way of beta, never by the address space.
func TestConnectedSite(t *testing.T) {
	change := func(c *Config) {
		c.Sites[1].Domains = []string{"branch.example"}
		c.Recipients = nil
	}
	play(t, change, func(t *testing.T, w *world) {
		w.net.mx["beta.corp.example"] = w.net.mx["far.example"] // far stands in for beta's listener
		id := w.submit("hq", "ann@corp.example", "kim@branch.example")
		pass(time.Second)
		if got := w.ends(id); !cmp.Equal(got, []string{" failed kim@branch.example"}) {
			t.Errorf("without a connected site: %q", got)
		}
		w.apply("alpha", gateway.Want{Sites: &[]gateway.Site{{Name: "branch", Cost: 1, RoutingAddress: "beta.corp.example"}}})
		w.submit("hq", "ann@corp.example", "kim@branch.example")
		pass(time.Second)
		if got := w.far.rcpts(); got["kim@branch.example"] != 1 {
			t.Errorf("next hop took %v", got)
		}
		w.submit("branch", "bob@corp.example", "kim@branch.example")
		pass(time.Second)
		if got := w.mail.rcpts(); got["kim@branch.example"] != 1 {
			t.Errorf("mail host took %v, want the message that was local at its site", got)
		}
	})
}

// TestNoRoute is the MTA's own report (Q148985).
func TestNoRoute(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.spaces("alpha")
		w.spaces("beta", smtpSpace("*@away.example", 1))
		id := w.submit("hq", "ann@corp.example", "joe@far.example", "sue@away.example")
		pass(time.Minute)
		if got := w.ends(id); !cmp.Equal(got, []string{" delivered sue@away.example", " failed joe@far.example", "beta delivered sue@away.example"}) {
			t.Errorf("log: %q", got)
		}
		l := w.mail.letters()
		if len(l) != 1 || l[0].from != "" || !strings.Contains(l[0].data, "Status: 5.4.4\r\n") || !strings.Contains(l[0].data, "rfc822; joe@far.example") {
			t.Errorf("mail host took %+v, want a report with status 5.4.4", l)
		}
		w.submit("hq", "", "joe@far.example")
		w.submit("hq", "someone@else.example", "joe@far.example") // its report has no route either
		pass(time.Minute)
		if n := len(w.mail.letters()); n != 1 {
			t.Errorf("mail host took %d messages, want no report on a report", n)
		}
	})
}
