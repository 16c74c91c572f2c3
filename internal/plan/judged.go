package plan

import (
	"slices"

	"example.org/ims/internal/verdict"
)

// Counts are how many checks stand in the way. Those of the world as it is are
// counted as a preflight counts them; those that only the prediction can judge,
// apart.
type Counts struct {
	verdict.Tally
	Predicted verdict.Tally `json:"predicted"`
}

func (c Counts) String() string {
	words := c.Tally.String()
	if c.Predicted.Any() {
		words += "; predicted: " + c.Predicted.String()
	}
	return words
}

// Counts counts the checks that are not waived.
func (p *Plan) Counts() Counts {
	var out Counts
	for i := range p.Checks {
		c := &p.Checks[i]
		switch {
		case c.Waived != "":
		case c.Predicted:
			out.Predicted.Add(c.Verdict, c.Asked)
		default:
			out.Add(c.Verdict, c.Asked)
		}
	}
	return out
}

// Judge adds what was judged of the world as it is, beside the run. A guard that
// the run itself judges stays as predicted: no waiver lets a run pass it. What
// is not judged now is a prediction.
func (p *Plan) Judge(now []Check) {
	for i := range p.Checks {
		c := &p.Checks[i]
		c.Predicted = !slices.ContainsFunc(now, func(o Check) bool { return o.ID == c.ID })
	}
	predicted := len(p.Checks)
	for _, c := range now {
		if slices.ContainsFunc(p.Checks[:predicted], func(o Check) bool { return o.ID == c.ID }) {
			continue
		}
		p.Checks = append(p.Checks, c)
	}
	p.conclude()
}

// conclude derives the verdict from the checks.
func (p *Plan) conclude() {
	worst := verdict.Pass
	for i := range p.Checks {
		if c := &p.Checks[i]; c.Open() {
			worst = verdict.Worse(worst, c.Verdict)
		}
	}
	p.Verdict = worst.Whole()
}

// Gone reports whether the gateway was removed already.
func (p *Plan) Gone() bool {
	return slices.ContainsFunc(p.Checks, func(c Check) bool { return c.ID == Removed })
}
