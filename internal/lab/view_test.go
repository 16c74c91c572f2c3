package lab

import (
	"os"
	"strings"
	"testing"
)

// TestWhatIsToBeTriedIsTried: every run that a lab says one may try is dry-run,
// word for word, in a lab by a script.
func TestWhatIsToBeTriedIsTried(t *testing.T) {
	script, err := os.ReadFile("../../testdata/script/lab-tries.txtar")
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, line := range (&Layout{Dir: "lab"}).try() {
		if !strings.HasPrefix(line, "ims retire ") {
			continue
		}
		tried++
		if want := "exits 0 " + strings.TrimSuffix(line, " --dry-run") + " --dry-run\n"; !strings.Contains(string(script), want) {
			t.Errorf("the script does not have %q", want)
		}
	}
	if tried < 4 {
		t.Errorf("a lab names %d runs to try", tried)
	}
}
