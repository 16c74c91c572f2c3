package spool

import (
	"container/heap"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/pkg/gateway"
)

// index is what is kept in memory of every entry and body: enough to count
// stores, to notice a stale change, and to know when a body is no longer
// needed. Spool.view guards it; the committer alone changes it.
type index struct {
	recs       map[place]*rec
	lists      map[string][]*rec // of each gateway, in no order
	bodies     map[mail.ID]body
	flagged    map[place]*rec // entries shown in the corrupt store though their key says another
	shelves    map[string]*[gateway.NumStores]shelf
	unreadable int // flagged entries whose message is not known
}

type place struct {
	gateway string
	id      mail.ID
}

// rec stands for one entry. But for its places it does not change once it is in
// the index: an entry that changes has another one.
type rec struct {
	place
	store    gateway.Store // of the key
	why      string        // what is wrong with it; it is then shown as corrupt
	message  mail.ID       // "" when the entry cannot be decoded
	rcpts    int
	attempts int
	size     int64
	accepted time.Time
	pos      int // in its shelf's heap, -1 when it has no age
	at       int // in its gateway's list
	brief    brief
}

// body is one body and the number of entries that need it.
type body struct {
	refs int
	file bool
	size int64
	keep bool // may belong to an entry that cannot be decoded
}

// shelf is one store of one gateway.
type shelf struct {
	count gateway.Count
	ages  ages
}

func newIndex() *index {
	return &index{
		recs: make(map[place]*rec), lists: make(map[string][]*rec), bodies: make(map[mail.ID]body), flagged: make(map[place]*rec),
		shelves: make(map[string]*[gateway.NumStores]shelf),
	}
}

func newRec(e mail.Entry) *rec {
	return &rec{
		place: place{e.Gateway, e.ID}, store: e.Store, message: e.Message, rcpts: len(e.Rcpts),
		attempts: e.Attempts, size: e.Size, accepted: e.Accepted, brief: newBrief(&e),
	}
}

// shown is the store an entry is counted in.
func (r *rec) shown() gateway.Store {
	if r.why != "" {
		return gateway.Corrupt
	}
	return r.store
}

// same reports whether e describes the entry as it is now.
func (r *rec) same(e *mail.Entry) bool {
	return r.shown() == e.Store && r.message == e.Message && r.rcpts == len(e.Rcpts) && r.attempts == e.Attempts
}

func (x *index) shelf(gw string, st gateway.Store) *shelf {
	all := x.shelves[gw]
	if all == nil {
		all = new([gateway.NumStores]shelf)
		x.shelves[gw] = all
	}
	return &all[st]
}

func (x *index) add(r *rec) {
	x.recs[r.place] = r
	r.at = len(x.lists[r.gateway])
	x.lists[r.gateway] = append(x.lists[r.gateway], r)
	if r.why != "" {
		x.flagged[r.place] = r
		if r.message == "" {
			x.unreadable++
		}
	}
	s := x.shelf(r.gateway, r.shown())
	s.count.Messages++
	s.count.Recipients += int64(r.rcpts)
	s.count.Bytes += r.size
	if r.pos = -1; !r.accepted.IsZero() {
		heap.Push(&s.ages, r)
	}
}

func (x *index) remove(r *rec) {
	delete(x.recs, r.place)
	x.unlist(r)
	if r.why != "" {
		delete(x.flagged, r.place)
		if r.message == "" {
			x.unreadable--
		}
	}
	s := x.shelf(r.gateway, r.shown())
	s.count.Messages--
	s.count.Recipients -= int64(r.rcpts)
	s.count.Bytes -= r.size
	if r.pos >= 0 {
		heap.Remove(&s.ages, r.pos)
	}
}

// unlist takes an entry out of its gateway's list; the last one takes its place.
func (x *index) unlist(r *rec) {
	list := x.lists[r.gateway]
	last := len(list) - 1
	list[r.at] = list[last]
	list[r.at].at = r.at
	list[last] = nil
	x.lists[r.gateway] = list[:last]
}

// move applies a committed change: from, to or both are set. A change in place
// neither enters nor leaves.
func (x *index) move(from, to *rec) {
	stays := from != nil && to != nil && from.gateway == to.gateway && from.shown() == to.shown()
	if from != nil {
		x.remove(from)
		if !stays {
			x.shelf(from.gateway, from.shown()).count.Left++
		}
	}
	if to != nil {
		x.add(to)
		if !stays {
			x.shelf(to.gateway, to.shown()).count.Entered++
		}
	}
}

// ages is a heap of entries, oldest first, that knows each entry's place.
type ages []*rec

var _ heap.Interface = (*ages)(nil)

func (a ages) Len() int           { return len(a) }
func (a ages) Less(i, j int) bool { return a[i].accepted.Before(a[j].accepted) }

func (a ages) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].pos, a[j].pos = i, j
}

// Push is for package heap.
func (a *ages) Push(v any) {
	r := v.(*rec)
	r.pos = len(*a)
	*a = append(*a, r)
}

// Pop is for package heap.
func (a *ages) Pop() any {
	last := len(*a) - 1
	r := (*a)[last]
	(*a)[last] = nil
	*a = (*a)[:last]
	r.pos = -1
	return r
}
