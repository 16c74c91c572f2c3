package verdict

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/machine"
)

func TestTallyCountsAQuestionOnce(t *testing.T) {
	var c Tally
	for _, one := range []struct {
		v     Check
		asked string
	}{{Pass, ""}, {Ask, "consent"}, {Ask, "consent"}, {Ask, "held"}, {Unknown, ""}, {Fail, ""}, {Pass, ""}, {"perhaps", ""}} {
		c.Add(one.v, one.asked)
	}
	if got, want := c.String(), "2 blockers, 2 questions, 1 unknown, 2 ok"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	var one Tally
	one.Add(Fail, "")
	one.Add(Ask, "x")
	if got, want := one.String(), "1 blocker, 1 question, 0 unknown, 0 ok"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTheGravestDecides(t *testing.T) {
	want := map[Check]Whole{Pass: Ready, Ask: Asks, Unknown: NotKnown, Fail: Blocked, "perhaps": Blocked}
	for i, a := range gravity {
		for j, b := range gravity {
			if got := Worse(a, b); got != gravity[max(i, j)] {
				t.Errorf("Worse(%s, %s) = %s", a, b, got)
			}
		}
		if Worse(a, "perhaps") != "perhaps" {
			t.Errorf("a word that is no verdict is milder than %s", a)
		}
	}
	for v, w := range want {
		if v.Whole() != w {
			t.Errorf("%s makes it %s, want %s", v, v.Whole(), w)
		}
	}
}

func TestQuestionOf(t *testing.T) {
	got := QuestionOf(&machine.StateDef{ID: "confirm", Approve: &machine.Approve{
		Ask: "Remove it?", From: []string{"anna"}, NotSelf: true, Expires: time.Hour, Choices: []machine.Choice{{Name: "granted"}},
	}})
	want := Question{State: "confirm", Ask: "Remove it?", Min: 1, From: []string{"anna"}, NotSelf: true, Expires: "1h0m0s", Choices: []string{"granted"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("question (-want +got):\n%s", diff)
	}
}
