package runner

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
)

// maxLines is how many lines of the journal one answer has.
const maxLines = 500

// tail follows the journal of one run. It is safe for concurrent use.
type tail struct {
	mu    sync.Mutex
	seq   int64
	lines []Line
	mx    map[string]string // by domain: what the world remembers of its MX
	wrote time.Time         // when the run changed DNS last, or was about to
	stuck string            // the last wait whose stall timer ran out
	stall time.Time         // when it did
}

// memoryMX begins the facts under which a world keeps what the authorities
// answered.
const memoryMX = "memory.mx."

// seenSuffix ends the name under which it keeps when each server gave its
// answer last: "address=nanoseconds", separated by blanks.
const seenSuffix = ".seen"

// read takes up what was journalled since.
func (t *tail) read(ctx context.Context, r *journal.Reader, run string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	entries, err := r.Records(ctx, run, t.seq+1)
	if err != nil {
		return err
	}
	entries = slices.DeleteFunc(entries, func(e journal.Entry) bool { return journal.Own(e.Kind) })
	records, err := engine.Decode(entries)
	if err != nil {
		return err
	}
	if t.mx == nil {
		t.mx = map[string]string{}
	}
	for i, rec := range records {
		t.seq = entries[i].Seq
		for k, v := range rec.Detail.Facts {
			if domain, ok := strings.CutPrefix(k, memoryMX); ok {
				t.mx[domain] = v
			}
		}
		t.note(&rec)
		if l, ok := newLine(entries[i].Seq, &rec); ok {
			t.lines = append(t.lines, l)
		}
	}
	t.lines = t.lines[max(0, len(t.lines)-maxLines):]
	return nil
}

// note keeps when DNS was changed, and what stalled.
func (t *tail) note(r *machine.Record) {
	switch r.Kind {
	case machine.IntentSet.String(), machine.OutcomeIs.String():
		if r.Detail.Action == machine.DNSRRset {
			t.wrote = r.At
		}
	case machine.Elapsed.String():
		if r.Event.Timer == machine.StallTimer {
			t.stuck, t.stall = r.Detail.State, r.At
		}
	}
}

// stalled is the stall that led to the present state of a run, nil if that was
// none.
func (t *tail) stalled(s *Status, book *runbook.Book) *Stall {
	n := len(s.Visits)
	operating := s.Phase == machine.Operating.String() && s.Why == machine.Stall.String()
	if t.stall.IsZero() || n == 0 || s.Ended() || !operating && !s.Visits[n-1].Entered.Equal(t.stall) {
		return nil
	}
	out := Stall{Since: t.stall, Called: t.stall}
	if i := book.Def.Find(t.stuck); i != machine.Here && book.Def.States[i].Wait != nil {
		out.Since = t.stall.Add(-book.Def.States[i].Wait.Stall)
	}
	return &out
}

// fill adds to a monitor the lines above after, the authorities, and a stall.
func (t *tail) fill(m *Monitor, book *runbook.Book, after int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, _ := slices.BinarySearchFunc(t.lines, after, func(l Line, seq int64) int { return int(l.Seq - seq) })
	for i < len(t.lines) && t.lines[i].Seq <= after {
		i++
	}
	m.Lines = slices.Clone(t.lines[i:])
	for _, domain := range slices.Sorted(maps.Keys(t.mx)) {
		if strings.HasSuffix(domain, seenSuffix) {
			continue
		}
		m.Authorities = append(m.Authorities, authorities(domain, t.mx[domain], t.mx[domain+seenSuffix])...)
	}
	for i := range m.Authorities {
		m.Authorities[i].Stale = !m.Authorities[i].At.After(t.wrote)
	}
	m.Stall = t.stalled(&m.Status, book)
}

// authorities are the newest answers of each server, with when they were given
// last.
func authorities(domain, memory, seen string) []Authority {
	var all []zone.Observation
	if json.Unmarshal([]byte(memory), &all) != nil {
		return nil // another version of the world remembers otherwise
	}
	times := map[string]time.Time{}
	for f := range strings.FieldsSeq(seen) {
		addr, text, _ := strings.Cut(f, "=")
		if ns, err := strconv.ParseInt(text, 10, 64); err == nil {
			times[addr] = time.Unix(0, ns)
		}
	}
	last, at := map[string]Authority{}, map[string]time.Time{}
	for _, ob := range all {
		server := ob.Server.String()
		if a, ok := last[server]; ok && a.At.After(ob.At) {
			continue
		}
		last[server] = Authority{Domain: domain, Server: server, Answer: strings.Join(ob.RRset.Data, ", "), TTL: ob.RRset.TTL, At: ob.At}
		at[server] = later(ob.At, times[ob.Server.Addr])
	}
	var list []Authority
	for _, server := range slices.Sorted(maps.Keys(last)) {
		a := last[server]
		a.At = at[server]
		list = append(list, a)
	}
	return list
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
