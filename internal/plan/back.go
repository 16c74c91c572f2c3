package plan

import (
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// keep notes the world that an effect finds, at its first intent.
func (m *maker) keep(state uint8) {
	if m.was == nil {
		m.was = map[uint8]model.State{}
	}
	if _, ok := m.was[state]; !ok {
		m.was[state] = m.world
	}
}

// back simulates that an effect on one target is undone: what it changed is
// shown the other way round.
func (m *maker) back(st *machine.StateDef, state uint8, target string) {
	m.world, m.changed = m.world.Undo(st.Do.Action, st.Do.Args, m.was[state]), true
	steps := m.plan.States
	last := &steps[len(steps)-1]
	for i := range steps[:len(steps)-1] {
		if steps[i].ID != st.ID || steps[i].Back {
			continue
		}
		for _, c := range steps[i].Changes {
			if c.Target == target {
				c.Before, c.After = c.After, c.Before
				last.Changes = append(last.Changes, c)
			}
		}
		return
	}
}

// revisit adds a state whose effect is undone to the path once more.
func (m *maker) revisit(st *machine.StateDef) {
	step := Step{ID: st.ID, Number: m.number(st), Title: "Undo: " + st.Title, Source: st.Sources, Because: st.Because, Kind: st.Kind.String(), Back: true}
	if step.Source == nil {
		step.Source = []string{}
	}
	m.plan.States = append(m.plan.States, step)
}
