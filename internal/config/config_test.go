package config

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.org/ims/internal/notify"
	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/gateway"
)

// mode is a file of which only the permissions count.
type mode struct {
	fs.FileInfo
	perm fs.FileMode
}

func (m mode) Mode() fs.FileMode { return m.perm }

// fake is a machine where files named open… may be written to by others, files
// named gone… are not there, and anna is the only user, 1000.
var fake = system{
	stat: func(path string) (fs.FileInfo, error) {
		switch base := filepath.Base(path); {
		case strings.HasPrefix(base, "open"):
			return mode{perm: 0o664}, nil
		case strings.HasPrefix(base, "gone"):
			return nil, &fs.PathError{Op: "stat", Path: path, Err: fs.ErrNotExist}
		}
		return mode{perm: 0o640}, nil
	},
	uid: func(user string) (uint32, error) {
		if user != "anna" {
			return 0, errors.New("unknown user")
		}
		return 1000, nil
	},
}

func read(t *testing.T, name string) (*Config, error) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return parse(name, "/etc/ims", data, fake)
}

func TestFull(t *testing.T) {
	got, err := read(t, "full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(full, got, cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{})); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	if z, ok := got.ZoneOf("Branch.example.test."); !ok || z.Name != "example.test" {
		t.Errorf("ZoneOf(branch) = %+v, %v", z, ok)
	}
	if _, ok := got.ZoneOf("elsewhere.test"); ok {
		t.Error("ZoneOf(elsewhere) finds a zone")
	}
	if g, ok := got.Gateway("west"); !ok || g.Hostname != "west.example.test" {
		t.Errorf("Gateway(west) = %+v, %v", g, ok)
	}
	if _, ok := got.Gateway("north"); ok {
		t.Error("Gateway(north) finds a gateway")
	}
}

var full = &Config{
	File: "full.yaml", StateDir: "/etc/ims/state",
	Organization: Organization{
		Domains: []string{"example.test"}, Recipients: []string{"anna@example.test", "bob@branch.example.test"},
		MailHost: "127.0.0.1:2600", LMTP: true, Replication: 2 * time.Second, Recalculation: time.Second,
		Sites: []Site{
			{Name: "HQ", Submission: "127.0.0.1:2587", Locations: []string{"B1", "B2"}},
			{Name: "Branch", Submission: "127.0.0.1:2588", Domains: []string{"branch.example.test"}},
		},
		Socket: "/etc/ims/state/run/gateway.sock", DataDir: "/etc/ims/state/mail",
	},
	Gateways: []Gateway{
		{
			Name: "east", Adapter: "embedded", Site: "HQ", Location: "B1", Hostname: "east.example.test",
			Listen: "127.0.0.1:2525", Socket: "/etc/ims/state/run/gateway.sock", ApplyLive: true, NonePicksUp: true, KeepNames: true,
			Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")},
			Drain:     Drain{"drain-east.example.test", []netip.Addr{netip.MustParseAddr("192.0.2.9")}}, Line: 15,
			Settings: gateway.Settings{
				Refuse: gateway.RefuseConnect, Retry: []time.Duration{15 * time.Minute, 90 * time.Second, 0},
				Timeouts:    gateway.Timeouts{Urgent: 24 * time.Hour, Normal: 48 * time.Hour, NonUrgent: 72 * time.Hour, Report: 12 * time.Hour},
				DomainHosts: map[string]string{"slow.test": "127.0.0.1:2700"}, MaxSize: 10 << 20, MaxInbound: 20, MaxOutbound: 10,
				Accept: []gateway.Admission{
					{Net: netip.MustParsePrefix("192.0.2.7/32")},
					{Net: netip.MustParsePrefix("192.0.2.0/24"), Reject: true},
					{Net: netip.MustParsePrefix("::/0"), Reject: true},
				},
				Relay:   []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
				Reroute: map[string]string{"alias.test": "inbound", "#old.test": "host.test", "branch.test": "[::1]:2525"},
				ETRN:    map[string]string{"dial.test": "host.test", "slow.test": ""},
			},
			Spaces: []gateway.Space{
				{Type: "SMTP", Pattern: "*", Cost: 10},
				{Type: "SMTP", Pattern: "*@partner.test", Cost: 1, Scope: gateway.ScopeSite},
			},
			Sites: []gateway.Site{{Name: "Branch", Cost: 5, RoutingAddress: "west.example.test"}},
		},
		{
			Name: "west", Adapter: "embedded", Site: "Branch", Hostname: "west.example.test",
			Listen: "127.0.0.1:2526", Socket: "/run/ims/west.sock", Line: 43, Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Assumed: true,
			Settings: gateway.Settings{
				Retry:       []time.Duration{}, // none, and not the default
				Timeouts:    gateway.Timeouts{Urgent: 24 * time.Hour, Normal: 48 * time.Hour, NonUrgent: 72 * time.Hour, Report: 48 * time.Hour},
				ForwardHost: "smart.test",
			},
		},
	},
	Zones: []Zone{{
		Name: "example.test", Writer: "rfc2136", Server: "127.0.0.1:5300", KeyFile: "/etc/ims/keys/update.key",
		Authorities: []string{"127.0.0.1:53", "[::1]:5301"}, Domains: []string{"example.test", "branch.example.test"},
	}},
	Resolver: Resolver{Servers: []string{"127.0.0.1:5300"}, Hosts: map[string]string{"east.example.test": "127.0.0.1:2525"}},
	Retire: Retire{
		Default: "east", Successor: "west", Runbook: "eleven-steps",
		Params:     map[string]string{"floor": "2s", "min": "3"},
		Places:     map[string]strictyaml.Pos{"floor": {File: "full.yaml", Line: 63, Col: 19}, "min": {File: "full.yaml", Line: 63, Col: 28}},
		ArchiveDir: "/etc/ims/state/archive",
	},
	People: []Person{{"anna", "anna", 1000, "approve"}, {"op", "1001", 1001, "operate"}},
	Notify: Notify{Digest: 12 * time.Hour, Targets: []notify.Target{
		{Name: "pager", Exec: []string{"/usr/bin/page", "{{.Kind}}"}, On: []notify.Kind{notify.Approval, notify.Stalled}, Text: "{{.Run}}: {{.Text}}"},
		{Name: "chat", Webhook: "https://chat.example.test/hook"},
		{Name: "ops", Mail: "ops@elsewhere.test", Via: "mx.elsewhere.test:25", From: "ims@example.test"},
	}},
}

