package gateway

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/pkg/ledger"
)

// Summarizer is the ability to sum queues up by destination and age, and to
// show one message whole. What it costs grows with the queue, so a gateway may
// answer with a summary that is up to a second old; At tells.
type Summarizer interface {
	// Summarize sums up the entries of all stores by store and destination. It
	// returns the rows of the window that the query asks for, and totals of all
	// that match.
	Summarize(ctx context.Context, q SummaryQuery) (Summary, error)
	// Inspect shows one entry: its envelope, the header fields of its message
	// as they were received, and what the tracking log says of it. ErrNotFound
	// if no store holds it.
	Inspect(ctx context.Context, entry string) (Letter, error)
}

// NumAges is the number of age columns.
const NumAges = 6

// AgeLimits are the upper bounds of all age columns but the last.
var AgeLimits = [NumAges - 1]time.Duration{5 * time.Minute, time.Hour, 4 * time.Hour, 24 * time.Hour, 72 * time.Hour}

// AgeTitles head the columns.
var AgeTitles = [NumAges]string{"<5m", "<1h", "<4h", "<1d", "<3d", ">3d"}

// Age is the column of an age.
func Age(d time.Duration) int {
	for i, limit := range AgeLimits {
		if d < limit {
			return i
		}
	}
	return NumAges - 1
}

// SummarySort orders the rows of a summary.
type SummarySort string

// Orders. The zero value is ByOldest.
const (
	ByOldest  SummarySort = "oldest"
	ByCount   SummarySort = "count"
	ByNext    SummarySort = "next"
	ByExpires SummarySort = "expires"
	ByDest    SummarySort = "dest"
)

// Sorts are all orders.
var Sorts = []SummarySort{ByOldest, ByCount, ByNext, ByExpires, ByDest}

// MaxSummaryRows is the largest window; 0 in a query asks for it.
const MaxSummaryRows = 500

// SummaryQuery picks a window of rows. Match is a part of a destination's
// name, in any case. Before is the time up to which expiring entries count in
// Destination.Expiring; zero counts none.
type SummaryQuery struct {
	Sort   SummarySort `json:"sort,omitempty"`
	Match  string      `json:"match,omitempty"`
	Offset int         `json:"offset,omitempty"`
	Limit  int         `json:"limit,omitempty"`
	Before time.Time   `json:"before,omitzero"`
}

// Summary is a queue summed up. Worst are up to five rows that were tried or
// held and did not move, the oldest first, whatever the window.
type Summary struct {
	At    time.Time     `json:"at"`
	Found int           `json:"found"` // rows that match, in the window or not
	Total Destination   `json:"total"` // of all rows that match
	Rows  []Destination `json:"rows"`
	Worst []Destination `json:"worst,omitempty"`
}

// Destination is a row of a summary: the entries of one store for one
// destination. Dest is "" where none is known yet.
type Destination struct {
	Store      Store          `json:"store"`
	Dest       string         `json:"dest"`
	Messages   int64          `json:"messages"`
	Recipients int64          `json:"recipients"`
	Bytes      int64          `json:"bytes"`
	Ages       [NumAges]int64 `json:"ages"`
	Oldest     time.Time      `json:"oldest"`
	Next       time.Time      `json:"next,omitzero"`    // earliest next attempt
	Latest     time.Time      `json:"latest,omitzero"`  // latest next attempt
	Expires    time.Time      `json:"expires,omitzero"` // earliest time-out
	Ends       time.Time      `json:"ends,omitzero"`    // latest time-out
	Expiring   int64          `json:"expiring"`         // entries that time out up to SummaryQuery.Before
	Tried      int64          `json:"tried"`            // entries with an attempt behind them
	Most       int            `json:"most"`             // attempts of the entry that has most
	Last       string         `json:"last,omitempty"`   // the latest reply or error
	LastAt     time.Time      `json:"last_at,omitzero"`
	Held       string         `json:"held,omitempty"` // why, of one that is held or bad
}

// Letter is one entry in full. Header is as a stranger wrote it: nothing in it
// may reach a terminal unescaped.
type Letter struct {
	Item   Item           `json:"item"`
	Header []string       `json:"header"` // lines, at most 64 KiB of them
	Events []ledger.Event `json:"events"` // of this message, oldest first
}

// Check refuses a query that makes no sense.
func (q SummaryQuery) Check() error {
	if q.Offset < 0 || q.Limit < 0 || q.Limit > MaxSummaryRows {
		return fmt.Errorf("summarize: window %d+%d: want at most %d rows: %w", q.Offset, q.Limit, MaxSummaryRows, ErrRefused)
	}
	if q.Sort != "" && !slices.Contains(Sorts, q.Sort) {
		return fmt.Errorf("summarize: unknown order %q: %w", q.Sort, ErrRefused)
	}
	return nil
}

