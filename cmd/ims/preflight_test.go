package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// preflightReport is what the tests read of a report.
type preflightReport struct {
	Schema  string
	Verdict string
	Checks  []struct{ ID, Verdict, Reason, Fix, Provenance string }
	Later   []struct{ ID, Why string } `json:"not_judged_yet"`
}

// run runs a command through the wires and returns its exit code and output.
func (l *quietLab) run(t *testing.T, argv ...string) (int, []byte) {
	t.Helper()
	cmd := ims(t.Context(), t, append([]string{"--config", l.config}, argv...)...)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	err := cmd.Run()
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return 0, out.Bytes()
	case !ok:
		t.Fatal(err)
	}
	t.Logf("ims %s: %s", strings.Join(argv, " "), words.String())
	return exit.ExitCode(), out.Bytes()
}

// TestPreflightWritesNothing makes a preflight, and saves facts, of a lab
// through wires that record every byte, and compares the files before and
// after.
func TestPreflightWritesNothing(t *testing.T) {
	l := startLab(t)
	before := l.files(t)
	code, out := l.run(t, "preflight", "east", "-o", "json")
	var r preflightReport
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if code != 0 || r.Verdict != "ready" || r.Schema != "ims/preflight/v1" || len(r.Later) == 0 {
		t.Errorf("preflight exits %d with %+v", code, r)
	}
	judged := map[string]bool{}
	for _, c := range r.Checks {
		judged[c.ID] = true
		if c.Provenance != "live" || c.Reason == "" {
			t.Errorf("check %+v", c)
		}
	}
	for _, want := range []string{"move_mx.pre[0]", "cover.out.SMTP:*@branch", "cover.site.branch", "cover.in.branch.example.test.recipient", "cover.in.example.test.stranger", "cover.in.tls", "dependents.west"} {
		if !judged[want] {
			t.Errorf("%s is not judged", want)
		}
	}
	saved := filepath.Join(t.TempDir(), "facts.json")
	if code, out := l.run(t, "facts", "east", "--out", saved); code != 0 {
		t.Errorf("facts exits %d:\n%s", code, out)
	}
	if info, err := os.Stat(saved); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("saved facts: %v, %v; want them for their owner alone", info, err)
	}
	if after := l.files(t); !maps.Equal(before, after) {
		t.Errorf("looking changed files: before %v, after %v", before, after)
	}
	if wrong := l.wires.writes(); len(wrong) > 0 {
		t.Errorf("looking sent what could change something:\n%s", strings.Join(wrong, "\n"))
	}
	if seen := l.wires.kinds(); !seen["smtp"] || !seen["dns"] || !seen["control"] {
		t.Errorf("the wires saw only %v: they prove nothing", seen)
	}
	code, out = l.run(t, "preflight", "--facts", saved, "-o", "json")
	var offline preflightReport
	if err := json.Unmarshal(out, &offline); err != nil || code != 0 || len(offline.Checks) != len(r.Checks) {
		t.Errorf("offline it exits %d with %d checks, live with %d (%v)", code, len(offline.Checks), len(r.Checks), err)
	}
}

// runLab runs a lab without traffic until a script ends. Its configuration is
// $IMS_CONFIG from then on, and each address has a variable: `lab FOLDER` sets
// $EAST, $WEST, $DNS_PRIMARY and so on.
func runLab(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: lab FOLDER")
	}
	self, err := os.Executable()
	ts.Check(err)
	cmd := exec.Command(self)
	cmd.Args = []string{"ims", "lab", "run", "--idle", "--dir", ts.MkAbs(args[0]), "-o", "json"}
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			ts.Logf("end lab: %v", err)
		}
		if err := cmd.Wait(); err != nil {
			ts.Logf("lab: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		ts.Fatalf("the lab does not come up: %v", err)
	}
	var v labView
	ts.Check(json.Unmarshal(line, &v))
	ts.Check(os.WriteFile(ts.MkAbs(args[0])+".json", line, 0o600))
	ts.Setenv("IMS_CONFIG", v.Config)
	for _, p := range v.Processes {
		for _, port := range p.Ports {
			name, addr, _ := strings.Cut(port, "=")
			ts.Setenv(strings.ToUpper(strings.ReplaceAll(name, "-", "_")), addr)
		}
	}
}

// edit replaces text that must be there, in a file: `edit FILE OLD NEW`.
func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s has no %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, args[1], args[2])), 0o600))
}
