// Package dependents finds every setting of other gateways that names a gateway
// which is to go: forward hosts, hosts of domains, rerouted and dequeued
// domains, routing addresses of connected sites, networks that may connect or
// relay. It finds them by name, by address and by aliases of the address, as
// they are stored, as they are in effect, and as a gateway keeps them looked up
// until it starts again (Q285023). It says what each is to be instead
// (eleven-steps.2), and a [Mover] makes it so and takes it back.
//
// It holds no adapter and knows no DNS: gateways come as the contract, look-ups
// as a function. It refuses to guess: a host that could not be looked up is
// unknown, and a setting without a clear replacement is left to the operator.
package dependents

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/setting"
	"example.org/ims/pkg/gateway"
)

// Lookup finds the addresses of a host, with the port of mail. It answers with
// an error that wraps [ErrNoHost] when there is no such host or it has none.
type Lookup func(ctx context.Context, host string) ([]netip.AddrPort, error)

// ErrNoHost is that a name leads nowhere.
var ErrNoHost = errors.New("no such host")

// Target is a gateway as others may name it.
type Target struct {
	Name     string // in the configuration
	Hostname string
	Listen   string // address:port
	Site     string
}

// State says where a setting names the gateway.
type State string

// States of a finding. What is only in effect, or only kept, goes with a
// restart.
const (
	Stored    State = "stored"    // and in effect from the next start on
	Effective State = "effective" // until the service starts again
	Cached    State = "cached"    // the name was looked up, until the service starts again
)

// Site is the ID of a connected site's routing address.
const Site setting.ID = "site"

// Finding is one setting that names the gateway.
type Finding struct {
	Gateway string     `json:"gateway"`
	Setting setting.ID `json:"setting"`
	Key     string     `json:"key,omitempty"` // domain, or site
	Value   string     `json:"value"`
	State   State      `json:"state"`
	Why     string     `json:"why"` // how the value names the gateway
	// Since is when the setting was last stored, or came into effect; zero if
	// that is not known.
	Since time.Time `json:"since,omitzero"`
	Fix   string    `json:"fix"` // the command that changes it, or what to do
}

// String is a finding in a line.
func (f Finding) String() string {
	what := string(f.Setting)
	if f.Key != "" {
		what += " of " + f.Key
	}
	s := fmt.Sprintf("%s: %s is %s (%s)", f.Gateway, what, f.Value, f.Why)
	switch f.State {
	case Effective:
		return s + ", in effect until it is restarted"
	case Cached:
		return s + ", looked up and kept until it is restarted"
	case Stored:
	}
	return s
}

// Unsure is a setting of which it could not be found out whether it names the
// gateway.
type Unsure struct {
	Gateway string     `json:"gateway"`
	Setting setting.ID `json:"setting,omitempty"`
	Value   string     `json:"value,omitempty"`
	Why     string     `json:"why"`
}

func (u Unsure) String() string {
	if u.Value == "" {
		return fmt.Sprintf("%s: %s", u.Gateway, u.Why)
	}
	return fmt.Sprintf("%s: %s %s: %s", u.Gateway, u.Setting, u.Value, u.Why)
}

// Report is what was found. Without findings and without doubts nobody depends
// on the gateway.
type Report struct {
	Findings []Finding `json:"findings"`
	Unsure   []Unsure  `json:"unsure"`
}

// mention is one place of a configuration that names a host or a network.
type mention struct {
	setting setting.ID
	key     string
	value   string
	network bool
}

// mentions are the places of settings that name hosts and networks.
func mentions(s gateway.Settings) []mention {
	var list []mention
	if s.ForwardHost != "" {
		list = append(list, mention{setting: setting.ForwardHost, value: s.ForwardHost})
	}
	for id, t := range map[setting.ID]map[string]string{setting.DomainHosts: s.DomainHosts, setting.Reroute: s.Reroute, setting.ETRN: s.ETRN} {
		for d, host := range t {
			if host != "" && (id != setting.Reroute || host != gateway.Inbound) {
				list = append(list, mention{setting: id, key: d, value: host})
			}
		}
	}
	for id, nets := range map[setting.ID][]netip.Prefix{setting.Accept: setting.Admissions(s.Accept, false), setting.Relay: s.Relay} {
		for _, n := range nets {
			if n.IsSingleIP() {
				list = append(list, mention{setting: id, value: n.Addr().String(), network: true})
			}
		}
	}
	slices.SortFunc(list, func(a, b mention) int {
		return strings.Compare(string(a.setting)+" "+a.key+" "+a.value, string(b.setting)+" "+b.key+" "+b.value)
	})
	return list
}

// siteMentions are the routing addresses of connected sites.
func siteMentions(sites []gateway.Site) []mention {
	var list []mention
	for _, s := range sites {
		if s.RoutingAddress != "" {
			list = append(list, mention{setting: Site, key: s.Name, value: s.RoutingAddress})
		}
	}
	return list
}
