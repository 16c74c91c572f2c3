package plan

import (
	"strings"

	"example.org/ims/internal/verdict"
)

// Worse are the checks that p relies on, that stand in the way now, and that did
// not in p, or less so: drift, each with its reason and what helps. A waiver that
// has expired since shows as the check that it waived, and as a check of its own.
// What got better is none.
func (p *Plan) Worse(now *Plan) []Difference {
	c := comparison{}
	for i := range now.Checks {
		if is := &now.Checks[i]; p.worse(is) {
			c = append(c, Difference{
				What: ofCheck, Name: is.ID, Was: []string{p.check(is.ID).words()}, Now: []string{is.words() + ": " + is.Why}, Why: is.wanted(), Fix: is.Fix,
			})
		}
	}
	return c
}

func (p *Plan) worse(is *Check) bool {
	return is.Binds && is.gravity() > p.check(is.ID).gravity()
}

// check is the check with an id, or nil if there is none.
func (p *Plan) check(id string) *Check {
	for i := range p.Checks {
		if p.Checks[i].ID == id {
			return &p.Checks[i]
		}
	}
	return nil
}

// gravity is how much a check stands in the way; one that was not judged does
// not.
func (c *Check) gravity() int {
	if c == nil || !c.Open() {
		return verdict.Pass.Gravity()
	}
	return c.Verdict.Gravity()
}

// words are the verdict of a check, and whether it counts.
func (c *Check) words() string {
	switch {
	case c == nil:
		return "not judged"
	case c.Waived != "" && c.Verdict != verdict.Pass:
		return string(c.Verdict) + ", waived: " + c.Waived
	}
	return string(c.Verdict)
}

func (c *Check) wanted() string {
	if c.That == "" {
		return ""
	}
	return "wanted: " + c.That
}

// unsure reports whether the difference is a check that is unknown now.
func (d Difference) unsure() bool {
	return d.What == ofCheck && len(d.Now) == 1 && strings.HasPrefix(d.Now[0], string(verdict.Unknown))
}

// checks compares the checks that are no drift.
func (c *comparison) checks(p, now *Plan) {
	was, is := map[string]string{}, map[string]string{}
	for i := range p.Checks {
		was[p.Checks[i].ID] = ""
	}
	for i := range now.Checks {
		is[now.Checks[i].ID] = ""
	}
	for _, id := range names(was, is) {
		now, why := now.check(id), ""
		if now != nil {
			if why = now.Why; p.worse(now) {
				continue
			}
		}
		c.text(ofCheck, id, p.check(id).words(), now.words(), why)
	}
}
