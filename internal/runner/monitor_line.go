package runner

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"example.org/ims/pkg/machine"
)

// Line is a record of the journal in words.
type Line struct {
	Seq   int64     `json:"seq"`
	At    time.Time `json:"at"`
	Kind  string    `json:"kind"`
	State string    `json:"state,omitempty"`
	Actor string    `json:"actor,omitempty"`
	Text  string    `json:"text"`
}

// newLine puts a record into words. Observations that only say that somebody
// looked are none.
func newLine(seq int64, r *machine.Record) (Line, bool) {
	d := &r.Detail
	l := Line{Seq: seq, At: r.At, Kind: r.Kind, State: d.State, Actor: d.Actor, Text: text(r)}
	return l, l.Text != ""
}

func text(r *machine.Record) string {
	d := &r.Detail
	switch r.Kind {
	case machine.Observed:
		return observed(d)
	case machine.Asked:
		return "asked: " + strings.TrimSpace(d.Comment)
	case machine.Opened.String():
		return fmt.Sprintf("%s opened the run of %s for %s", d.Actor, d.Runbook, d.Gateway)
	case machine.Resumed.String():
		return "resumed by " + d.Actor
	case machine.ClosedRun.String():
		return "ended: " + d.Outcome
	case machine.IntentSet.String():
		return trail(d, "will change "+cmp.Or(d.Target, string(d.Action)))
	case machine.OutcomeIs.String():
		if d.After != "" && d.Before != d.After {
			return trail(d, fmt.Sprintf("%s: %s -> %s", cmp.Or(d.Target, string(d.Action)), cmp.Or(d.Before, "unknown"), d.After))
		}
		return trail(d, cmp.Or(d.Target, string(d.Action))+": "+cmp.Or(d.After, "done"))
	}
	words := r.Kind
	switch {
	case d.Choice != "":
		words += " " + d.Choice
	case d.Guard != "":
		words += " " + d.Guard
	}
	if d.State != "" {
		words += " in " + d.State
	}
	if d.Actor != "" {
		words = d.Actor + ": " + words
	}
	return trail(d, words)
}

// trail adds why, or what somebody said.
func trail(d *machine.Detail, words string) string {
	if more := cmp.Or(d.Comment, d.Why); more != "" {
		words += " (" + strings.TrimSpace(more) + ")"
	}
	return words
}

// observed names the facts that changed, the account and the memory left out.
func observed(d *machine.Detail) string {
	var changed []string
	for _, k := range slices.Sorted(maps.Keys(d.Facts)) {
		if !strings.HasPrefix(k, "memory.") && !strings.HasPrefix(k, "count.") {
			changed = append(changed, k+" = "+d.Facts[k])
		}
	}
	return strings.Join(changed, ", ")
}

// attended is how long a monitor that does not ask any more counts as there.
const attended = 5 * time.Second

// watchers are the monitors of every run, and the tails that they share. The
// zero value is ready; it is safe for concurrent use.
type watchers struct {
	mu    sync.Mutex
	tails map[string]*tail
	who   map[[2]string]watcher // by run and viewer
}

type watcher struct {
	name string
	last time.Time
}

func (w *watchers) tail(run string) *tail {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tails == nil {
		w.tails = map[string]*tail{}
	}
	if w.tails[run] == nil {
		w.tails[run] = &tail{}
	}
	return w.tails[run]
}

// seen notes a viewer and names all that watch a run now, sorted.
func (w *watchers) seen(run, viewer, name string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.who == nil {
		w.who = map[[2]string]watcher{}
	}
	now := time.Now()
	if viewer != "" {
		w.who[[2]string{run, viewer}] = watcher{name, now}
	}
	var names []string
	for key, one := range w.who {
		switch {
		case now.Sub(one.last) > attended:
			delete(w.who, key)
		case key[0] == run:
			names = append(names, one.name)
		}
	}
	slices.Sort(names)
	return names
}
