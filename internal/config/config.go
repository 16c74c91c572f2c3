// Package config reads ims.yaml into typed values: every mistake at once, each
// with file, line, column and the nearest valid word. It starts nothing, opens
// no connection, and reads no other file than the one it is given; of key files
// it looks at the permissions only. A configuration or a key file that others
// may write to is refused.
//
// Relative paths are relative to the file. What is left out gets the default
// that its field's comment names.
package config

import (
	"net/netip"
	"time"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/gateway"
)

// Config is a configuration without mistakes.
type Config struct {
	File         string // as it was given to Load
	StateDir     string // default "state"
	Organization Organization
	Gateways     []Gateway // in the order of the file
	Zones        []Zone
	Resolver     Resolver
	Retire       Retire
	People       []Person
	Waivers      []Waiver
	Notify       Notify
}

// Organization is what all gateways have in common, and the process that hosts
// the embedded ones.
type Organization struct {
	Domains []string // local at every site
	// Recipients are the known local addresses; none means that every one is.
	Recipients []string
	MailHost   string // host:port
	LMTP       bool   // the mail host speaks LMTP (RFC 2033)
	Sites      []Site // default: one, "main"
	// Replication and Recalculation are how long a routing change takes to
	// reach other sites, and to count. Default 0.
	Replication   time.Duration
	Recalculation time.Duration
	Handover      time.Duration // from mta to mts-out; default 0: the service's own
	Socket        string        // control socket; default "run/gateway.sock" in StateDir
	DataDir       string        // spool; default "mail" in StateDir
}

// Site is a group of users with its own copy of the routing table.
type Site struct {
	Name       string
	Submission string // address:port of the listener for its users; "" means none
	Locations  []string
	Domains    []string // that live here
}

// Gateway is one gateway as it is when it first starts; what was changed since
// is in its spool.
type Gateway struct {
	Name     string
	Adapter  string // "embedded", the default
	Site     string // default: the only site
	Location string
	Hostname string // the name that MX records use
	Listen   string // address:port of the Internet listener
	// Settings default to mode inbound-outbound, way to refuse rcpt, the retry
	// list .25, .5, 1 and 4 hours (Q146669), and time-outs of 24, 48, 72 and 48
	// hours, of which only the normal one is historical (Q184051). Everybody may
	// connect and nobody may relay: accept, reject and relay are lists of
	// networks, reroute and etrn tables of domains and hosts.
	Settings    gateway.Settings
	Spaces      []gateway.Space // type defaults to SMTP, cost to 1, scope to organization
	Sites       []gateway.Site  // cost defaults to 1
	ApplyLive   bool            // apply: live; default start: settings take effect at service start
	NonePicksUp bool            // the disputed reading of mode None
	KeepNames   bool            // hosts of the settings are looked up once a start, as historically (Q285023)
	Socket      string          // control socket; default the organization's
	// Addresses are those of its machine that the Internet connects to; default
	// that of Listen, unless it is unspecified.
	Addresses []netip.Addr
	Assumed   bool // Addresses are that of Listen, because none are named
	Drain     Drain
	Line      int // of the file
}

// Drain is what the machine of a gateway is called, and what its addresses are,
// while it sends out what it still holds after another machine has taken over
// its host name. A Name of "" means that there is none.
type Drain struct {
	Name      string
	Addresses []netip.Addr // default: those of the gateway
}

// Zone is a DNS zone in which MX records of mail domains live.
type Zone struct {
	Name        string
	Writer      string   // "rfc2136", the default
	Server      string   // address:port that takes updates; port 53 by default
	KeyFile     string   // of the TSIG key, as tsig-keygen writes it
	Authorities []string // address:port of every address of every name server; none means to find them
	Domains     []string // default: the zone itself
}

// Resolver says how names are looked up.
type Resolver struct {
	Servers []string // address:port; none means the system's
	// Hosts go before every look-up: host name → address:port.
	Hosts map[string]string
}

// Retire are the defaults of a retirement.
type Retire struct {
	Default    string // gateway; "" means the only one, if there is one
	Successor  string
	Runbook    string // the name of a shipped runbook, or an absolute path; default "q285090"
	Params     map[string]string
	Places     map[string]strictyaml.Pos // where each of Params stands
	ArchiveDir string                    // default "archive" in StateDir
}

// Person may use the sockets.
type Person struct {
	Name string
	User string // as it is written: a user name or a uid
	UID  uint32
	May  string // "view", "operate" or "approve"; each includes the ones before it
}

// Gateway finds a gateway by name.
func (c *Config) Gateway(name string) (Gateway, bool) {
	for _, g := range c.Gateways {
		if g.Name == name {
			return g, true
		}
	}
	return Gateway{}, false
}

// ZoneOf finds the zone that the MX records of a mail domain live in.
func (c *Config) ZoneOf(domain string) (Zone, bool) {
	for _, z := range c.Zones {
		for _, d := range z.Domains {
			if d == fold(domain) {
				return z, true
			}
		}
	}
	return Zone{}, false
}
