package service

import (
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// The transfer modes, cell by cell. Each row is one question; a fresh
// organization answers it in each mode. INF marks what no source says outright.
var matrix = []struct {
	row    string
	source string
	want   [4]string // inbound-outbound, inbound-only, outbound-only, none
	ask    func(w *world, m gateway.Mode) string
}{
	{
		"the listener takes a valid recipient",
		"eleven steps and page help; Q146326 for Outbound Only; release notes of 5.0, 3.2.7 for None; the 450 is ours",
		[4]string{"250", "250", "450 4.3.2", "450 4.3.2"},
		func(w *world, m gateway.Mode) string {
			w.mode("alpha", m)
			return code(w.inbound("alpha", "bob@corp.example"))
		},
	},
	{
		"an unknown recipient and a relay are refused",
		"while refusing, nothing is refused for good (ours)",
		[4]string{"550 5.1.1, 550 5.7.1", "550 5.1.1, 550 5.7.1", "450 4.3.2, 450 4.3.2", "450 4.3.2, 450 4.3.2"},
		func(w *world, m gateway.Mode) string {
			w.mode("alpha", m)
			return code(w.inbound("alpha", "nobody@corp.example")) + ", " + code(w.inbound("alpha", "joe@far.example"))
		},
	},
	{
		"the MTA routes here while an address space exists",
		"Q285090, Q238719",
		[4]string{"1", "1", "1", "1"},
		func(w *world, m gateway.Mode) string {
			w.mode("alpha", m)
			w.submit("hq", "ann@corp.example", "joe@far.example")
			pass(time.Minute)
			c, _ := w.gw("alpha").Census(w.t.Context())
			return strings.Repeat("1", int(c.Routed))
		},
	},
	{
		"mts-out is picked up",
		"Q285090, Q238719 for Inbound Only; Q189587 for None",
		[4]string{"delivered", "mts-out:1", "delivered", "mts-out:1"},
		func(w *world, m gateway.Mode) string {
			w.mode("alpha", m)
			w.submit("hq", "ann@corp.example", "joe@far.example")
			pass(time.Minute)
			return w.fate("alpha", w.far)
		},
	},
	{
		"what was converted is delivered",
		"page help, release notes of 5.0, 3.2.7; not built: Q146298 (None keeps it, 4.0), Q295749 (Inbound Only tries)",
		[4]string{"delivered", "out:1", "delivered", "delivered"},
		func(w *world, m gateway.Mode) string {
			up := w.down("far.example")
			w.submit("hq", "ann@corp.example", "joe@far.example")
			pass(time.Minute)
			w.mode("alpha", m)
			up()
			pass(hour)
			return w.fate("alpha", w.far)
		},
	},
	{
		"what waits for conversion inward is delivered",
		"Q189587, release notes of 5.0, 3.2.7; INF for Outbound Only: it was accepted",
		[4]string{"delivered", "delivered", "delivered", "delivered"},
		func(w *world, m gateway.Mode) string {
			w.mode("alpha", m)
			w.putIn("alpha")
			pass(time.Minute)
			return w.fate("alpha", w.mail)
		},
	},
	{
		"what waits for the mail host is delivered",
		"as above",
		[4]string{"delivered", "delivered", "delivered", "delivered"},
		func(w *world, m gateway.Mode) string {
			up := w.down("mail.corp.example")
			w.inbound("alpha", "bob@corp.example")
			pass(time.Minute)
			w.mode("alpha", m)
			up()
			pass(hour)
			return w.fate("alpha", w.mail)
		},
	},
	{
		"out expires, and the sender is told",
		"release notes of 5.0, 3.2.7; INF for Inbound Only: nothing is tried, so nothing expires",
		[4]string{"told", "out:1", "told", "told"},
		func(w *world, m gateway.Mode) string {
			w.down("far.example")
			w.submit("hq", "ann@corp.example", "joe@far.example")
			pass(time.Minute)
			w.mode("alpha", m)
			pass(100 * hour)
			return w.told()
		},
	},
	{
		"mts-out never expires",
		"Q285090: no time-out, no report, ever",
		[4]string{"told", "mts-out:1", "told", "mts-out:1"},
		func(w *world, m gateway.Mode) string {
			w.down("far.example")
			w.mode("alpha", m)
			w.submit("hq", "ann@corp.example", "joe@far.example")
			pass(1000 * hour)
			return w.told()
		},
	},
	{
		"a report on inbound mail leaves",
		"Q266205: trapped in the gateway's own mts-out; INF for Outbound Only and None",
		[4]string{"delivered", "mts-out:1", "delivered", "mts-out:1"},
		func(w *world, m gateway.Mode) string {
			w.mail.say(say450)
			w.inbound("alpha", "bob@corp.example")
			pass(time.Minute)
			w.mode("alpha", m)
			w.spaces("alpha")
			w.mail.say(say550)
			pass(hour)
			return w.fate("alpha", w.far)
		},
	},
}

func TestModeMatrix(t *testing.T) {
	for _, row := range matrix {
		for m := gateway.InboundOutbound; m <= gateway.None; m++ {
			t.Run(row.row+"/"+m.String(), func(t *testing.T) {
				play(t, nil, func(t *testing.T, w *world) {
					if got := row.ask(w, m); got != row.want[m] {
						t.Errorf("%s in mode %s: %q, want %q (%s)", row.row, m, got, row.want[m], row.source)
					}
				})
			})
		}
	}
}

// TestNonePicksUp is the other reading of mode None, as an option.
func TestNonePicksUp(t *testing.T) {
	play(t, func(c *Config) { c.Gateways[0].NonePicksUp = true }, func(t *testing.T, w *world) {
		w.mode("alpha", gateway.None)
		w.submit("hq", "ann@corp.example", "joe@far.example")
		pass(time.Minute)
		if got := w.fate("alpha", w.far); got != "delivered" {
			t.Errorf("mail for a gateway in mode None that picks up: %s", got)
		}
	})
}

// code is a reply without its words.
func code(reply string) string {
	f := strings.Fields(reply)
	if f[0] == "250" {
		return f[0]
	}
	return f[0] + " " + f[1]
}

// fate says that a host took mail, or where it is.
func (w *world) fate(gw string, h *host) string {
	w.t.Helper()
	if n := len(h.letters()); n > 0 {
		return strings.TrimSpace(strings.Repeat("delivered ", n) + w.stores(gw))
	}
	return w.stores(gw)
}

// told says that the sender got a report, or where the mail is.
func (w *world) told() string {
	w.t.Helper()
	for _, l := range w.mail.letters() {
		if l.from == "" && strings.Contains(l.data, "report-type=delivery-status") {
			return strings.TrimSpace("told " + w.stores("alpha"))
		}
	}
	return w.stores("alpha")
}

// putIn puts a message into the in store, as a session that ended just before
// the service did would have.
func (w *world) putIn(gw string) {
	w.t.Helper()
	d := w.o.spool.Begin()
	if _, err := d.Write([]byte(text)); err != nil {
		w.t.Fatal(err)
	}
	now := time.Now()
	e := mail.Entry{
		ID: mail.NewID(now), Message: d.Body, Gateway: gw, Store: gateway.In, Inbound: true, From: "zoe@far.example",
		Rcpts: []mail.Rcpt{{Addr: "bob@corp.example"}}, Accepted: now, Since: now,
	}
	var tx spool.Tx
	tx.Accept(d)
	tx.Put(e)
	tx.Track(event(&e, ledger.Accepted, addresses(e.Rcpts)))
	if err := w.o.spool.Commit(&tx); err != nil {
		w.t.Fatal(err)
	}
	w.run(gw, gateway.Restarted)
}
