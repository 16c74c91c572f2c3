package lab

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
)

// The names of the lab. Everything lies under the reserved domain test
// (RFC 2606).
const (
	Domain   = "example.test"        // the organization
	Branch   = "branch.example.test" // a site that is reached through a gateway
	Retiring = "east"
	Heir     = "west"
	keyName  = "lab-update"
)

// Remote hosts, by the domain that each serves.
const (
	Fast   = "fast.test"
	Slow   = "slow.test"
	Defers = "defer.test"  // takes a message at the fourth attempt
	Refuse = "reject.test" // 550 for everybody
	Down   = "down.test"   // nobody listens there
)

var remoteDomains = []string{Fast, Slow, Defers, Refuse, Down}

// senderDomains are the domains of those who send from the Internet. Reports
// to them are delivered to one host.
var senderDomains = []string{
	"alpha.test", "beta.test", "gamma.test", "delta.test", "epsilon.test", "zeta.test",
	"eta.test", "theta.test", "iota.test", "kappa.test", "lambda.test", "mu.test",
}

// users have a mailbox. former has none any more, but the directory still
// knows the address: mail for it is accepted, and then reported on.
var (
	users  = []string{"ann", "bob", "carol", "dave", "erin", "frank"}
	former = "former@" + Domain
)

// Layout is where everything in a lab is. It is written to DIR/lab.json, from
// which each process of the lab reads its part.
type Layout struct {
	Dir      string            `json:"dir"`
	Ports    map[string]int    `json:"ports"`  // of each listener
	Hosts    map[string]string `json:"hosts"`  // host name to address:port
	Secret   string            `json:"secret"` // of the update key
	Traffic  Traffic           `json:"traffic"`
	Runbook  string            `json:"runbook"` // of the configuration
	Settings Settings          `json:"settings"`
}

// Settings compress the lab's times.
type Settings struct {
	TTL int `json:"ttl"` // of the MX, in seconds
}

// listeners are the names of the ports.
var listeners = []string{
	"east", "west", "submission", "mailhost", "dns-primary", "dns-secondary", "dns-internet", "dns-reverse",
	Fast, Slow, Defers, Refuse, Down, "reports", "bridgehead",
}

// ErrNotEmpty says that a lab's folder holds something already.
var ErrNotEmpty = errors.New("it is not empty")

// NewLayout chooses ports for a lab in dir, which must be empty or not exist.
// They are the lab's own until guard is closed.
func NewLayout(dir string, t Traffic) (l *Layout, guard io.Closer, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, nil, fmt.Errorf("make lab: %w", err)
	}
	if old, err := os.ReadDir(dir); err == nil && len(old) > 0 {
		return nil, nil, fmt.Errorf("make lab: folder %s: %w", dir, ErrNotEmpty)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("make lab: %w", err)
	}
	ports, guard, err := freePorts(listeners)
	if err != nil {
		return nil, nil, fmt.Errorf("make lab: %w", err)
	}
	ports[Heir] = ports[Retiring] // as on port 25: who takes over a host name is found at the same port
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails (Go 1.24)
	l = &Layout{Dir: dir, Ports: ports, Traffic: t, Settings: Settings{TTL: 3}, Secret: base64.StdEncoding.EncodeToString(secret)}
	l.Hosts = map[string]string{
		"east." + Domain: l.addr("east"), "west." + Domain: l.addr("west"), "mail." + Domain: l.addr("mailhost"),
		"mx.reports.test": l.addr("reports"), "bridgehead." + Domain: l.addr("bridgehead"),
		"ns1." + Domain: l.addr("dns-primary"), "ns2." + Domain: l.addr("dns-secondary"),
	}
	for _, d := range remoteDomains {
		l.Hosts["mx."+d] = l.addr(d)
	}
	return l, guard, nil
}

// machines are the addresses of the gateways' machines. The rest of the lab is
// at 127.0.0.1.
var machines = map[string]string{Retiring: "127.0.20.1", Heir: "127.0.20.2"}

// addr is the address and port of a listener.
func (l *Layout) addr(name string) string {
	return fmt.Sprintf("%s:%d", cmp.Or(machines[name], "127.0.0.1"), l.Ports[name])
}

// others are the hosts whose addresses and ports are not the DNS's affair: all
// but the gateways, which may change theirs.
func (l *Layout) others() map[string]string {
	hosts := maps.Clone(l.Hosts)
	for name := range machines {
		delete(hosts, name+"."+Domain)
	}
	return hosts
}

// Address is the address and port of a gateway.
func (l *Layout) Address(gateway string) string { return l.addr(gateway) }

// NameServers are the addresses of the zone's servers.
func (l *Layout) NameServers() []string {
	return []string{l.addr("dns-primary"), l.addr("dns-secondary")}
}

// Socket is the control socket of the gateways.
func (l *Layout) Socket() string { return l.path("state", "run", "gateway.sock") }

// path is a file or folder of the lab.
func (l *Layout) path(elem ...string) string {
	return filepath.Join(append([]string{l.Dir}, elem...)...)
}

// Config is the path of the lab's ims.yaml.
func (l *Layout) Config() string { return l.path("ims.yaml") }

func (l *Layout) save() error {
	b, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return fmt.Errorf("write layout: %w", err)
	}
	return os.WriteFile(l.path("lab.json"), append(b, '\n'), 0o600)
}

// Load reads the layout of the lab in dir.
func Load(dir string) (*Layout, error) {
	b, err := os.ReadFile(filepath.Join(dir, "lab.json"))
	if err != nil {
		return nil, fmt.Errorf("read layout: %w", err)
	}
	var l Layout
	if err := json.Unmarshal(b, &l); err != nil {
		return nil, fmt.Errorf("read layout: %w", err)
	}
	return &l, nil
}
