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

// Judge adds what was judged of the world as it is. A guard that the run itself
// judges counts as predicted, and no waiver lets a run pass it; where both come
// to the same, what was observed is the better reason. What is not judged now is
// a prediction.
func (p *Plan) Judge(now []Check) {
	byID := map[string]Check{}
	for _, c := range now {
		byID[c.ID] = c
	}
	for i := range p.Checks {
		c := &p.Checks[i]
		seen, judged := byID[c.ID]
		c.Predicted, c.Binds = !judged, seen.Binds
		if judged && seen.Verdict == c.Verdict {
			seen.Waived = ""
			*c = seen
		}
		delete(byID, c.ID)
	}
	for _, c := range now {
		if _, left := byID[c.ID]; left {
			p.Checks = append(p.Checks, c)
		}
	}
	p.conclude()
}

// conclude derives from the checks the verdict, and what is asked.
func (p *Plan) conclude() {
	worst, asked := verdict.Pass, map[string]bool{}
	for i := range p.Checks {
		if c := &p.Checks[i]; c.Open() {
			worst, asked[c.Asked] = verdict.Worse(worst, c.Verdict), true
		}
	}
	p.Verdict, p.Questions = worst.Whole(), []verdict.Question{}
	for _, q := range p.asking {
		if asked[q.State] {
			p.Questions = append(p.Questions, q)
		}
	}
}

// Gone reports whether the gateway was removed already.
func (p *Plan) Gone() bool {
	return slices.ContainsFunc(p.Checks, func(c Check) bool { return c.ID == Removed })
}
