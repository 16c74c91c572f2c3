package ledger

import (
	"cmp"
	"fmt"
	"slices"
)

// Ledger compares the book with the pairs that the gateway's stores hold.
//
// taken is the Seq of the last event that had been added when the pairs were
// listed. While a gateway works, read the log to its end, note [Book.Seq] as
// taken, list the pairs, read the log to its end again, and call Ledger: of a
// pair with an event after taken the list may be older than the log, and the
// log alone is believed. On a gateway at rest, pass Book.Seq.
func (b *Book) Ledger(present []Item, taken uint64) Ledger {
	l := Ledger{Gateway: b.gateway, Seq: b.seq, Accepted: b.accepted, Generated: b.generated}
	l.Conflicts = append(l.Conflicts, b.conflicts...)
	b.closeReports()
	astray := b.compare(&l, present, taken)
	b.count(&l, astray)
	for _, f := range [][]Finding{l.UnaccountedPairs, l.AbsorbedPairs, l.Conflicts} {
		slices.SortFunc(f, func(x, y Finding) int {
			return cmp.Or(cmp.Compare(x.Seq, y.Seq), cmp.Compare(x.Message, y.Message),
				cmp.Compare(x.Rcpt, y.Rcpt), cmp.Compare(x.Why, y.Why))
		})
	}
	l.Unaccounted = len(l.UnaccountedPairs)
	return l
}

// closeReports settles the failed pairs whose reports came to an end.
func (b *Book) closeReports() {
	for _, a := range b.unsettled {
		report := b.reports[a.report]
		open, told, why := len(report) == 0, false, ""
		for _, r := range report {
			switch r.state {
			case here:
				open = true
			case delivered, redirected:
				told = true
			case failed, returned: // a report on a report tells the sender nothing
				why = fmt.Sprintf("%s; its report %s failed: %s", a.why, a.report, r.why)
			case absorbed, deleted:
				why = fmt.Sprintf("%s; its report %s was %s: %s", a.why, a.report, r.state, r.why)
			}
		}
		switch {
		case open:
		case told:
			b.settle(a, returned)
		default:
			a.why = why
			b.settle(a, absorbed)
		}
	}
}

// compare finds the pairs of which the log and the stores differ.
func (b *Book) compare(l *Ledger, present []Item, taken uint64) (astray map[pair]bool) {
	astray = make(map[pair]bool)
	stray := func(f Finding) {
		astray[pair{f.Message, f.Rcpt}] = true
		l.UnaccountedPairs = append(l.UnaccountedPairs, f)
	}
	held := make(map[pair]string, len(present))
	for _, i := range present {
		p := pair{i.Message, i.Rcpt}
		if store, twice := held[p]; twice {
			l.Conflicts = append(l.Conflicts, Finding{Item: i, Why: fmt.Sprintf("held twice, in %s and in %s", store, i.Store)})
			continue
		}
		held[p] = i.Store
		a := b.pairs[p]
		switch {
		case a == nil:
			stray(Finding{Item: i, Why: "held, but it never entered"})
		case a.entered && a.state != here && a.seq <= taken:
			stray(Finding{Item: i, Why: fmt.Sprintf("held, but the log says it was %s", a.state), Seq: a.seq})
		}
	}
	for p, a := range b.here {
		if _, ok := held[p]; !ok && a.seq <= taken {
			stray(a.finding("the log says it is here, but the spool does not hold it"))
		}
	}
	for _, a := range b.orphans {
		stray(a.finding(fmt.Sprintf("the log says it is %s, but it never entered", a.state)))
	}
	for p, a := range b.unsettled {
		if len(b.reports[a.report]) == 0 && !astray[p] {
			stray(a.finding(fmt.Sprintf("it failed, but its report %s never entered", a.report)))
		}
	}
	return astray
}

// count fills in the sets, without the pairs that are astray.
func (b *Book) count(l *Ledger, astray map[pair]bool) {
	ends := make(map[state]int, len(b.ends))
	for s, n := range b.ends {
		ends[s] = n
	}
	ends[here], ends[failed] = len(b.here), len(b.unsettled)
	for p := range astray {
		if a := b.pairs[p]; a != nil && a.entered {
			ends[a.state]--
		}
	}
	for _, a := range b.absorbed {
		if !astray[a.pair] {
			l.AbsorbedPairs = append(l.AbsorbedPairs, a.finding(a.why))
		}
	}
	l.Delivered, l.Returned, l.Absorbed = ends[delivered], ends[returned], ends[absorbed]
	l.Deleted, l.Redirected = ends[deleted], ends[redirected]
	l.Pending = ends[failed]
	l.Present = ends[here] + ends[failed]
}
