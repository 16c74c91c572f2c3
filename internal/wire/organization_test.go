package wire

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/config"
	"example.org/ims/internal/dns/resolve"
	"example.org/ims/internal/mail/control"
	"example.org/ims/internal/mail/delivery"
)

func TestServiceConfigHostsItsOwnGatewaysOnly(t *testing.T) {
	c := &config.Config{
		Organization: config.Organization{Domains: []string{"example.test"}, Socket: "/run/a.sock", Sites: []config.Site{{Name: "hq", Submission: "127.0.0.1:1"}}},
		Gateways:     []config.Gateway{{Name: "east", Socket: "/run/a.sock"}, {Name: "west", Socket: "/run/b.sock"}},
	}
	got := serviceConfig(c)
	if len(got.Gateways) != 1 || got.Gateways[0].Name != "east" {
		t.Errorf("gateways = %+v, want east alone: west has another socket", got.Gateways)
	}
	if len(got.Sites) != 1 || got.Sites[0].Submission != "127.0.0.1:1" {
		t.Errorf("sites = %+v", got.Sites)
	}
}

func TestPeople(t *testing.T) {
	got, err := peopleOf([]config.Person{{Name: "anna", UID: 7, May: "approve"}, {Name: "op", UID: 8, May: "view"}})
	want := control.People{7: {Name: "anna", May: control.Approve}, 8: {Name: "op", May: control.View}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("people differ (-want +got), %v:\n%s", err, diff)
	}
	if _, err := peopleOf([]config.Person{{Name: "anna", May: "nothing"}}); err == nil {
		t.Error("a right that does not exist is accepted")
	}
}

func TestSystemServers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	tests := []struct {
		text string
		want []string
	}{
		{"# made by hand\nsearch example.test\nnameserver 192.0.2.1\nnameserver\t2001:db8::1 \nnameserver fe80::1%eth0\nnameserver here\n", []string{"192.0.2.1", "2001:db8::1"}},
		{"options edns0\n", []string{"127.0.0.1"}},
	}
	for _, tt := range tests {
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := systemServers(file)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("systemServers(%q): %v (-want +got):\n%s", tt.text, err, diff)
		}
		if _, err := resolve.New(resolve.Config{Servers: got}); err != nil {
			t.Errorf("resolve.New(%q) = %v", got, err)
		}
	}
	if got, err := systemServers(filepath.Join(t.TempDir(), "absent")); err != nil || len(got) != 1 {
		t.Errorf("without a file: %v, %v; want the server on this machine", got, err)
	}
}

func TestNextHopsTellFinalFromTemporary(t *testing.T) {
	for _, tt := range []struct{ in, want error }{
		{resolve.ErrNoSuchDomain, delivery.ErrNoSuchDomain},
		{resolve.ErrNullMX, delivery.ErrNullMX},
	} {
		if _, err := targets(nil, tt.in); !errors.Is(err, tt.want) {
			t.Errorf("targets(%v) = %v, want %v", tt.in, err, tt.want)
		}
	}
	_, err := targets(nil, context.DeadlineExceeded)
	if errors.Is(err, delivery.ErrNoSuchDomain) || errors.Is(err, delivery.ErrNullMX) || err == nil {
		t.Errorf("a time-out gives %v, want a temporary error", err)
	}
	got, err := targets([]resolve.Target{{Host: "mx.test", Addr: "192.0.2.1:25", Pref: 10}}, nil)
	if diff := cmp.Diff([]delivery.Target{{Host: "mx.test", Addr: "192.0.2.1:25", Pref: 10}}, got); diff != "" || err != nil {
		t.Errorf("targets differ, %v:\n%s", err, diff)
	}
}
