package plan

import (
	"fmt"
	"slices"
	"strings"

	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// book is the runbook of the plan, bound as the plan bound it.
func (p *Plan) book() (*runbook.Book, error) {
	if p.made != nil {
		return p.made, nil
	}
	doc, mistakes := runbook.Load(p.Definition.File, []byte(p.Definition.Source))
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("read the plan's runbook: %w", mistakes)
	}
	b, mistakes := runbook.Bind(doc, p.Bound)
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("read the plan's runbook: %w", mistakes)
	}
	return b, nil
}

// Beside are the states of the runbook that the path does not come to, by hand,
// in the order of the runbook: where an answer, a time-out, a stall or a
// condition leads that was not predicted. Each is written for the world that the
// path leaves before it, and says what comes next if it comes out well. Its error
// is that of the runbook in the plan.
func (p *Plan) Beside(by Begun) ([]Hand, error) {
	book, err := p.book()
	if err != nil {
		return nil, err
	}
	var all []Hand
	for i := range book.Def.States {
		if !slices.Contains(p.Path(), book.Def.States[i].ID) {
			all = append(all, p.beside(by, book, i))
		}
	}
	return all, nil
}

func (p *Plan) beside(by Begun, book *runbook.Book, state int) Hand {
	w := p.newByHand(by, book)
	for i := range book.Def.States[:state] {
		if st := &book.Def.States[i]; st.Do != nil && st.Do.Action == machine.QueueHold {
			w.holds(st.ID)
		}
	}
	for i := range p.States {
		s := &p.States[i]
		if s.Back || book.Def.Find(s.ID) > state {
			break
		}
		w.step(&Hand{}, s)
	}
	st := &book.Def.States[state]
	m := &maker{
		in: Input{Book: book, Before: p.Before, Places: p.Places}, plan: &Plan{Gateway: p.Gateway},
		config: w.c.copied(), clock: p.Made,
	}
	m.enter(st)
	if st.Do != nil {
		for i := range st.Do.Targets {
			m.change(st, i)
		}
	}
	s := &m.plan.States[0]
	h := handOf(s)
	h.Next = w.after(s.ID)
	w.step(&h, s)
	return h
}

// comesAfter is the state that comes after one, or a reserved target.
func comesAfter(st *machine.StateDef) int {
	next := st.Then[machine.OK]
	if st.Approve != nil && next < 0 && len(st.Approve.Choices) > 0 {
		next = st.Approve.Choices[0].Target
	}
	return int(next)
}

// after is the state that comes after one, or "" if that is for people to say.
func (w *byHand) after(state string) string {
	if w.book == nil {
		return ""
	}
	i := w.book.Def.Find(state)
	if i < 0 {
		return ""
	}
	return w.named(comesAfter(&w.book.Def.States[i]))
}

func (w *byHand) named(target int) string {
	if target < 0 {
		return ""
	}
	return w.book.Def.States[target].ID
}

// turns adds where a step goes on if it does not come out as the path has it.
func (w *byHand) turns(h *Hand) {
	if w.book == nil || h.Back {
		return
	}
	i := w.book.Def.Find(h.State)
	if i < 0 {
		return
	}
	st := &w.book.Def.States[i]
	for _, r := range st.Kind.Results() {
		words := map[machine.Result]string{
			machine.GuardFails: "that does not hold", machine.Timeout: "it takes too long", machine.Stall: "nothing moves any more",
			machine.Fail: "it fails", machine.Unsure: "it cannot be known whether it was done", machine.Rejected: "the answer is no", machine.Expired: "nobody answers",
		}[r]
		switch {
		case r == machine.OK && h.Else != "":
			words = "it holds after all"
		case r == machine.Drift && st.Wait.Drift >= 0:
			words = w.conditions(st.Wait.Drift)
		case r == machine.Fail && st.Kind == machine.KindAssert:
			words = "that does not hold"
		}
		leads := w.named(int(st.Then[r]))
		if words == "" || leads == "" || leads == h.Else {
			continue
		}
		if n := len(h.Turns); n > 0 && h.Turns[n-1].Leads == leads {
			h.Turns[n-1].If += ", or " + words
			continue
		}
		h.Turns = append(h.Turns, Turn{If: words, Leads: leads})
	}
}

// conditions are those of a guard, as the runbook has them.
func (w *byHand) conditions(guard int) string {
	var all []string
	for _, g := range w.book.Guards[guard] {
		all = append(all, g.Expr)
	}
	return strings.Join(all, ", and ")
}
