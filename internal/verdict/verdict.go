// Package verdict is the vocabulary that a preflight and a dry run share: what
// becomes of a check, what all checks together come to, and how they are
// counted, so that both say the same of the same gateway.
//
// A check that does not hold blocks, and must be mended or waived; unless the
// runbook puts it to people: then it is a question, which needs somebody's
// answer, and keeps no run from being opened. This package knows no fact and no
// condition, and decides nothing: it only counts.
package verdict

import (
	"fmt"
	"slices"

	"example.org/ims/pkg/machine"
)

// Check is the verdict on one check.
type Check string

// Verdicts on one check, mildest first.
const (
	Pass    Check = "pass"
	Unknown Check = "unknown" // it could not be observed
	Ask     Check = "ask"     // it does not hold, and the run asks people about it
	Fail    Check = "fail"
)

// gravity: a guard that needs somebody's consent fails, and any fail beats any
// unknown.
var gravity = []Check{Pass, Unknown, Ask, Fail}

// Worse returns the graver of two verdicts. A word that is none is the gravest.
func Worse(a, b Check) Check {
	if b.Gravity() > a.Gravity() {
		return b
	}
	return a
}

// Gravity is greater, the graver a verdict is.
func (v Check) Gravity() int {
	if i := slices.Index(gravity, v); i >= 0 {
		return i
	}
	return len(gravity)
}

// Word announces a check.
func (v Check) Word() string {
	switch v {
	case Pass:
		return "ok"
	case Ask:
		return "QUESTION"
	case Unknown:
		return "UNKNOWN"
	case Fail:
	}
	return "BLOCKER"
}

// Whole is the verdict on all checks together.
type Whole string

// Verdicts on all checks, mildest first: nothing stands in the way; something
// could not be observed; people must answer; something must be mended or waived.
const (
	Ready    Whole = "ready"
	NotKnown Whole = "unknown"
	Asks     Whole = "asks"
	Blocked  Whole = "blocked"
)

// Whole is what the gravest check makes of all.
func (v Check) Whole() Whole {
	switch v {
	case Pass:
		return Ready
	case Ask:
		return Asks
	case Unknown:
		return NotKnown
	case Fail:
	}
	return Blocked
}

// Tally counts checks. Its zero value is empty.
type Tally struct {
	Blockers  int `json:"blockers"`
	Questions int `json:"questions"` // several checks may be behind one
	Unknown   int `json:"unknown"`
	OK        int `json:"ok"`

	asked map[string]bool
}

// Add counts a check; asked is the state whose question it is behind, for
// verdict Ask.
func (t *Tally) Add(v Check, asked string) {
	switch v {
	case Pass:
		t.OK++
	case Ask:
		if t.asked == nil {
			t.asked = map[string]bool{}
		}
		if !t.asked[asked] {
			t.asked[asked] = true
			t.Questions++
		}
	case Unknown:
		t.Unknown++
	default:
		t.Blockers++
	}
}

// Any reports whether anything was counted.
func (t Tally) Any() bool { return t.Blockers+t.Questions+t.Unknown+t.OK > 0 }

func (t Tally) String() string {
	return fmt.Sprintf("%s, %s, %d unknown, %d ok", count(t.Blockers, "blocker"), count(t.Questions, "question"), t.Unknown, t.OK)
}

func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// Question is what people are asked in a state of a runbook.
type Question struct {
	State   string   `json:"state"`
	Ask     string   `json:"ask"`
	Min     int      `json:"min"` // how many must agree
	From    []string `json:"from,omitempty"`
	NotSelf bool     `json:"not_self,omitempty"` // not whoever opened the run
	Expires string   `json:"expires"`
	Choices []string `json:"choices"`
}

// QuestionOf is the question of a state of kind approve.
func QuestionOf(st *machine.StateDef) Question {
	a := st.Approve
	q := Question{
		State: st.ID, Ask: a.Ask, Min: max(int(a.Min), 1), From: a.From, NotSelf: a.NotSelf, Expires: a.Expires.String(),
		Choices: []string{},
	}
	for _, c := range a.Choices {
		q.Choices = append(q.Choices, c.Name)
	}
	return q
}
