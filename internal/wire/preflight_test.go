package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/config"
	"example.org/ims/internal/mail/probe"
	"example.org/ims/internal/mail/routing"
	"example.org/ims/internal/preflight"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// picky is a listener that accepts recipients that begin with "known".
func picky(talks *int) func(context.Context, string) (net.Conn, error) {
	return func(context.Context, string) (net.Conn, error) {
		*talks++
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			fmt.Fprint(server, "220 west\r\n")
			for in := bufio.NewScanner(server); in.Scan(); {
				reply := "250 ok"
				switch line := in.Text(); {
				case strings.HasPrefix(line, "EHLO"):
					reply = "250-west\r\n250 SIZE 1000"
				case strings.HasPrefix(line, "RCPT") && !strings.Contains(line, "<known"):
					reply = "550 5.1.1 unknown"
				}
				fmt.Fprintf(server, "%s\r\n", reply)
			}
		}()
		return client, nil
	}
}

func TestAskHost(t *testing.T) {
	var list []preflight.Domain
	for i := range perTalk + 2 {
		name := fmt.Sprintf("d%d.test", i)
		list = append(list, preflight.Domain{Name: name, Rcpt: "known@" + name, Random: "x@" + name})
	}
	list[3].Rcpt = "former@d3.test"
	talks := 0
	h := preflight.Host{Name: "west.test", Address: "west:25"}
	askHost(t.Context(), &probe.Prober{Dial: picky(&talks)}, &h, list, func(d *preflight.Domain) *preflight.Answers { return &d.New })
	want := preflight.Host{Name: "west.test", Address: "west:25", SizeKnown: true, Size: 1000}
	if diff := cmp.Diff(want, h); diff != "" || talks != 2 {
		t.Errorf("%d conversations, want 2; host (-want +got):\n%s", talks, diff)
	}
	for i, d := range list {
		known := "accept"
		if i == 3 {
			known = "permanent"
		}
		if d.New.Known.Reply != known || d.New.Random.Reply != "permanent" || d.Old != (preflight.Answers{}) {
			t.Errorf("%s: %+v, want %s, permanent", d.Name, d.New, known)
		}
	}
}

