package check

import "context"

// Need says what a state is for: what breaks when the runbook is changed.
type Need struct {
	State    string       `json:"state"`
	Variants []Experiment `json:"variants"`
}

// Experiment is one way to do without a state.
type Experiment struct {
	How    string    `json:"how"`
	Broken []Finding `json:"broken"`          // empty: nothing that is checked breaks
	Order  bool      `json:"order,omitempty"` // the state is there, in another place
	Cannot string    `json:"cannot,omitempty"`
}

// Why drops a state, drops it with everything that repeats it elsewhere, swaps
// it with the next, and says which properties break.
func Why(ctx context.Context, b *Runbook, state string, o Options) (*Need, error) {
	if _, err := b.find(state); err != nil {
		return nil, err
	}
	need := &Need{State: state}
	o.why = true
	for _, x := range []struct {
		how   string
		edit  func() (*Runbook, error)
		order bool
	}{
		{"without it", func() (*Runbook, error) { return Without(b, state) }, false},
		{"without it and without the guards elsewhere that repeat it", func() (*Runbook, error) {
			c, err := WithoutCopies(b, state)
			if err != nil {
				return nil, err
			}
			return Without(c, state)
		}, false},
		{"with it after the state that follows it", func() (*Runbook, error) { return Swapped(b, state) }, true},
	} {
		e := Experiment{How: x.how, Broken: []Finding{}, Order: x.order}
		c, err := x.edit()
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
