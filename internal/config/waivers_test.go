package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLoadWaivers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ims.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`apiVersion: ims/v1
kind: Config
zones:
  example.test: {key_file: absent.key}
people:
  nobody-here: {user: nobody-here, may: view}
waivers:
  - {id: cover.in.tls, reason: renewed next week, by: anna, expires: 2027-01-31}
  - {id: dependents.west, reason: "its host is retired too", by: anna, expires: "2027-01-31T12:00:00+01:00"}
`)
	got, err := LoadWaivers(file)
	want := []Waiver{
		{ID: "cover.in.tls", Reason: "renewed next week", By: "anna", Expires: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), Line: 8},
		{ID: "dependents.west", Reason: "its host is retired too", By: "anna", Expires: time.Date(2027, 1, 31, 11, 0, 0, 0, time.UTC), Line: 9},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("waivers (-want +got), %v:\n%s", err, diff)
	}
	write("waivers:\n  - {id: a, reason: b, by: c, expires: soon}\n  - {id: a, reason: b, expires: 2027-01-31}\n  - {check: a}\n")
	_, err = LoadWaivers(file)
	if err == nil {
		t.Fatal("mistakes in waivers are accepted")
	}
	for _, part := range []string{`wants a date such as 2027-01-31`, `check "a" is waived twice`, "waivers.by is missing", "waivers.reason is missing", `"check"`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error lacks %q:\n%v", part, err)
		}
	}
	if err := os.Chmod(file, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadWaivers(file); err == nil || !strings.Contains(err.Error(), "chmod go-w") {
		t.Errorf("a file that others may write to: %v", err)
	}
}

// TestAWaiverIsForOneDirection pairs waivers of settings, and asks for which pair
// each counts.
func TestAWaiverIsForOneDirection(t *testing.T) {
	setting, check := Waiver{ID: "compare:retry"}, Waiver{ID: "cover.in.tls"}
	named := Waiver{ID: "compare:retry", Gateway: "north"}
	for _, tt := range []struct {
		name            string
		w               Waiver
		def, next       string // of retire
		east, west, all bool   // counts for east -> west, west -> east, north -> west
	}{
		{"a setting, for the pair of retire", setting, "east", "west", true, false, false},
		{"a setting, for any successor", setting, "east", "", true, false, false},
		{"a setting of nobody", setting, "", "", false, false, false},
		{"a setting of a successor alone", setting, "", "west", false, false, false},
		{"a setting of another gateway", named, "east", "west", false, false, true},
		{"a check", check, "east", "west", true, true, true},
		{"a check of one gateway", Waiver{ID: "cover.in.tls", Gateway: "east"}, "", "", true, false, false},
		{"a check of one successor", Waiver{ID: "cover.in.tls", Successor: "west"}, "", "", true, false, true},
	} {
		w := paired([]Waiver{tt.w}, tt.def, tt.next)[0]
		got := [3]bool{w.Aside("east", "west") == "", w.Aside("west", "east") == "", w.Aside("north", "west") == ""}
		if want := [3]bool{tt.east, tt.west, tt.all}; got != want {
			t.Errorf("%s: counts for %v, want %v", tt.name, got, want)
		}
	}
}
