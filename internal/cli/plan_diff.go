package cli

import (
	"strings"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/plan"
)

// planDiff is in what a plan differs from an earlier one.
type planDiff struct {
	Plan  string            `json:"plan"` // hash of the earlier one
	Made  time.Time         `json:"made"`
	Used  string            `json:"used_by,omitempty"` // the run that performs it, or performed it
	Binds []plan.Difference `json:"binds"`             // drift: the earlier one would be refused
	News  []plan.Difference `json:"news"`              // what binds nothing
}

func compare(old, now *plan.Plan) *planDiff {
	d := &planDiff{Plan: old.ID.Hash, Made: old.Made, Binds: append(old.Differences(now), old.Worse(now)...), News: old.News(now)}
	if d.Binds == nil {
		d.Binds = []plan.Difference{}
	}
	if d.News == nil {
		d.News = []plan.Difference{}
	}
	return d
}

func diffPage(page *output.Page, d *planDiff) {
	page.Line("SINCE PLAN %s, made %s:", short12(d.Plan), moment(d.Made))
	switch {
	case len(d.Binds) == 0 && d.Used != "":
		page.Line("  nothing has changed that it binds to; run %s used it up: make a new one", d.Used)
	case len(d.Binds) == 0:
		page.Line("  nothing has changed that it binds to; it can be performed")
	default:
		page.Line("  DRIFT: this has changed, and it would be refused (exit %d):", output.Drift.Code())
		for _, one := range d.Binds {
			differencePage(page, one)
		}
	}
	if len(d.News) > 0 {
		page.Line("  and this, which binds nothing:")
		for _, one := range d.News {
			page.Line("    %s %s: %s -> %s", one.What, one.Name, strings.Join(one.Was, ", "), strings.Join(one.Now, ", "))
		}
	}
}

// differencePage shows one thing as it was in the plan, and as it is.
func differencePage(page *output.Page, d plan.Difference) {
	page.Line("    %s %s", d.What, d.Name)
	if d.Why != "" {
		prose(page, "      (", d.Why+")")
	}
	for _, l := range d.Was {
		page.Line("      planned:  %s", l)
	}
	for _, l := range d.Now {
		page.Line("      now:      %s", l)
	}
	if d.Fix != "" {
		page.Line("      fix:      %s", d.Fix)
	}
}

// short12 is the beginning of a hash, as people quote it.
func short12(hash string) string {
	hash = strings.TrimPrefix(hash, "sha256:")
	return hash[:min(12, len(hash))]
}
