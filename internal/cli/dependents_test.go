package cli

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"example.org/ims/internal/config"
	"example.org/ims/internal/dependents"
	"example.org/ims/pkg/gateway"
)

// Dependents implements Organizations; no name can be looked up.
func (d desks) Dependents(c *config.Config, name, successor string) (*dependents.Mover, error) {
	m := &dependents.Mover{Gateways: map[string]gateway.Gateway{}, Look: func(context.Context, string) ([]netip.AddrPort, error) {
		return nil, context.DeadlineExceeded
	}}
	for _, g := range c.Gateways {
		t := dependents.Target{Name: g.Name, Hostname: g.Hostname, Listen: g.Listen}
		m.Gateways[g.Name] = d[g.Name]
		switch g.Name {
		case name:
			m.Target = t
		case successor:
			m.Next = &t
			m.Others = append(m.Others, t)
		}
	}
	return m, nil
}

func TestDependents(t *testing.T) {
	with := func(s gateway.Settings) *desk {
		return &desk{config: gateway.Config{Exists: true, Stored: s}}
	}
	for _, tt := range []struct {
		name  string
		west  *desk
		argv  string
		code  int
		lines []string
	}{
		{"nobody", with(gateway.Settings{ForwardHost: "192.0.2.1"}), "dependents east", 0, []string{"No setting of another gateway names east."}},
		{
			"itself through the gateway", with(gateway.Settings{ForwardHost: "east.example.test"}), "dependents east --to west", 2,
			[]string{"west     forward-host  -   east.example.test  stored  its name", "ims gateway set west --forward-host provider.test --restart --reason eleven-steps.2"},
		},
		{"without a successor", with(gateway.Settings{ForwardHost: "east.example.test"}), "dependents east", 2, []string{"decide: no gateway succeeds east"}},
		{"a name that cannot be looked up", with(gateway.Settings{ForwardHost: "smart.test"}), "dependents east", 6, []string{"unknown: west: forward-host smart.test: look up smart.test:"}},
		{"a gateway that cannot be read", &desk{readErr: gateway.ErrUnreachable}, "dependents east -o json", 6, []string{`"schema":"ims/dependents/v1","gateway":"east","successor":"","findings":[],"unsure":[{"gateway":"west"`}},
		{"nobody of that name", with(gateway.Settings{}), "dependents eats", 64, nil},
		{"its own successor", with(gateway.Settings{}), "dependents east --to east", 64, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, words := onDesk(t, with(gateway.Settings{ForwardHost: "provider.test"}), tt.west, strings.Fields(tt.argv)...)
			if code != tt.code {
				t.Errorf("exit %d, want %d; %s", code, tt.code, words)
			}
			for _, l := range tt.lines {
				if !strings.Contains(out, l) {
					t.Errorf("printed\n%s, want a line with %q", out, l)
				}
			}
		})
	}
}

func TestCompare(t *testing.T) {
	with := func(s gateway.Settings) *desk {
		return &desk{config: gateway.Config{Exists: true, Stored: s}}
	}
	old := gateway.Settings{ForwardHost: "provider.test", Relay: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for _, tt := range []struct {
		name  string
		west  *desk
		argv  string
		code  int
		lines []string
	}{
		{"transferred", with(old), "compare east west", 0, []string{"west has taken over every setting of east that is not waived."}},
		{"different", with(gateway.Settings{}), "compare east west", 2, []string{
			"may relay: without 10.0.0.0/8", "  ims gateway set west --relay 10.0.0.0/8 --restart --reason 'Q285090: as east has it'", "2 settings of east not transferred to west.",
		}},
		{"for a ticket", with(gateway.Settings{}), "compare east west -o markdown", 2, []string{
			"| may relay | 10.0.0.0/8 |  | different: without 10.0.0.0/8 |", "To transfer them:",
		}},
		{"for programs", with(gateway.Settings{}), "compare east west -o json", 2, []string{`"schema":"ims/compare/v1","old":"east","new":"west","lines":[{"id":"mode"`, `"differs":2}`}},
		{"cannot be read", &desk{readErr: gateway.ErrUnreachable}, "compare east west", 6, nil},
		{"removed", &desk{}, "compare east west", 6, nil},
		{"one gateway", with(old), "compare east", 64, nil},
		{"with itself", with(old), "compare east east", 64, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, words := onDesk(t, with(old), tt.west, strings.Fields(tt.argv)...)
			if code != tt.code {
				t.Errorf("exit %d, want %d; %s%s", code, tt.code, out, words)
			}
			for _, l := range tt.lines {
				if !strings.Contains(out, l) {
					t.Errorf("printed\n%s, want a line with %q", out, l)
				}
			}
		})
	}
}
