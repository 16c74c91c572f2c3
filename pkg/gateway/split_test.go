package gateway

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSplitSpacesKeepTheirScope: a space has the scope of the closest one around
// it, and of the first gateway if two are as close.
func TestSplitSpacesKeepTheirScope(t *testing.T) {
	list, err := ParseSpaces([]string{"SMTP:* 1", "smtp:*@Fast.test 7", "SMTP:*@slow.test 2", "X400:* 3"})
	if err != nil {
		t.Fatal(err)
	}
	got := Scoped(list, []Space{
		{Type: "SMTP", Pattern: "*", Cost: 9, Scope: ScopeSite},
		{Type: "SMTP", Pattern: "*", Cost: 9, Scope: ScopeOrganization},
		{Type: "SMTP", Pattern: "*@fast.test", Cost: 9, Scope: ScopeOrganization},
	})
	want := []Space{
		{Type: "SMTP", Pattern: "*", Cost: 1, Scope: ScopeSite},
		{Type: "smtp", Pattern: "*@Fast.test", Cost: 7, Scope: ScopeOrganization},
		{Type: "SMTP", Pattern: "*@slow.test", Cost: 2, Scope: ScopeSite},
		{Type: "X400", Pattern: "*", Cost: 3, Scope: ScopeOrganization},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scopes (-want +got):\n%s", diff)
	}
	if list[0].Scope != ScopeOrganization {
		t.Error("the list that was given is changed")
	}
	for _, text := range []string{"SMTP:*", "SMTP 1", "SMTP:* one"} {
		if _, err := ParseSpaces([]string{text}); err == nil {
			t.Errorf("%q is read as an address space", text)
		}
	}
}