func TestMinimal(t *testing.T) {
	got, err := read(t, "minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		File: "minimal.yaml", StateDir: "/etc/ims/state",
		Organization: Organization{
			Domains: []string{"example.test"}, MailHost: "mail.example.test:25", Sites: []Site{{Name: "main"}},
			Socket: "/etc/ims/state/run/gateway.sock", DataDir: "/etc/ims/state/mail",
		},
		Gateways: []Gateway{{
			Name: "east", Adapter: "embedded", Site: "main", Hostname: "east.example.test", Listen: "0.0.0.0:25", Line: 5,
			Socket: "/etc/ims/state/run/gateway.sock",
			Settings: gateway.Settings{
				Retry:    []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 4 * time.Hour},
				Timeouts: gateway.Timeouts{Urgent: 24 * time.Hour, Normal: 48 * time.Hour, NonUrgent: 72 * time.Hour, Report: 48 * time.Hour},
			},
		}},
		Retire: Retire{Runbook: "q285090", ArchiveDir: "/etc/ims/state/archive"},
		Notify: Notify{Digest: 24 * time.Hour},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

// TestMistakes compares with golden files; UPDATE=1 writes them.
func TestMistakes(t *testing.T) {
	for _, name := range []string{"mistakes", "nothing", "scalar", "incomplete", "lists", "notify", "names"} {
		t.Run(name, func(t *testing.T) {
			c, err := read(t, name+".yaml")
			if c != nil || !errors.As(err, new(strictyaml.Mistakes)) {
				t.Fatalf("parse() = %v, %v, want mistakes", c, err)
			}
			golden := filepath.Join("testdata", name+".want")
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(golden)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if diff := cmp.Diff(string(want), err.Error()+"\n"); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ims.yaml")
	data, err := os.ReadFile("testdata/minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := Load(path); err != nil || c.StateDir != filepath.Join(dir, "state") {
		t.Errorf("Load() = %+v, %v", c, err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.HasPrefix(err.Error(), path+":1:1: ") || !strings.HasSuffix(err.Error(), "chmod go-w "+path) {
		t.Errorf("Load() of a file that others may write to = %v", err)
	}
	if _, err := Load(filepath.Join(dir, "gone.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load() of no file = %v", err)
	}
}

func TestLongSocket(t *testing.T) {
	data := []byte(`apiVersion: ims/v1
kind: Config
state_dir: /` + strings.Repeat("x", 100) + `
organization: {domains: [example.test], mailhost: "mail.example.test:25"}
gateways: {east: {hostname: east.example.test, listen: "0.0.0.0:25"}}
`)
	if _, err := parse("f", "/", data, fake); err == nil || !strings.Contains(err.Error(), "at most 107 fit") {
		t.Errorf("parse() = %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"full.yaml", "minimal.yaml", "mistakes.yaml", "scalar.yaml", "incomplete.yaml"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parse("f", "/", data, fake)
		if (c == nil) == (err == nil) {
			t.Fatalf("parse() = %v, %v, want a configuration or mistakes", c, err)
		}
		var all strictyaml.Mistakes
		if errors.As(err, &all) {
			for _, m := range all {
				if m.Pos.Line < 1 || m.Pos.Col < 1 || m.Rule == "" || m.Message == "" {
					t.Fatalf("mistake without place or words: %+v", m)
				}
			}
		}
	})
}
