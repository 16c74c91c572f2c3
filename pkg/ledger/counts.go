package ledger

import (
	"fmt"
	"slices"
	"strings"
)

// Unaccounted is the name of the count that must be 0: pairs that were seen and
// are in no set.
const Unaccounted = "unaccounted"

// Entered are the sets of the left side of the conservation law, by the names
// that their counts have wherever an account is kept or shown.
func Entered() []string { return []string{"accepted", "generated"} }

// Became are the sets of its right side, in the order in which they are shown.
func Became() []string {
	return []string{"delivered", "returned", "absorbed", "deleted", "redirected", "present"}
}

// Sets are both sides and Unaccounted.
func Sets() []string { return slices.Concat(Entered(), Became(), []string{Unaccounted}) }

// Counts are the numbers of an account, by the names of Sets.
func (l Ledger) Counts() map[string]int64 {
	return map[string]int64{
		"accepted": int64(l.Accepted), "generated": int64(l.Generated),
		"delivered": int64(l.Delivered), "returned": int64(l.Returned), "absorbed": int64(l.Absorbed),
		"deleted": int64(l.Deleted), "redirected": int64(l.Redirected), "present": int64(l.Present),
		Unaccounted: int64(l.Unaccounted),
	}
}

// Law writes counts as the law that they obey, whether they do or not.
func Law(counts map[string]int64) string {
	side := func(sets []string) string {
		terms := make([]string, len(sets))
		for i, set := range sets {
			terms[i] = fmt.Sprintf("%d %s", counts[set], set)
		}
		return strings.Join(terms, " + ")
	}
	return fmt.Sprintf("%s = %s; %d %s", side(Entered()), side(Became()), counts[Unaccounted], Unaccounted)
}
