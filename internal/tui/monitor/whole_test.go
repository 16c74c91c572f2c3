package monitor_test

import (
	"strings"
	"testing"

	"example.org/ims/internal/tui/monitor"
	"example.org/ims/pkg/gateway"
)

// long is a drain whose every sentence is longer than a line of 80 cells.
func long() monitor.Snapshot {
	s := last()
	s.Run.Missing[0].Why = "mail that is queued here is never rerouted, and whoever sent it is told nothing (Q263714)"
	s.Run.Action.What = "Is everything accounted for, and does nobody name the gateway any more, neither a printer nor a partner?"
	row := rows()[0]
	row.Last = "connect to mx.a-host-with-a-long-name.deadhost.example 192.0.2.25:25: connection refused by the other side"
	s.Summary = &gateway.Summary{Rows: []gateway.Destination{row}, Worst: []gateway.Destination{row}, Found: 1}
	return s
}

// flat is a screen in one line, so that a sentence can be found in it however it
// was wrapped.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// bare is a text without blanks, and without the marks at the end of the lines
// of a command: words that are wider than a line are broken.
func bare(text string) string { return strings.NewReplacer(" ", "", `\`, "").Replace(text) }

// TestNothingIsCut: at 80x24 the words that a decision depends on are there to
// their end: what is missing, what to do next, the verdict, when it will be
// empty, the account, and where MX leads.
func TestNothingIsCut(t *testing.T) {
	for _, name := range []string{"drain", "stalled", "question", "operator", "paused", "no-runner", "no-gateway", "held", "unknown-store", "gateway-only", "dry-run", "vetoes"} {
		said := false
		for l := range strings.Lines(screenText(screens[name](), 80, 24)) {
			switch first, _, _ := strings.Cut(l, " "); first {
			case "STORE", "late", "›":
				said = false
			case "ims", "verdict":
				said = true
			}
			if said && (strings.Contains(l, "…") || strings.Contains(l, ": g\n")) && !strings.Contains(l, "return…") {
				t.Errorf("%s is cut: %s", name, l)
			}
		}
	}
	s := long()
	got := flat(screenText(fold(options, s), 80, 24))
	for _, want := range []string{s.Run.Missing[0].Why, s.Summary.Rows[0].Last, "the last time-out of deadhost.example)"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q on\n%s", want, screenText(fold(options, s), 80, 24))
		}
	}
}

// TestDetails: whatever the size, what the overview has no room for is in the
// details, with the command that resolves it.
func TestDetails(t *testing.T) {
	s := long()
	for _, size := range [][2]int{{40, 12}, {80, 24}, {160, 48}} {
		m := fold(options, s)
		if foot := screenText(m, size[0], size[1]); !strings.Contains(foot, "g details") {
			t.Errorf("%v: the details are not offered:\n%s", size, foot)
		}
		keys(m, "g")
		var lines []string
		for range 100 { // a line of a long page at a time
			page := strings.Split(screenText(m, size[0], size[1]), "\n")
			lines = append(lines, page[3])
			keys(m, "down")
		}
		page := strings.Split(screenText(m, size[0], size[1]), "\n")
		got := flat(strings.Join(lines, " ") + " " + strings.Join(page[3:len(page)-1], " "))
		for _, want := range []string{
			s.Run.Missing[0].That, s.Run.Action.What, s.Summary.Rows[0].Last, "4203 acc", "ann, bob", "10.2.3.4",
			"ims queue retry gw-old --store out --dest deadhost.example --reason 'a host answers'",
		} {
			if !strings.Contains(bare(got), bare(want)) {
				t.Errorf("%v: no %q in\n%s", size, want, got)
			}
		}
	}
}

// TestChoices: of what can be chosen each is a command of its own, for a shell
// takes | for something else.
func TestChoices(t *testing.T) {
	m := fold(options, asking())
	keys(m, "g")
	got := screenText(m, 80, 24)
	for _, want := range []string{"ims approve gw-old-1 confirm --choice remove\n", "ims approve gw-old-1 confirm --choice wait\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(strings.Join(fold(options, asking()).Final(), "\n"), "|") {
		t.Error("what stays on the screen has a command that no shell takes")
	}
}
