package plan_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/plan"
	"example.org/ims/internal/verdict"
)

// TestWorse: a check that the plan relies on is drift if it stands in the way
// now, and did not; what got better, and what is no configuration, is news.
func TestWorse(t *testing.T) {
	const id = "cover.in.example.test.moved"
	base := plan.Make(input(t, nil))
	one := func(v verdict.Check, waived string) plan.Check {
		return plan.Check{ID: id, That: "it is led away", Verdict: v, Waived: waived, Why: "because", Fix: "ims mend", Binds: true}
	}
	pass, fails, unknown, asks := one(verdict.Pass, ""), one(verdict.Fail, ""), one(verdict.Unknown, ""), one(verdict.Ask, "")
	waived, counts := one(verdict.Fail, "we know (anna)"), fails
	counts.Binds = false
	for name, tt := range map[string]struct {
		was, now []plan.Check
		want     []plan.Difference
		news     bool
	}{
		"as it was":         {[]plan.Check{pass}, []plan.Check{pass}, nil, false},
		"fails now":         {[]plan.Check{pass}, []plan.Check{fails}, drifted("pass", "fail: because"), false},
		"unknown now":       {[]plan.Check{pass}, []plan.Check{unknown}, drifted("pass", "unknown: because"), false},
		"asks now":          {[]plan.Check{pass}, []plan.Check{asks}, drifted("pass", "ask: because"), false},
		"not judged then":   {nil, []plan.Check{fails}, drifted("not judged", "fail: because"), false},
		"no longer waived":  {[]plan.Check{waived}, []plan.Check{fails}, drifted("fail, waived: we know (anna)", "fail: because"), false},
		"asked, now blocks": {[]plan.Check{asks}, []plan.Check{fails}, drifted("ask", "fail: because"), false},
		"asked, and asks":   {[]plan.Check{asks}, []plan.Check{asks}, nil, false},
		"better":            {[]plan.Check{fails}, []plan.Check{pass}, nil, true},
		"waived since":      {[]plan.Check{asks}, []plan.Check{waived}, nil, true},
		"not judged now":    {[]plan.Check{pass}, nil, nil, true},
		"counts":            {[]plan.Check{pass}, []plan.Check{counts}, nil, true},
	} {
		old, now := *base, *base
		old.Checks, now.Checks = slices.Clone(base.Checks), slices.Clone(base.Checks)
		old.Judge(tt.was)
		now.Judge(tt.now)
		got := old.Worse(&now)
		if d := cmp.Diff(tt.want, got); d != "" && len(tt.want)+len(got) > 0 {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if news := slices.ContainsFunc(old.News(&now), func(d plan.Difference) bool { return d.Name == id }); news != tt.news {
			t.Errorf("%s: it is news: %t", name, news)
		}
	}
}

func drifted(was, now string) []plan.Difference {
	return []plan.Difference{{What: "check", Name: "cover.in.example.test.moved", Was: []string{was}, Now: []string{now}, Why: "wanted: it is led away", Fix: "ims mend"}}
}

// TestUnknownBesideAFactIsNotKnown: checks that are unknown because a fact could
// not be read are no drift of their own; alone they are.
func TestUnknownBesideAFactIsNotKnown(t *testing.T) {
	fact := plan.Difference{What: "fact", Name: "next.accepts", Was: []string{"true"}, Now: []string{"unknown"}}
	unknown := plan.Difference{What: "check", Name: "cover.in.tls", Was: []string{"pass"}, Now: []string{"unknown: no answer"}}
	fails := plan.Difference{What: "check", Name: "cover.in.tls", Was: []string{"pass"}, Now: []string{"fail: expired"}}
	for _, tt := range []struct {
		all  []plan.Difference
		want bool
	}{{[]plan.Difference{fact, unknown}, true}, {[]plan.Difference{unknown}, false}, {[]plan.Difference{fact, fails}, false}} {
		if got := plan.NotKnown(tt.all); got != tt.want {
			t.Errorf("NotKnown(%+v) = %t", tt.all, got)
		}
	}
}
