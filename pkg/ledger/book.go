package ledger

import "fmt"

// Book reads a tracking log as it grows, so that a poll costs no more than the
// new events and the pairs still here. It is not safe for concurrent use.
type Book struct {
	gateway string
	seq     uint64
	gaps    []Gap

	pairs     map[pair]*account
	here      map[pair]*account
	unsettled map[pair]*account     // failed, the report's end is not known yet
	orphans   map[pair]*account     // never entered
	reports   map[string][]*account // pairs of each report
	absorbed  []*account

	accepted, generated int
	ends                map[state]int // accounts that entered, by end
	conflicts           []Finding
}

type pair struct{ message, rcpt string }

// state is where a pair is according to the log.
type state uint8

const (
	here state = iota
	failed
	delivered
	returned
	absorbed
	deleted
	redirected
)

var stateNames = [...]string{"here", "failed", "delivered", "returned", "absorbed", "deleted", "redirected"}

func (s state) String() string { return stateNames[s] }

// account is what the log says of one pair.
type account struct {
	pair
	entered bool
	state   state
	store   string
	report  string // of a failed one
	why     string
	seq     uint64 // of the last event
}

func (a *account) finding(why string) Finding {
	return Finding{Item: Item{Message: a.message, Rcpt: a.rcpt, Store: a.store}, Why: why, Seq: a.seq}
}

// Gap is a run of Seq numbers that never came.
type Gap struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// NewBook is an empty book of one gateway.
func NewBook(gateway string) *Book {
	return &Book{
		gateway: gateway, pairs: make(map[pair]*account), here: make(map[pair]*account),
		unsettled: make(map[pair]*account), orphans: make(map[pair]*account),
		reports: make(map[string][]*account), ends: make(map[state]int),
	}
}

// Seq is the Seq of the last event that was added.
func (b *Book) Seq() uint64 { return b.seq }

// Gaps lists the events that are missing from what was added. It means
// something only if the log of the whole organization was added: a log of one
// gateway has gaps by nature.
func (b *Book) Gaps() []Gap { return b.gaps }

// Add reads events in order of Seq. An event whose Seq is not above the last
// one's was read before and is ignored; one without a Seq is always read.
func (b *Book) Add(events ...Event) {
	for _, e := range events {
		if e.Seq != 0 && e.Seq <= b.seq {
			continue
		}
		if e.Seq > b.seq+1 {
			b.gaps = append(b.gaps, Gap{b.seq + 1, e.Seq - 1})
		}
		b.seq = max(b.seq, e.Seq)
		if e.Gateway != b.gateway {
			continue
		}
		seen := make(map[string]bool, len(e.Rcpts))
		for _, rcpt := range e.Rcpts {
			if !seen[rcpt] {
				seen[rcpt] = true
				b.event(e, pair{e.Message, rcpt})
			}
		}
	}
}

func (b *Book) event(e Event, p pair) {
	a := b.pairs[p]
	if a == nil {
		a = &account{pair: p}
		b.pairs[p] = a
		b.orphans[p] = a // until it enters
	}
	a.seq = e.Seq
	switch e.Kind {
	case Accepted, Generated:
		b.enter(a, e)
	case Delivered:
		b.end(a, e, delivered)
	case Absorbed:
		b.end(a, e, absorbed)
	case Deleted:
		b.end(a, e, deleted)
	case Redirected:
		b.end(a, e, redirected)
	case Failed:
		if e.Report == "" {
			b.end(a, e, absorbed)
			return
		}
		if b.end(a, e, failed) {
			a.report = e.Report
		}
	case Moved, Attempted, Operated:
		if a.state == here && e.Store != "" {
			a.store = e.Store
		}
	default:
		b.conflict(a, fmt.Sprintf("event of unknown kind %q", e.Kind))
	}
}

func (b *Book) enter(a *account, e Event) {
	if a.entered && a.state == redirected { // it came back
		b.ends[redirected]--
		a.state, a.store = here, e.Store
		b.here[a.pair] = a
		return
	}
	if a.entered || a.state != here {
		b.conflict(a, fmt.Sprintf("%s again while it is %s", e.Kind, a.state))
	}
	if a.entered {
		return
	}
	a.entered = true
	delete(b.orphans, a.pair)
	if e.Kind == Accepted {
		b.accepted++
	} else {
		b.generated++
		b.reports[a.message] = append(b.reports[a.message], a)
	}
	if a.state != here {
		b.settle(a, a.state)
		return
	}
	a.store = e.Store
	b.here[a.pair] = a
}

// end takes a pair to an end; false if it had one already.
func (b *Book) end(a *account, e Event, to state) bool {
	if a.state != here {
		b.conflict(a, fmt.Sprintf("%s after it was %s", e.Kind, a.state))
		return false
	}
	a.why = e.Reason
	if e.Store != "" {
		a.store = e.Store
	}
	a.state = to
	if a.entered {
		delete(b.here, a.pair)
		b.settle(a, to)
	}
	return true
}

// settle counts an account that entered at its end.
func (b *Book) settle(a *account, to state) {
	a.state = to
	if to == failed {
		b.unsettled[a.pair] = a
		return
	}
	delete(b.unsettled, a.pair)
	b.ends[to]++
	if to == absorbed {
		b.absorbed = append(b.absorbed, a)
	}
}

func (b *Book) conflict(a *account, why string) {
	b.conflicts = append(b.conflicts, a.finding(why))
}
