package server_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.org/ims/internal/dns/dnstest"
	"example.org/ims/internal/dns/server"
)

// keyFile writes the update key for dig and nsupdate.
func keyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "update.key")
	if err := os.WriteFile(path, []byte(dnstest.UpdateKey(t).File()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, stdin, program string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestDig(t *testing.T) {
	dig := dnstest.Need(t, "dig")
	s := dnstest.Primary(t)
	host, port, _ := net.SplitHostPort(s.Addr())
	at := []string{"@" + host, "-p", port, "+tries=1", "+time=5"}
	for _, c := range []struct {
		name string
		args []string
		want []string
	}{
		{"udp", []string{"+norec", "example.test", "MX"}, []string{"status: NOERROR", "flags: qr aa;", "example.test.\t\t300\tIN\tMX\t10 gw.example.test."}},
		{"tcp", []string{"+norec", "+tcp", "nope.example.test", "MX"}, []string{"status: NXDOMAIN", "AUTHORITY: 1"}},
		{"signed query", []string{"-k", keyFile(t), "+norec", "example.test", "SOA"}, []string{"status: NOERROR", "TSIG PSEUDOSECTION"}},
		{"signed transfer", []string{"-k", keyFile(t), "example.test", "AXFR"}, []string{"XFR size:", "gw.example.test.\t300\tIN\tAAAA"}},
		{"unsigned transfer", []string{"example.test", "AXFR"}, []string{"Transfer failed"}},
		{"recursion", []string{"www.example.net", "A"}, []string{"status: REFUSED"}},
	} {
		out, err := run(t, "", dig, append(at[:len(at):len(at)], c.args...)...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, w := range c.want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: want %q in\n%s", c.name, w, out)
			}
		}
		if strings.Contains(out, "Couldn't verify") || strings.Contains(out, "malformed") {
			t.Errorf("%s: dig complains:\n%s", c.name, out)
		}
	}
}

func TestNsupdate(t *testing.T) {
	nsupdate := dnstest.Need(t, "nsupdate")
	s := dnstest.Start(t, server.Config{Zone: "example.test.", Text: dnstest.Zone, Keys: dnstest.Grants(t)})
	host, port, _ := net.SplitHostPort(s.Addr())
	head := "server " + host + " " + port + "\nzone example.test.\n"
	swap := head + "prereq yxrrset example.test. IN MX 10 gw.example.test.\nupdate delete example.test. MX\nupdate add example.test. 300 MX 10 new.example.test.\nsend\n"
	for _, c := range []struct {
		name, script string
		args         []string
		fail         string
		serial       uint32
	}{
		{"unsigned", swap, nil, "REFUSED", 1},
		{"over UDP", swap, []string{"-k", keyFile(t)}, "", 2},
		{"again: the prerequisite is false", swap, []string{"-k", keyFile(t)}, "NXRRSET", 2},
		{"over TCP", head + "update add x.example.test. 60 TXT \"a b\"\nsend\n", []string{"-v", "-k", keyFile(t)}, "", 3},
		{"other zone", "server " + host + " " + port + "\nzone other.test.\nupdate add other.test. 60 TXT x\nsend\n", []string{"-k", keyFile(t)}, "NOTAUTH", 3},
	} {
		out, err := run(t, c.script, nsupdate, c.args...)
		if (err != nil) != (c.fail != "") || !strings.Contains(out, c.fail) || s.Serial() != c.serial {
			t.Errorf("%s: %v, serial %d\n%s", c.name, err, s.Serial(), out)
		}
	}
	if got := texts(ask(t, s.Addr(), "example.test", "MX", false).Answer); len(got) != 1 || !strings.HasSuffix(got[0], "10 new.example.test.") {
		t.Errorf("zone holds %v", got)
	}
}
