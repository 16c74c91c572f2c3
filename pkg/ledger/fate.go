package ledger

import (
	"cmp"
	"slices"
)

// Fate is where a pair is, or how it ended.
type Fate struct {
	Item
	End    string `json:"end"`              // delivered, returned, absorbed, deleted, redirected; here; pending: failed, its report is on its way
	Why    string `json:"why,omitempty"`    // of what was given up
	Report string `json:"report,omitempty"` // that told the sender
	Seq    uint64 `json:"seq"`              // of the last event
}

// Fates lists every pair that entered, by message and recipient, as the log that
// was added so far tells it.
func (b *Book) Fates() []Fate {
	b.closeReports()
	all := make([]Fate, 0, len(b.pairs))
	for p, a := range b.pairs {
		if !a.entered {
			continue
		}
		f := Fate{Item: Item{Message: p.message, Rcpt: p.rcpt, Store: a.store}, End: a.state.String(), Report: a.report, Seq: a.seq}
		switch a.state {
		case failed:
			f.End, f.Why = "pending", a.why
		case absorbed, returned, deleted:
			f.Why = a.why
		case here, delivered, redirected:
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(x, y Fate) int {
		return cmp.Or(cmp.Compare(x.Message, y.Message), cmp.Compare(x.Rcpt, y.Rcpt))
	})
	return all
}
