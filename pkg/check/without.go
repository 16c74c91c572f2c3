package check

import (
	"fmt"
	"slices"

	"example.org/ims/pkg/machine"
)

// clone copies what the editors below change.
func (b *Runbook) clone() *Runbook {
	c := *b
	def := *b.Def
	def.States = slices.Clone(b.Def.States)
	for i := range def.States {
		st := &def.States[i]
		if st.Do != nil {
			do := *st.Do
			st.Do = &do
		}
		if st.Approve != nil {
			a := *st.Approve
			a.Choices = slices.Clone(a.Choices)
			st.Approve = &a
		}
	}
	c.Def, c.Guards = &def, slices.Clone(b.Guards)
	return &c
}

func (b *Runbook) find(state string) (int, error) {
	i := b.Def.Find(state)
	if i == machine.Here {
		return i, fmt.Errorf("runbook %s has no state %q", b.Name, state)
	}
	return i, nil
}

// Without is the runbook without a state: what led to it leads to its ok or
// granted target.
func Without(b *Runbook, state string) (*Runbook, error) {
	i, err := b.find(state)
	if err != nil {
		return nil, err
	}
	to := b.Def.States[i].Then[machine.OK]
	if b.Def.States[i].Kind == machine.KindEnd || to < 0 || int(to) == i {
		return nil, fmt.Errorf("drop state %q of runbook %s: nothing follows it", state, b.Name)
	}
	c := b.clone()
	c.redirect(machine.Target(i), to)
	return c, nil
}

// Replaced is the runbook in which what led to a state leads to another one.
func Replaced(b *Runbook, state, by string) (*Runbook, error) {
	i, err := b.find(state)
	if err != nil {
		return nil, err
	}
	j, err := b.find(by)
	if err != nil {
		return nil, err
	}
	c := b.clone()
	c.redirect(machine.Target(i), machine.Target(j))
	return c, nil
}

// redirect lets everything that leads to one state lead to another.
func (b *Runbook) redirect(from, to machine.Target) {
	for i := range b.Def.States {
		st := &b.Def.States[i]
		for r := range st.Then {
			if st.Then[r] == from {
				st.Then[r] = to
			}
		}
		if st.Approve == nil {
			continue
		}
		for n := range st.Approve.Choices {
			if st.Approve.Choices[n].Target == from {
				st.Approve.Choices[n].Target = to
			}
		}
	}
	if machine.Target(b.Def.Start) == from {
		b.Def.Start = int(to)
	}
}

// WithoutGuard is the runbook in which an effect has no guard.
func WithoutGuard(b *Runbook, state string) (*Runbook, error) {
	i, err := b.find(state)
	if err != nil {
		return nil, err
	}
	if b.Def.States[i].Do == nil {
		return nil, fmt.Errorf("drop guard of %q of runbook %s: it is no effect", state, b.Name)
	}
	c := b.clone()
	c.Def.States[i].Do.Pre = machine.Here
	return c, nil
}

// Bare is the runbook in which states ask for nothing: effects have no guard,
// and what is waited for or asserted holds at once.
func Bare(b *Runbook, states ...string) (*Runbook, error) {
	c := b.clone()
	for _, state := range states {
		i, err := c.find(state)
		if err != nil {
			return nil, err
		}
		st := &c.Def.States[i]
		switch st.Kind {
		case machine.KindDo:
			st.Do.Pre = machine.Here
		case machine.KindWait:
			c.Guards[st.Wait.Until] = nil
		case machine.KindAssert:
			c.Guards[st.Assert] = nil
		case machine.KindApprove, machine.KindEnd:
		}
	}
	return c, nil
}

// WithoutUndo is the runbook in which an effect claims that nothing is left to
// undo.
func WithoutUndo(b *Runbook, state string) (*Runbook, error) {
	i, err := b.find(state)
	if err != nil {
		return nil, err
	}
	if b.Def.States[i].Do == nil {
		return nil, fmt.Errorf("drop undo of %q of runbook %s: it is no effect", state, b.Name)
	}
	c := b.clone()
	c.Def.States[i].Do.Undo = machine.Undo{Kind: machine.UndoNothing, Why: "dropped"}
	return c, nil
}

// Swapped is the runbook in which a state and the one that follows it have
// changed places.
func Swapped(b *Runbook, state string) (*Runbook, error) {
	i, err := b.find(state)
	if err != nil {
		return nil, err
	}
	j := b.Def.States[i].Then[machine.OK]
	if j < 0 || int(j) == i || b.Def.States[j].Kind == machine.KindEnd {
		return nil, fmt.Errorf("swap state %q of runbook %s: no state to swap it with", state, b.Name)
	}
	after := b.Def.States[j].Then[machine.OK]
	if after < 0 {
		return nil, fmt.Errorf("swap state %q of runbook %s: nothing follows %q", state, b.Name, b.Def.States[j].ID)
	}
	c := b.clone()
	first, second := &c.Def.States[i], &c.Def.States[j]
	c.redirect(machine.Target(i), j)
	lead(second, after, machine.Target(i))
	lead(first, j, after)
	return c, nil
}

// lead lets the good result of a state, and the answers that mean the same,
// lead elsewhere.
func lead(st *machine.StateDef, from, to machine.Target) {
	if st.Then[machine.OK] == from {
		st.Then[machine.OK] = to
	}
	if st.Approve == nil {
		return
	}
	for n := range st.Approve.Choices {
		if st.Approve.Choices[n].Target == from {
			st.Approve.Choices[n].Target = to
		}
	}
}