// Line is one entry as a summary needs it.
type Line struct {
	Store         Store
	Dest          string
	Recipients    int
	Size          int64
	Accepted      time.Time
	Next, Expires time.Time
	Attempts      int
	Last          string
	LastAt        time.Time
	Held          string
}

type rowKey struct {
	store Store
	dest  string
}

// Summing adds entries up. Adapters share it; it is not safe for concurrent
// use.
type Summing struct {
	query SummaryQuery
	now   time.Time
	rows  map[rowKey]*Destination
}

// NewSumming begins a summary as of now. The query must have passed Check.
func NewSumming(q SummaryQuery, now time.Time) *Summing {
	q.Match = strings.ToLower(q.Match)
	return &Summing{query: q, now: now, rows: map[rowKey]*Destination{}}
}

// Add takes one entry in.
func (s *Summing) Add(l *Line) {
	key := rowKey{l.Store, strings.ToLower(l.Dest)}
	r := s.rows[key]
	if r == nil {
		r = &Destination{Store: key.store, Dest: key.dest}
		s.rows[key] = r
	}
	r.Messages++
	r.Recipients += int64(l.Recipients)
	r.Bytes += l.Size
	r.Ages[Age(s.now.Sub(l.Accepted))]++
	r.Most = max(r.Most, l.Attempts)
	if l.Attempts > 0 {
		r.Tried++
	}
	if !l.Expires.IsZero() && !l.Expires.After(s.query.Before) {
		r.Expiring++
	}
	r.Oldest, r.Next, r.Expires = first(r.Oldest, l.Accepted), first(r.Next, l.Next), first(r.Expires, l.Expires)
	r.Latest, r.Ends = latest(r.Latest, l.Next), latest(r.Ends, l.Expires)
	if l.Last != "" && (r.Last == "" || l.LastAt.After(r.LastAt)) {
		r.Last, r.LastAt = l.Last, l.LastAt
	}
	r.Held = cmp.Or(r.Held, l.Held)
}

// Done is the summary.
func (s *Summing) Done() Summary {
	out := Summary{At: s.now, Rows: []Destination{}}
	var all, stuck []*Destination
	for _, r := range s.rows {
		if s.query.Match != "" && !strings.Contains(r.Dest, s.query.Match) {
			continue
		}
		out.Total.add(r)
		all = append(all, r)
		if r.Store.Side() || r.Tried > 0 {
			stuck = append(stuck, r)
		}
	}
	slices.SortFunc(all, order(s.query.Sort))
	slices.SortFunc(stuck, order(ByOldest))
	out.Found = len(all)
	from := min(s.query.Offset, len(all))
	for _, r := range all[from:min(from+cmp.Or(s.query.Limit, MaxSummaryRows), len(all))] {
		out.Rows = append(out.Rows, *r)
	}
	for _, r := range stuck[:min(len(stuck), 5)] {
		out.Worst = append(out.Worst, *r)
	}
	return out
}

// add puts a row into a total.
func (d *Destination) add(r *Destination) {
	d.Messages += r.Messages
	d.Recipients += r.Recipients
	d.Bytes += r.Bytes
	d.Expiring += r.Expiring
	d.Tried += r.Tried
	d.Most = max(d.Most, r.Most)
	for i, n := range r.Ages {
		d.Ages[i] += n
	}
	d.Oldest, d.Next, d.Expires = first(d.Oldest, r.Oldest), first(d.Next, r.Next), first(d.Expires, r.Expires)
	d.Latest, d.Ends = latest(d.Latest, r.Latest), latest(d.Ends, r.Ends)
}

// order compares rows; equal ones by name, so that every window fits the next.
func order(by SummarySort) func(a, b *Destination) int {
	name := func(a, b *Destination) int { return cmp.Or(cmp.Compare(a.Dest, b.Dest), cmp.Compare(a.Store, b.Store)) }
	soonest := func(t func(*Destination) time.Time) func(a, b *Destination) int {
		return func(a, b *Destination) int {
			x, y := t(a), t(b)
			if x.IsZero() != y.IsZero() { // what has no time comes last
				return cmp.Compare(b2i(x.IsZero()), b2i(y.IsZero()))
			}
			return cmp.Or(x.Compare(y), name(a, b))
		}
	}
	switch by {
	case ByCount:
		return func(a, b *Destination) int { return cmp.Or(cmp.Compare(b.Messages, a.Messages), name(a, b)) }
	case ByNext:
		return soonest(func(d *Destination) time.Time { return d.Next })
	case ByExpires:
		return soonest(func(d *Destination) time.Time { return d.Expires })
	case ByDest:
		return name
	case ByOldest:
	}
	return soonest(func(d *Destination) time.Time { return d.Oldest })
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func first(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
