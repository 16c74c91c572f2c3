package wire

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/cli"
	"example.org/ims/internal/preflight"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/verdict"
)

// keyFile is a key as tsig-keygen writes it. The secrets are of dnstest.
func keyFile(name, secret string) string {
	return fmt.Sprintf("key \"%s\" {\n\talgorithm hmac-sha256;\n\tsecret \"%s\";\n};\n", name, secret)
}

// TestProbe asks the primaries whether they would make the changes of each
// runbook: nothing changes, and a key that may not is found out now.
func TestProbe(t *testing.T) {
	o := newTown(t, false)
	o.cfg.Retire.Params = nil // they are not of every runbook
	file := o.cfg.Zones[0].KeyFile
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	look := func(book string) (*preflight.Snapshot, *preflight.Report) {
		s, b, err := observations{}.Observe(t.Context(), o.cfg, cli.Look{Request: runner.Request{Runbook: book}, Probe: true})
		if err != nil {
			t.Fatal(err)
		}
		rep, err := preflight.Make(preflight.Input{Snapshot: s, Book: b, Made: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		return s, rep
	}
	before, err := o.writer.Read(t.Context(), "example.test", "SOA")
	if err != nil {
		t.Fatal(err)
	}
	for book, want := range map[string]int{"q285090": 1, "eleven-steps": 1, "last-gateway": 2, "maintenance": 1, "rescue": 0} {
		s, _ := look(book)
		asked := 0
		for _, u := range s.Updates {
			if u.Verdict != preflight.Pass {
				t.Errorf("%s: %+v", book, u)
			}
			if !strings.Contains(u.Why, "nothing was asked") {
				asked++
			}
		}
		if asked < want {
			t.Errorf("%s: %d updates were asked about, want %d: %+v", book, asked, want, s.Updates)
		}
	}
	after, err := o.writer.Read(t.Context(), "example.test", "SOA")
	if err != nil || !before.Equal(after) {
		t.Errorf("asking made %s of %s, %v", after, before, err)
	}
	server := o.cfg.Zones[0].Server
	for _, tt := range []struct {
		name, key, server string
		want              verdict.Check
		words             string
	}{
		{"a key that may only transfer", keyFile("ims-xfer", "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="), server, preflight.Fail, "denied"},
		{"another secret", keyFile("ims-update", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), server, preflight.Fail, "bad signature"},
		{"an unknown key", keyFile("nobody", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), server, preflight.Fail, "bad key"},
		{"a dead server", string(good), free(t), preflight.Unknown, "not asked"},
	} {
		if err := os.WriteFile(file, []byte(tt.key), 0o600); err != nil {
			t.Fatal(err)
		}
		o.cfg.Zones[0].Server = tt.server
		_, rep := look("q285090")
		found := false
		for i := range rep.Checks {
			c := &rep.Checks[i]
			if !strings.HasPrefix(c.ID, "dns.update.") {
				continue
			}
			found = true
			if c.Verdict != tt.want || !strings.Contains(c.Reason, tt.words) || c.Fix == "" {
				t.Errorf("%s: %s is %s: %s; fix %q", tt.name, c.ID, c.Verdict, c.Reason, c.Fix)
			}
		}
		if !found {
			t.Errorf("%s: no check of an update", tt.name)
		}
	}
}

// TestNoProbe: without being asked for, no update is sent, and it is said what
// was not asked.
func TestNoProbe(t *testing.T) {
	o := newTown(t, false)
	o.cfg.Retire.Params = nil
	rep := o.preflight(runner.Request{Runbook: "q285090"})
	for i := range rep.Checks {
		if strings.HasPrefix(rep.Checks[i].ID, "dns.update.") {
			t.Errorf("%s was asked", rep.Checks[i].ID)
		}
	}
	if !slices.ContainsFunc(rep.Later, func(l preflight.Later) bool { return l.ID == "dns.update" && strings.Contains(l.Why, "--probe") }) {
		t.Errorf("what is not judged yet does not say what was not asked: %+v", rep.Later)
	}
}
