// Package dnstest starts name servers on loopback for tests: ours in process,
// and commands of an installed BIND. Production code never imports it.
package dnstest

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"example.org/ims/internal/dns/server"
	"example.org/ims/internal/dns/tsig"
)

// Secrets of the two keys.
const (
	updateSecret   = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	transferSecret = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
)

// UpdateKey may update and transfer.
func UpdateKey(t testing.TB) tsig.Key { return Key(t, "ims-update", updateSecret) }

// TransferKey may only transfer.
func TransferKey(t testing.TB) tsig.Key { return Key(t, "ims-xfer", transferSecret) }

// Key makes a key for HMAC-SHA256.
func Key(t testing.TB, name, secret string) tsig.Key {
	t.Helper()
	k, err := tsig.NewKey(name, "hmac-sha256", secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Grants are the rights of both keys.
func Grants(t testing.TB) []server.Grant {
	return []server.Grant{{Key: UpdateKey(t), Update: true, Transfer: true}, {Key: TransferKey(t), Transfer: true}}
}

// Zone is the text of example.test: a gateway, its successor, an alias, a
// delegation and a wildcard.
const Zone = `$ORIGIN example.test.
$TTL 300
@            IN SOA ns1 hostmaster 1 3600 600 86400 120
             IN NS  ns1
             IN NS  ns2
             IN MX  10 gw
ns1          IN A   127.0.0.1
ns2          IN A   127.0.0.1
gw           IN A   192.0.2.10
             IN AAAA 2001:db8::10
new          IN A   192.0.2.20
alias        IN CNAME gw
chain        IN CNAME alias
out          IN CNAME www.example.net.
text         IN TXT "v=spf1 mx -all"
a.b.c        IN A   192.0.2.30
child        IN NS  ns.child
ns.child     IN A   192.0.2.53
*.wild       IN MX  10 gw
`

// Start runs a server until the test ends.
func Start(t testing.TB, cfg server.Config) *server.Server {
	t.Helper()
	s, stop := StartStoppable(t, cfg)
	t.Cleanup(stop)
	return s
}

// StartStoppable runs a server until stop is called, which must be done.
func StartStoppable(t testing.TB, cfg server.Config) (s *server.Server, stop func()) {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return s, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run name server: %v", err)
		}
	}
}

// Primary runs a primary of example.test with Zone and Grants.
func Primary(t testing.TB) *server.Server {
	t.Helper()
	return Start(t, server.Config{Zone: "example.test.", Text: Zone, Keys: Grants(t)})
}

// Eventually polls ok until it is true; the test fails with what the last call
// said after far more than anything takes on a busy machine.
func Eventually(t testing.TB, what string, ok func() (bool, string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		done, why := ok()
		if done {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not in time: %s", what, why)
		}
	}
}

// Need finds an installed program. Without it the test is skipped, or fails if
// IMS_REQUIRE_SERVERS is 1.
func Need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	switch {
	case err == nil:
		return path
	case os.Getenv("IMS_REQUIRE_SERVERS") == "1":
		t.Fatalf("%s is required (IMS_REQUIRE_SERVERS=1): %v", program, err)
	}
	t.Skipf("%s is not installed: %v", program, err)
	return ""
}
