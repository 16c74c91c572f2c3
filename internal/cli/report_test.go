package cli

import (
	"testing"

	"example.org/ims/internal/output"
	"example.org/ims/internal/report"
)

// TestWhatAReportSays: a check that fails shows in the exit code, and beats that
// nothing is known of messages.
func TestWhatAReportSays(t *testing.T) {
	check := func(what string, ok bool) report.Check { return report.Check{What: what, OK: ok} }
	for _, tt := range []struct {
		name      string
		checks    []report.Check
		untracked string
		want      output.Kind
	}{
		{"all hold", []report.Check{check(report.Law, true), check("page", true)}, "", output.Done},
		{"the page was changed", []report.Check{check(report.Law, true), check("page", false)}, "", output.Blocked},
		{"the law does not hold", []report.Check{check(report.Law, false), check("page", true)}, "", output.Blocked},
		{"no tracking log", []report.Check{check(report.Law, false), check("page", true)}, "nobody answers", output.Unknown},
		{"no tracking log, and another fails", []report.Check{check(report.Law, false), check("page", false)}, "nobody answers", output.Blocked},
	} {
		if got := output.KindOf(said(&report.Verdict{Checks: tt.checks}, tt.untracked)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
