// Package bindtest runs real BIND name servers on loopback for integration
// tests. Its tests hold our writer, watcher and server against BIND, which is
// the judge. They are skipped where named is not installed, unless
// IMS_REQUIRE_SERVERS is 1.
package bindtest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/dns/dnstest"
	"example.org/ims/internal/dns/msg"
)

// FreeAddr is a loopback address whose port is free for now over TCP and UDP.
func FreeAddr(t testing.TB) string {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := l.Addr().String()
		pc, err := net.ListenPacket("udp", addr)
		_ = l.Close()
		if err == nil {
			_ = pc.Close()
			return addr
		}
	}
	t.Fatal("no port is free over TCP and UDP")
	return ""
}

// Named starts a named that listens on addr, serves zones (statements of
// named.conf, in which DIR stands for its directory), and is stopped at the end
// of the test. It returns its directory once named answers for zone.
func Named(t testing.TB, addr, zones, zone string, files map[string]string) string {
	t.Helper()
	named := dnstest.Need(t, "named")
	dir := t.TempDir()
	_, port, _ := net.SplitHostPort(addr)
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	conf := dnstest.UpdateKey(t).File() + dnstest.TransferKey(t).File() + strings.ReplaceAll(fmt.Sprintf(`
options { directory "DIR"; pid-file "DIR/named.pid"; session-keyfile "DIR/session.key";
  managed-keys-directory "DIR"; key-directory "DIR"; lock-file none;
  listen-on port %s { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; dnssec-validation no; empty-zones-enable no;
  allow-transfer { none; }; notify explicit; notify-delay 0; notify-rate 200; startup-notify-rate 200; serial-query-rate 200;
  transfer-source 127.0.0.1; notify-source 127.0.0.1; query-source address 127.0.0.1; };
controls { };
%s`, port, zones), "DIR", dir)
	write(t, filepath.Join(dir, "named.conf"), conf)
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, named, "-g", "-n", "2", "-c", filepath.Join(dir, "named.conf"))
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatalf("start named: %v", err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // ended by our signal
		if t.Failed() {
			t.Logf("named on %s:\n%s", addr, log.String())
		}
	})
	dnstest.Eventually(t, "named on "+addr, func() (bool, string) {
		m, _, err := msg.Ask(ctx, msg.Query{Addr: addr, Name: zone, Type: "SOA", TCP: true, Timeout: 2 * time.Second})
		if err != nil {
			return false, err.Error()
		}
		return m.Authoritative && len(m.Answer) > 0, m.String()
	})
	return dir
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
