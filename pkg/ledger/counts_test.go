package ledger_test

import (
	"reflect"
	"strings"
	"testing"

	"example.org/ims/pkg/ledger"
)

func TestLaw(t *testing.T) {
	l := ledger.Ledger{
		Accepted: 1, Generated: 2, Delivered: 3, Returned: 4, Absorbed: 5, Deleted: 6, Redirected: 7, Present: 8, Pending: 9, Unaccounted: 10,
	}
	const want = "1 accepted + 2 generated = 3 delivered + 4 returned + 5 absorbed + 6 deleted + 7 redirected + 8 present; 10 unaccounted"
	if got := ledger.Law(l.Counts()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestCountsNameEverySet: a set that is added to the account is added to what
// is kept and shown of it, or to the exceptions here.
func TestCountsNameEverySet(t *testing.T) {
	exceptions := map[string]bool{"pending": true} // is part of present
	counts := ledger.Ledger{}.Counts()
	named := ledger.Sets()
	for f := range reflect.TypeFor[ledger.Ledger]().Fields() {
		name := strings.ToLower(f.Name)
		if _, ok := counts[name]; f.Type.Kind() == reflect.Int && !ok && !exceptions[name] {
			t.Errorf("%s is not among the counts", name)
		}
	}
	for _, name := range named {
		if _, ok := counts[name]; !ok {
			t.Errorf("%s is shown and not counted", name)
		}
	}
	if len(named) != len(counts) {
		t.Errorf("%d sets are shown, %d counted", len(named), len(counts))
	}
}
