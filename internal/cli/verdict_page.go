package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"example.org/ims/internal/output"
	"example.org/ims/internal/verdict"
)

// kindOfWhole is how a command ends whose checks come to a verdict. What a run
// would ask people about stands in its way like what it would not: a guard fails.
func kindOfWhole(v verdict.Whole) output.Kind {
	switch v {
	case verdict.Ready:
		return output.Done
	case verdict.NotKnown:
		return output.Unknown
	case verdict.Asks, verdict.Blocked:
	}
	return output.Blocked
}

// verdictLine is the line under the title of a preflight and of a plan.
func verdictLine(page *output.Page, v verdict.Whole, counts string) {
	page.Line("Verdict: %s   %s   (exit %d)", strings.ToUpper(string(v)), counts, kindOfWhole(v).Code())
}

// approvalsPage names what a run asks whatever it finds, under the verdict: that
// line counts the questions that were raised by what was found.
func approvalsPage(page *output.Page, all []standing, questions int, names []string) {
	if len(names) > 0 {
		prose(page, "", approvalsWords(all, questions, names))
	}
}

// approvalsWords tell questions that count, questions that do not and that a run
// asks all the same, and approvals apart.
func approvalsWords(all []standing, questions int, names []string) string {
	found := "Nothing that was found raises a question"
	switch {
	case questions > 0:
		found = "What was found raises the questions below"
	case slices.ContainsFunc(all, func(s standing) bool { return s.verdict == verdict.Ask }):
		found = "No question counts here, but a run asks those below"
	}
	return found + "; whatever is found, the runbook wants approval in " + strings.Join(names, ", ") + "."
}

// standing is a check that does not pass, as a preflight and a plan print it.
type standing struct {
	verdict verdict.Check
	asked   string // the state that asks, of verdict Ask
	word    string // instead of the verdict's own, if it does not count
	id, why string
	note    string // where it comes from, and of when
	details []string
	fix     string
}

// gravest is the order in which checks are printed.
var gravest = []verdict.Check{verdict.Fail, verdict.Ask, verdict.Unknown}

// standingsPage prints checks that do not pass, gravest first: each with what
// helps, and those that are behind one question under it.
func standingsPage(page *output.Page, all []standing, questions []verdict.Question) {
	for _, v := range gravest {
		for i := range all {
			if s := &all[i]; s.verdict == v && (v != verdict.Ask || s.word != "") && s.first(all[:i]) {
				page.Blank()
				standingPage(page, s, all[i+1:])
			}
		}
		if v == verdict.Ask {
			questionsPage(page, all, questions)
		}
	}
}

func questionsPage(page *output.Page, all []standing, questions []verdict.Question) {
	for _, q := range questions {
		behind := slices.DeleteFunc(slices.Clone(all), func(s standing) bool { return s.asked != q.State || s.word != "" })
		if len(behind) > 0 {
			page.Blank()
			questionPage(page, q, behind)
		}
	}
}

// under is the indent of what belongs to a check.
const under = "          "

// same reports whether two checks want the same, and the same helps against
// both.
func (s *standing) same(o *standing) bool {
	return s.verdict == o.verdict && s.word == o.word && s.fix == o.fix && s.fix != "" && slices.Equal(s.details, o.details)
}

// first reports whether no check before it is the same.
func (s *standing) first(before []standing) bool {
	return !slices.ContainsFunc(before, func(o standing) bool { return s.same(&o) })
}

// standingPage prints a check, and the names of those after it that are the
// same.
func standingPage(page *output.Page, s *standing, after []standing) {
	prose(page, pad(cmp.Or(s.word, s.verdict.Word()), len(under)), fmt.Sprintf("%s: %s (%s)", s.id, s.why, s.note))
	for _, d := range s.details {
		prose(page, under, d)
	}
	var also []string
	for i := range after {
		if s.same(&after[i]) {
			also = append(also, after[i].id)
		}
	}
	if len(also) > 0 {
		prose(page, under, "the same is wanted by "+strings.Join(also, ", "))
	}
	if s.fix != "" {
		page.Line("%sfix: %s", under, s.fix)
	}
}

func questionPage(page *output.Page, q verdict.Question, behind []standing) {
	prose(page, pad(verdict.Ask.Word(), len(under)), fmt.Sprintf("%s: asks %s", q.State, questionWords(q)))
	for _, s := range behind {
		prose(page, under+"- ", fmt.Sprintf("%s: %s (%s)", s.id, s.why, s.note))
	}
	prose(page, under+"answer, once it asks: ", answerWords(q))
	for _, fix := range fixes(behind) {
		page.Line("%sor mend it before: %s", under, fix)
	}
}

// fixes are the commands that help against any of some checks, each once.
func fixes(behind []standing) []string {
	var out []string
	for _, s := range behind {
		if s.fix != "" && !slices.ContainsFunc(out, func(have string) bool { return strings.Contains(have, s.fix) }) {
			out = append(out, s.fix)
		}
	}
	return out
}

// questionWords say whom a question is put to, for how long, and how it reads.
func questionWords(q verdict.Question) string {
	return fmt.Sprintf("%s; open for %s: %s", whoWords(q), words0(q.Expires), strings.TrimSpace(q.Ask))
}

func whoWords(q verdict.Question) string {
	who := output.Count(int64(q.Min), "person")
	if q.Min > 1 {
		who = fmt.Sprintf("%d people", q.Min)
	}
	if len(q.From) > 0 {
		who += " of " + strings.Join(q.From, ", ")
	}
	if q.NotSelf {
		who += ", not whoever opened the run"
	}
	return who
}

func answerWords(q verdict.Question) string {
	words := "ims approve RUN " + q.State
	if len(q.Choices) > 1 {
		words += " --choice CHOICE, which is " + strings.Join(q.Choices[:len(q.Choices)-1], ", ") + " or " + q.Choices[len(q.Choices)-1]
	}
	return words
}
