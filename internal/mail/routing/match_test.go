package routing_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"example.org/ims/internal/mail/routing"
)

func TestMatch(t *testing.T) {
	tests := []struct {
		name, pattern, address string
		want                   routing.Quality
	}{
		{"Q229961 exact", "userz@microsoft.com", "userz@microsoft.com", routing.Quality{Class: routing.Exact}},
		{"Q229961 wildcard", "*@microsoft.com", "userz@microsoft.com", routing.Quality{Class: routing.Wildcard, Chars: 14}},
		{"Q229961 partial", "userz@com", "userz@microsoft.com", routing.Quality{Class: routing.Partial}},
		{"Q229961 blank", "", "userz@microsoft.com", routing.Quality{Class: routing.Blank}},
		{"Q152471 blank is a space bar entry", " ", "userz@microsoft.com", routing.Quality{Class: routing.Blank}},
		{"Q229961 domain alone", "company.com", "user@company.com", routing.Quality{}},
		{"Q229961 at domain", "@company.com", "user@company.com", routing.Quality{}},
		{"Q229961 subdomain", "*@company.com", "user@sales.company.com", routing.Quality{}},
		{"suffix without at sign", "*company.com", "user@notcompany.com", routing.Quality{Class: routing.Wildcard, Chars: 11}},
		{"xog04003 percent is one", "us%r@company.com", "user@company.com", routing.Quality{Class: routing.Wildcard, Chars: 15}},
		{"xog04003 percent is not none", "user%@company.com", "user@company.com", routing.Quality{}},
		{"xog04003 case", "*@Company.COM", "USER@company.com", routing.Quality{Class: routing.Wildcard, Chars: 12}},
		{"S4 catch-all", "*", "user@company.com", routing.Quality{Class: routing.Wildcard}},
		{"partial needs whole labels", "user@pany.com", "user@company.com", routing.Quality{}},
		{"partial needs the local part", "other@com", "user@company.com", routing.Quality{}},
		{"several stars", "a*b*@*.org", "axxbyy@x.y.org", routing.Quality{Class: routing.Wildcard, Chars: 7}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := routing.Match(tt.pattern, tt.address); got != tt.want {
				t.Errorf("Match(%q, %q) = %+v, want %+v", tt.pattern, tt.address, got, tt.want)
			}
		})
	}
}

func TestQualityOrder(t *testing.T) {
	worse := []routing.Quality{
		{},
		{Class: routing.Blank},
		{Class: routing.Partial},
		{Class: routing.Wildcard},
		{Class: routing.Wildcard, Chars: 4},
		{Class: routing.Exact},
	}
	for i := range worse {
		for j := range worse {
			if got := worse[i].Compare(worse[j]); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("Compare(%+v, %+v) = %d", worse[i], worse[j], got)
			}
		}
	}
}

// patterns and addresses over few characters, so that they meet often.
var (
	genPattern = rapid.StringMatching(`[ab*%]{0,3}@?[ab*%.]{0,4}`)
	genAddress = rapid.StringMatching(`[abx]{1,3}@[abx.]{1,4}`)
)

func naive(pattern string) *regexp.Regexp {
	q := regexp.QuoteMeta(pattern)
	q = strings.ReplaceAll(strings.ReplaceAll(q, `\*`, `.*`), `%`, `.`)
	return regexp.MustCompile(`(?is)^` + q + `$`)
}

func TestMatchAgainstRegexp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, a := genPattern.Draw(t, "pattern"), genAddress.Draw(t, "address")
		if !strings.ContainsAny(p, "*%") {
			p += "*"
		}
		got := routing.Match(p, a).Class == routing.Wildcard
		if want := naive(p).MatchString(a); got != want {
			t.Fatalf("Match(%q, %q) = %v, want %v", p, a, got, want)
		}
	})
}

func TestContains(t *testing.T) {
	tests := []struct {
		a, b string
		want routing.Verdict
	}{
		{"*", "*@company.com", routing.Covered},
		{"*@*", "*", routing.Covered}, // every address has an at sign
		{"*@company.com", "*", routing.Uncovered},
		{"*company.com", "*@company.com", routing.Covered},
		{"*@company.com", "*company.com", routing.Uncovered},
		{"%*@a.org", "*@a.org", routing.Covered}, // no empty local part
		{"%%*@a.org", "*@a.org", routing.Uncovered},
		{"*a*b*", "*ab*", routing.Covered},
		{"*ab*", "*a*b*", routing.Uncovered},
		{"", "*", routing.Covered},
		{"*@A.org", "user@a.ORG", routing.Covered},
	}
	for _, tt := range tests {
		got, witness := routing.Contains(tt.a, tt.b)
		if got != tt.want {
			t.Errorf("Contains(%q, %q) = %v (%q), want %v", tt.a, tt.b, got, witness, tt.want)
		}
	}
}

// Sampling can only refute: a covered pattern has no sample outside, and an
// uncovered one comes with a witness that really is one.
func TestContainsAgainstSampling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := genPattern.Draw(t, "a")+"*", genPattern.Draw(t, "b")+"*"
		verdict, witness := routing.Contains(a, b)
		ra, rb := naive(a), naive(b)
		switch verdict {
		case routing.Covered:
			for _, s := range rapid.SliceOfN(genAddress, 50, 50).Draw(t, "samples") {
				if rb.MatchString(s) && !ra.MatchString(s) {
					t.Fatalf("%q is said to contain %q, but not %q", a, b, s)
				}
			}
		case routing.Uncovered:
			if !rb.MatchString(witness) || ra.MatchString(witness) {
				t.Fatalf("%q is no witness that %q does not contain %q", witness, a, b)
			}
		case routing.Undecided:
			t.Fatalf("undecided for %q and %q", a, b)
		}
	})
}
