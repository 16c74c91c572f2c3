package engine

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"example.org/ims/internal/journal"
	"example.org/ims/pkg/machine"
)

// body is how a record is stored.
type body struct {
	Event  *machine.Event `json:"event,omitempty"`
	Detail machine.Detail `json:"detail"`
}

func encode(recs []machine.Record) ([]journal.Record, error) {
	out := make([]journal.Record, len(recs))
	for i, r := range recs {
		b := body{Detail: r.Detail}
		if _, ok := machine.EventKindOf(r.Kind); ok {
			b.Event = &r.Event
		}
		raw, err := json.Marshal(b)
		if err != nil {
			return nil, fmt.Errorf("encode record %q: %w", r.Kind, err)
		}
		out[i] = journal.Record{Kind: r.Kind, At: r.At, Body: raw}
	}
	return out, nil
}

// Encode turns records into what a journal stores.
func Encode(recs ...machine.Record) ([]journal.Record, error) { return encode(recs) }

// Decode reads a run's records from its journal; the journal's own records are
// left out.
func Decode(entries []journal.Entry) ([]machine.Record, error) {
	var out []machine.Record
	for _, e := range entries {
		if journal.Own(e.Kind) {
			continue
		}
		var b body
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return nil, fmt.Errorf("decode record %d of run %q: %w", e.Seq, e.Run, err)
		}
		r := machine.Record{Kind: e.Kind, At: e.At, Detail: b.Detail}
		if kind, ok := machine.EventKindOf(e.Kind); ok {
			if b.Event == nil {
				return nil, fmt.Errorf("decode record %d of run %q: a %q without event", e.Seq, e.Run, e.Kind)
			}
			r.Event = *b.Event
			r.Event.Kind = kind
		}
		out = append(out, r)
	}
	return out, nil
}

// memoryPrefix marks what the world asked to remember among the facts of an
// Observed record.
const memoryPrefix = "memory."

// countPrefix marks the account of messages there.
const countPrefix = "count."

// expiresKey names there when the clock facts can be true at the earliest.
const expiresKey = "clock.expires"

// expires is the earliest time at which no cache can hold the old MX, as this
// engine or one before it saw it; zero if that is not known.
func (e *Engine) expires() time.Time {
	if e.observed {
		return e.last.Expires
	}
	t, err := time.Parse(time.RFC3339Nano, e.hist.Facts[expiresKey])
	if err != nil { // it was never written
		return time.Time{}
	}
	return t
}

func (e *Engine) memory() map[string]string {
	m := map[string]string{}
	for k, v := range e.hist.Facts {
		if name, ok := strings.CutPrefix(k, memoryPrefix); ok {
			m[name] = v
		}
	}
	return m
}
