package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// tries types what a lab says that one may try, from top to bottom, and wants
// each command to end as it says: `tries lab.json`. A program that is not
// installed is left out, or fails if IMS_REQUIRE_SERVERS is 1.
func tries(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: tries FILE")
	}
	var v labView
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	exports := ""
	ran := 0
	for _, one := range v.Try {
		if strings.HasPrefix(one.Command, "export ") {
			exports += one.Command + "; "
			continue
		}
		if missing := notInstalled(one.Command); missing != "" {
			if os.Getenv("IMS_REQUIRE_SERVERS") == "1" {
				ts.Fatalf("%s is required", missing)
			}
			ts.Logf("left out, without %s: %s", missing, one.Command)
			continue
		}
		got := 0
		if err := ts.Exec("sh", "-c", exports+one.Command); err != nil {
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok {
				ts.Fatalf("run %s: %v", one.Command, err)
			}
			got = exit.ExitCode()
		}
		if said := ts.ReadFile("stdout") + ts.ReadFile("stderr"); got != one.Exit || !strings.Contains(said, one.Says) {
			ts.Fatalf("%s exits %d, and the lab promises %d and %q", one.Command, got, one.Exit, one.Says)
		}
		ran++
	}
	if exports == "" || ran < 10 {
		ts.Fatalf("a lab names %d commands to try, after %q", ran, exports)
	}
}

// notInstalled is the program of a command line that is not there.
func notInstalled(command string) string {
	for _, part := range strings.Split(command, " | ") {
		name, _, _ := strings.Cut(part, " ")
		if _, err := exec.LookPath(name); err != nil && name != "ims" {
			return name
		}
	}
	return ""
}
