package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/runbook"
)

// Person is somebody who may use this program.
type Person struct {
	Name string `json:"name"`
	May  string `json:"may"` // view, operate or approve
}

// PeopleCheck is the name of the check of a question that too few may answer.
func PeopleCheck(state string) string { return "people." + state }

// people judges whether enough people may answer what a run can ask: a question
// that nobody may answer is found out about in the middle of it, weeks from now.
func (r *Report) people(s *Snapshot, book *runbook.Book) {
	base := Check{
		ID: "people", Group: GroupPeople, Provenance: s.provenance(), At: s.Made,
		That: "enough people may answer what the run can ask",
	}
	if s.People == nil {
		why := cmp.Or(s.toldWhy, "the facts do not say who may approve: another version of this program saved them")
		r.add(base.unknown(why, "ims facts "+s.Gateway+" --out FILE, and judge that file"))
		return
	}
	few := false
	for i := range book.Def.States {
		st := &book.Def.States[i]
		if st.Approve == nil {
			continue
		}
		q := verdict.QuestionOf(st)
		able := s.able(q)
		if len(able) >= q.Min {
			continue
		}
		few = true
		c := base
		c.ID, c.State, c.That = PeopleCheck(st.ID), st.ID, "enough people may answer: "+wanted(q)
		r.add(c.fail(s.let(q, q.Min-len(able)), "%s", s.lacking(q, able)))
	}
	if !few {
		r.add(base.pass("%s", s.approvers()))
	}
}

func wanted(q verdict.Question) string {
	words := fmt.Sprintf("%d of everybody who may approve", q.Min)
	if len(q.From) > 0 {
		words = fmt.Sprintf("%d of %s", q.Min, strings.Join(q.From, ", "))
	}
	if q.NotSelf {
		words += ", not whoever opened the run"
	}
	return words
}

const mayApprove = "approve"

// able are those who may answer a question of a run that is opened now, by
// whoever looks now.
func (s *Snapshot) able(q verdict.Question) []string {
	var out []string
	for _, p := range s.People {
		named := len(q.From) == 0 || slices.Contains(q.From, p.Name)
		if named && p.May == mayApprove && (!q.NotSelf || p.Name != s.Opener) {
			out = append(out, p.Name)
		}
	}
	return out
}

func (s *Snapshot) approvers() string {
	var names []string
	for _, p := range s.People {
		if p.May == mayApprove {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return "the run asks nothing"
	}
	return "may approve: " + strings.Join(names, ", ")
}

// lacking says who may answer, and why the others may not.
func (s *Snapshot) lacking(q verdict.Question, able []string) string {
	var why []string
	if len(able) > 0 {
		why = append(why, "only "+strings.Join(able, ", ")+" may answer")
	} else {
		why = append(why, "nobody may answer")
	}
	for _, name := range q.From {
		switch may, ok := s.may(name); {
		case !ok:
			why = append(why, name+" is not among people")
		case may != mayApprove:
			why = append(why, fmt.Sprintf("%s may only %s", name, may))
		}
	}
	if may, _ := s.may(s.Opener); q.NotSelf && may == mayApprove && (len(q.From) == 0 || slices.Contains(q.From, s.Opener)) {
		why = append(why, s.Opener+" opens the run")
	}
	return strings.Join(why, "; ")
}

func (s *Snapshot) may(name string) (string, bool) {
	i := slices.IndexFunc(s.People, func(p Person) bool { return p.Name == name })
	if i < 0 {
		return "", false
	}
	return s.People[i].May, true
}

// let is the edit of the configuration that gives a question as many more who
// may answer it as it lacks.
func (s *Snapshot) let(q verdict.Question, lack int) string {
	var edits []string
	add := func(name string) {
		switch may, ok := s.may(name); {
		case len(edits) == lack || may == mayApprove:
		case ok:
			edits = append(edits, fmt.Sprintf("let people.%s have may: approve", name))
		default:
			edits = append(edits, fmt.Sprintf("add to people: %s: {user: USER, may: approve}", name))
		}
	}
	for _, name := range q.From {
		add(name)
	}
	if len(q.From) == 0 {
		for i := 1; len(edits) < lack; i++ {
			add(fmt.Sprintf("NAME%d", i))
		}
	}
	if len(edits) < lack { // whom the runbook names is not enough, with whoever opens the run
		return "let somebody else open the run, or name more people in from of the question"
	}
	return "in ims.yaml, " + strings.Join(edits, "; ")
}