func TestAskHostThatDoesNotAnswer(t *testing.T) {
	list := make([]preflight.Domain, 3*perTalk)
	calls := 0
	dead := &probe.Prober{Timeout: time.Minute, Dial: func(context.Context, string) (net.Conn, error) {
		calls++
		return nil, errors.New("no route to host")
	}}
	var h preflight.Host
	at := func(d *preflight.Domain) *preflight.Answers { return &d.Old }
	if askHost(t.Context(), dead, &h, list, at); !strings.Contains(h.Err, "no route to host") || calls != 1 || list[0].Old.Known.Reply != "" {
		t.Errorf("host %+v after %d attempts, answers %+v", h, calls, list[0].Old)
	}
	h = preflight.Host{}
	dead.Dial = func(context.Context, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
	if askHost(t.Context(), dead, &h, list, at); !h.Closed || h.Err != "" || list[14].Old.Random.Reply != "closed" {
		t.Errorf("host %+v, answers %+v", h, list[14].Old)
	}
}

// logged is a gateway with a tracking log.
type logged struct {
	gateway.Gateway
	events []ledger.Event
}

func (g logged) Track(_ context.Context, after uint64, _ int) ([]ledger.Event, error) {
	return g.events[after:], nil
}

func (logged) Present(context.Context) ([]ledger.Item, error) { return nil, nil }

func TestDomainsOfTheLog(t *testing.T) {
	l := newDomainList(newSite(&config.Config{Organization: config.Organization{Recipients: []string{"ann@a.test"}}}))
	l.at("a.test", fromConfiguration)
	in := func(seq uint64, g string, kind ledger.Kind, size int64, rcpts ...string) ledger.Event {
		return ledger.Event{Seq: seq, Gateway: g, Kind: kind, Inbound: true, Size: size, Rcpts: rcpts}
	}
	outward := in(5, "east", ledger.Accepted, 9000, "you@far.test")
	outward.Inbound = false
	err := l.log(t.Context(), logged{events: []ledger.Event{
		in(1, "east", ledger.Accepted, 100, "bob@A.test", "x@b.test"), in(2, "east", ledger.Accepted, 70, "y@b.test"),
		in(3, "east", ledger.Delivered, 5000, "x@b.test"), in(4, "west", ledger.Accepted, 6000, "x@c.test"), outward,
	}}, "east")
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Name, Rcpt, From  string
		Messages, Largest int64
	}
	var got []row
	for _, d := range l.sorted() {
		got = append(got, row{d.Name, d.Rcpt, strings.Join(d.From, ","), d.Messages, d.Largest})
		if !strings.HasSuffix(d.Random, "@"+d.Name) {
			t.Errorf("random recipient %q of %s", d.Random, d.Name)
		}
	}
	want := []row{{"a.test", "ann@a.test", "configuration,log", 1, 100}, {"b.test", "y@b.test", "log", 2, 100}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("domains (-want +got):\n%s", diff)
	}
	if err := l.log(t.Context(), told{}, "east"); err == nil {
		t.Error("a gateway without a log has one")
	}
	l.tables(gateway.Settings{
		Reroute: map[string]string{"alias.test": gateway.Inbound, "#old.test": "host.test", "a.test": "host.test"}, ETRN: map[string]string{"b.test": "", "dial.test": ""},
		DomainHosts: map[string]string{"*.slow.test": "relay.test", "below.alias.test": "relay.test", "dial.test": "other.test"},
	}, "east", "west")
	tables := map[string]string{
		"a.test": "configuration,log,reroute", "b.test": "etrn,log", "alias.test": "reroute compare", "old.test": "reroute compare", "below.alias.test": "domain-hosts",
		"dial.test": "domain-hosts,etrn outward", "slow.test": "domain-hosts outward",
	}
	goesOut := false
	for _, d := range l.sorted() {
		words := strings.Join(d.From, ",")
		if d.Fix != "" {
			words += " compare"
		}
		if d.Outward {
			words += " outward"
		}
		if words != tables[d.Name] || goesOut && !d.Outward {
			t.Errorf("%s is known from %q, want %q; those of outgoing mail are last", d.Name, words, tables[d.Name])
		}
		goesOut = d.Outward
		delete(tables, d.Name)
	}
	if len(tables) > 0 {
		t.Errorf("not listed: %v", tables)
	}
	l.at("*.wild.test", fromMX)
	for _, d := range l.found {
		if d.Name == "*.wild.test" && (!strings.HasSuffix(d.Random, "@ims-probe.wild.test") || d.Rcpt != "postmaster@ims-probe.wild.test") {
			t.Errorf("a wildcard is probed with %q and %q", d.Rcpt, d.Random)
		}
	}
}

// TestAskHostThatEndsTheConversation wants nothing believed of TLS from a
// listener that never came so far.
func TestAskHostThatEndsTheConversation(t *testing.T) {
	p := &probe.Prober{Dial: func(context.Context, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			fmt.Fprint(server, "521 5.7.1 access denied\r\n")
		}()
		return client, nil
	}}
	list := []preflight.Domain{{Name: "a.test", Rcpt: "ann@a.test", Random: "x@a.test"}}
	var h preflight.Host
	askHost(t.Context(), p, &h, list, func(d *preflight.Domain) *preflight.Answers { return &d.Old })
	if h.TLS.Offered || !strings.Contains(h.TLS.Err, "521 5.7.1 access denied") || list[0].Old.Known.Reply != "permanent" {
		t.Errorf("host %+v, answers %+v", h, list[0].Old)
	}
}

// TestCarry wants a successor that carries nothing started, not given the route
// that it has.
func TestCarry(t *testing.T) {
	const add = "ims route add west"
	at := func(running bool, mode gateway.Mode) told {
		set := gateway.Settings{Mode: mode}
		return told{config: gateway.Config{Name: "west", Exists: true, Running: running, Stored: set, Effective: set}}
	}
	for want, west := range map[string]told{
		"ims gateway start west --reason 'retire east'":                                 at(false, gateway.InboundOutbound),
		"ims gateway set west --mode inbound-outbound --restart --reason 'retire east'": at(true, gateway.None),
		"ims gateway show west": {err: errors.New("no answer")},
	} {
		o := &organization{name: "east", gateways: map[string]gateway.Gateway{"west": west}}
		if got := o.carry(t.Context(), routing.Coverage{Blackhole: "west"}, add); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if got := o.carry(t.Context(), routing.Coverage{}, add); got != add {
			t.Errorf("%q, want %q", got, add)
		}
	}
}
