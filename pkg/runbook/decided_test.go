package runbook_test

import (
	"os"
	"strings"
	"testing"

	"example.org/ims/pkg/runbook"
)

// TestDestructiveEffectsAreDecided: what cannot be undone follows an answer to a
// question of its own, and never a no.
func TestDestructiveEffectsAreDecided(t *testing.T) {
	source, err := os.ReadFile("../../runbooks/q285090.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const (
		yes       = "    then: {granted: remove}\n"
		ask       = `      ask: "Remove the gateway? This cannot be undone."`
		confirm   = `"confirm"`
		undecided = "can be reached without an approval"
		afterNo   = "can be reached although " + confirm + " was rejected or expired"
		same      = "does the same as"
	)
	for _, tt := range []struct {
		name, old, now, want string
	}{
		{"rejected", yes, "    then: {granted: remove, rejected: remove}\n", afterNo},
		{"expired", yes, "    then: {granted: remove, expired: remove}\n", afterNo},
		{"rejected, and on by another way", yes, "    then: {granted: remove, rejected: gone}\n", ""},
		{"a question that is always asked before it", "    then: {granted: remove}\n\n  remove:", "    then: {granted: remove, rejected: again}\n\n" +
			"  again:\n    because: a test\n    approve: {ask: \"Sure?\", min: 1, expires: 1h, shows: [gw]}\n    then: {granted: remove}\n\n  remove:", ""},
		{
			"a question that is not always asked", ask,
			"      when: [{that: \"gw.side.hold > 0\", why: a test, fix: none}]\n" + ask, undecided,
		},
		{"a wait between", "    then: {granted: remove}\n\n  remove:", "    then: {granted: still}\n\n" +
			"  still:\n    because: a test\n    wait: {until: [{that: \"gw.exists\", why: a test, fix: none}], timeout: 1h, stall: {none: a test}}\n    then: {ok: remove}\n\n  remove:", undecided},
		{"an assertion between", "    then: {granted: remove}\n\n  remove:", "    then: {granted: still}\n\n" +
			"  still:\n    because: a test\n    assert: [{that: \"gw.exists\", why: a test, fix: none}]\n    then: {ok: remove, fail: operator}\n\n  remove:", ""},
		{"two answers that do the same", ask, ask + "\n      choices:\n        go: {title: \"remove it\", to: remove}\n        stay: {title: \"do not remove it\", to: remove}", same},
		{"two answers that differ", ask, ask + "\n      choices:\n        go: {title: \"remove it\", to: remove}\n        stay: {title: \"watch on\", to: watch}", ""},
		{
			"a no to a question on the way back", "    then: {ok: gone, guard: watch}", "    then: {ok: gone, guard: mail_left}\n\n" +
				"  mail_left:\n    because: a test\n    approve: {when: [{that: \"gw.q.total > 0\", why: a test, fix: none}], ask: \"Sure?\", min: 1, expires: 1h, shows: [gw]}\n    then: {granted: remove}",
			`can be reached although "mail_left" was rejected or expired`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(string(source), tt.old, tt.now, 1)
			if text == string(source) {
				t.Fatalf("the runbook has no %q", tt.old)
			}
			_, mistakes := runbook.Load("q285090.yaml", []byte(text))
			switch {
			case tt.want == "" && len(mistakes) > 0:
				t.Errorf("mistakes: %v", mistakes)
			case tt.want != "" && (len(mistakes) != 1 || !strings.Contains(mistakes[0].Message, tt.want)):
				t.Errorf("mistakes: %v, want one that says %q", mistakes, tt.want)
			}
		})
	}
}

// TestARemovalBeginsWhereAllItBreaksIs: a proof that begins where nobody depends on
// the gateway is none of a removal.
func TestARemovalBeginsWhereAllItBreaksIs(t *testing.T) {
	source, err := os.ReadFile("../../runbooks/q285090.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for begins, wrong := range map[string]bool{"serving": false, "alone": false, "joining": true, "stopped": true} {
		text := strings.Replace(string(source), "\nstart: ready\n", "\nbegins: "+begins+"\nstart: ready\n", 1)
		_, mistakes := runbook.Load("q285090.yaml", []byte(text))
		if wrong != (len(mistakes) == 1) || wrong && !strings.Contains(mistakes[0].Message, "can end retired") {
			t.Errorf("begins %s: %v", begins, mistakes)
		}
	}
}
