package check

import (
	"context"

	"example.org/ims/pkg/machine"
)

// Need says what a state is for: what breaks when the runbook is changed.
type Need struct {
	State    string       `json:"state"`
	Repeated []string     `json:"repeated"` // the states that ask again for what it makes sure of
	Variants []Experiment `json:"variants"`
}

// Experiment is one way to do without a state, or without a part of it.
type Experiment struct {
	Part   Part      `json:"part"`
	How    string    `json:"how"`
	Broken []Finding `json:"broken"` // empty: nothing that is checked breaks
	Cannot string    `json:"cannot,omitempty"`
}

// Part is what an experiment takes out of a runbook.
type Part string

// Parts. A measure is a state with the guards elsewhere that ask again for what
// it makes sure of; so is the guard of an effect.
const (
	PartState   Part = "state"
	PartMeasure Part = "measure"
	PartGuard   Part = "guard"
	PartUndo    Part = "undo"
	PartOrder   Part = "order" // nothing is missing, but the next state comes first
)

// edits are the experiments, in their order.
var edits = []struct {
	part Part
	how  string
	edit func(b *Runbook, state string) (*Runbook, error)
}{
	{PartState, "without it", Without},
	{PartMeasure, "without it and without the guards elsewhere that repeat it", WithoutMeasure},
	{PartGuard, "without its guard and without the guards elsewhere that repeat it", WithoutGuardAnywhere},
	{PartUndo, "without its undo", WithoutUndo},
	{PartOrder, "with it after the state that follows it", Swapped},
}

// Why takes a state out, alone and with everything that repeats it elsewhere,
// then its guard and its undo, swaps it with the next, and says which
// properties break.
func Why(ctx context.Context, b *Runbook, state string, o Options) (*Need, error) {
	i, err := b.find(state)
	if err != nil {
		return nil, err
	}
	need := &Need{State: state}
	if need.Repeated, err = Repeats(b, state); err != nil {
		return nil, err
	}
	o.why = true
	do := b.Def.States[i].Do
	for _, x := range edits {
		switch {
		case x.part == PartGuard && (do == nil || do.Pre == machine.Here):
			continue
		case x.part == PartUndo && (do == nil || do.Undo.Kind != machine.UndoRestore):
			continue
		}
		e := Experiment{Part: x.part, How: x.how, Broken: []Finding{}}
		c, err := x.edit(b, state)
		if err != nil {
			e.Cannot = err.Error()
		} else if e.Broken, err = broken(ctx, c, o); err != nil {
			return nil, err
		}
		need.Variants = append(need.Variants, e)
	}
	return need, nil
}

func broken(ctx context.Context, b *Runbook, o Options) ([]Finding, error) {
	res, err := Run(ctx, b, o)
	if err != nil {
		return nil, err
	}
	all := []Finding{}
	for _, f := range res.Properties {
		if f.Verdict == Violated {
			all = append(all, f)
		}
	}
	return all, nil
}
