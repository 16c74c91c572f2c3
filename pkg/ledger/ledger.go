package ledger

import (
	"errors"
	"fmt"
)

// Ledger is the account of one gateway at one moment. The counts are of
// (message, recipient) pairs.
type Ledger struct {
	Gateway string `json:"gateway"`
	Seq     uint64 `json:"seq"` // of the last event that was read

	Accepted    int `json:"accepted"`
	Generated   int `json:"generated"`
	Delivered   int `json:"delivered"`
	Returned    int `json:"returned"`
	Absorbed    int `json:"absorbed"`
	Deleted     int `json:"deleted"`
	Redirected  int `json:"redirected"`
	Present     int `json:"present"`
	Pending     int `json:"pending"` // of Present: failed, the report is on its way
	Unaccounted int `json:"unaccounted"`

	AbsorbedPairs    []Finding `json:"absorbed_pairs,omitempty"`
	UnaccountedPairs []Finding `json:"unaccounted_pairs,omitempty"`
	Conflicts        []Finding `json:"conflicts,omitempty"`
}

// Finding is something to say of one pair. Store is the store it was last
// seen in.
type Finding struct {
	Item
	Why string `json:"why"`
	Seq uint64 `json:"seq,omitempty"` // of the last event about the pair, 0 if there is none
}

func (f Finding) String() string {
	where := ""
	if f.Store != "" {
		where = " in " + f.Store
	}
	return fmt.Sprintf("message %s to <%s>%s: %s", f.Message, f.Rcpt, where, f.Why)
}

// Balance checks the conservation law. It returns nil if every pair is in
// exactly one set and the counts agree, and otherwise an error that names
// what is wrong, the first pairs by id.
func (l Ledger) Balance() error {
	var errs []error
	in := l.Accepted + l.Generated
	out := l.Delivered + l.Returned + l.Absorbed + l.Deleted + l.Redirected + l.Present
	if in != out {
		errs = append(errs, fmt.Errorf("%d pairs entered, %d are accounted for", in, out))
	}
	const most = 3
	list := func(what string, findings []Finding, n int) {
		for i, f := range findings {
			if i == most {
				errs = append(errs, fmt.Errorf("%s: and %d more", what, n-most))
				return
			}
			errs = append(errs, fmt.Errorf("%s: %v", what, f))
		}
		if len(findings) == 0 && n > 0 {
			errs = append(errs, fmt.Errorf("%s: %d", what, n))
		}
	}
	list("unaccounted", l.UnaccountedPairs, l.Unaccounted)
	list("conflict", l.Conflicts, len(l.Conflicts))
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("ledger of gateway %q does not balance: %w", l.Gateway, errors.Join(errs...))
}

// Compute is the ledger of a gateway from a whole tracking log and the pairs
// its stores held after the last event of it. Events of other gateways are
// ignored.
func Compute(events []Event, present []Item, gateway string) Ledger {
	b := NewBook(gateway)
	b.Add(events...)
	return b.Ledger(present, b.Seq())
}
