package notify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// outbox is what targets are still to be told, and what they were told of runs
// that are not over. It is a file of JSON lines that is only appended to; each
// line is durable before it counts. It is not safe for concurrent use.
type outbox struct {
	f       *os.File
	size    int64                     // of what is whole
	bad     int                       // lines that could not be read
	pending map[string][]Notification // by target, oldest first
	seen    map[string]map[string]bool
	lost    map[string]map[string]string // by target and id: why it was never told
}

// entry is a line of the file: something to tell a target, or that it was told.
type entry struct {
	Target string        `json:"target"`
	Note   *Notification `json:"note,omitempty"`
	Tried  string        `json:"tried,omitempty"`   // id: an attempt was begun
	Told   string        `json:"told,omitempty"`    // id
	GaveUp string        `json:"gave_up,omitempty"` // why it was not
}

// openOutbox opens the file or makes it. A line that cannot be read, such as one
// that was cut short, is dropped and counted: telling people must not keep the
// runner from its runs, and what a run needs is told again from its journal.
func openOutbox(path string) (*outbox, error) {
	o := &outbox{pending: map[string][]Notification{}, seen: map[string]map[string]bool{}, lost: map[string]map[string]string{}}
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read notifications: %w", err)
	}
	for line := range bytes.Lines(old) {
		var e entry
		if json.Unmarshal(line, &e) != nil {
			o.bad++
			continue
		}
		o.note(e)
	}
	return o, o.compact(path)
}

func (o *outbox) note(e entry) {
	if e.Note != nil {
		if o.seen[e.Target] == nil {
			o.seen[e.Target] = map[string]bool{}
		}
		o.seen[e.Target][e.Note.ID] = true
		o.pending[e.Target] = append(o.pending[e.Target], *e.Note)
		return
	}
	if e.GaveUp != "" {
		if o.lost[e.Target] == nil {
			o.lost[e.Target] = map[string]string{}
		}
		o.lost[e.Target][e.Told] = e.GaveUp
	}
	list := o.pending[e.Target]
	for i := range list {
		if list[i].ID == e.Tried {
			list[i].Attempt++
			return
		}
		if list[i].ID == e.Told {
			o.pending[e.Target] = append(list[:i:i], list[i+1:]...)
			return
		}
	}
}

// compact writes the file anew, without what needs not be known any more.
func (o *outbox) compact(path string) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write notifications: %w", err)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	over := o.over()
	for target, ids := range o.seen {
		waiting := map[string]*Notification{}
		for i := range o.pending[target] {
			waiting[o.pending[target][i].ID] = &o.pending[target][i]
		}
		for id := range ids {
			if waiting[id] == nil && !over[runOf(id)] { // told: the id is what must be kept
				err = errors.Join(err, enc.Encode(entry{Target: target, Note: &Notification{ID: id}}), enc.Encode(entry{Target: target, Told: id, GaveUp: o.lost[target][id]}))
			}
		}
		for i := range o.pending[target] {
			err = errors.Join(err, enc.Encode(entry{Target: target, Note: &o.pending[target][i]}))
		}
	}
	_, writeErr := f.Write(b.Bytes())
	if err := errors.Join(err, writeErr, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write notifications: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("write notifications: %w", err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("write notifications: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("write notifications: %w", err)
	}
	o.f, err = os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write notifications: %w", err)
	}
	o.size = int64(b.Len())
	return nil
}

// over lists the runs that have ended and of which everybody was told.
func (o *outbox) over() map[string]bool {
	runs := map[string]bool{}
	for _, ids := range o.seen {
		for id := range ids {
			if strings.Contains(id, "/"+string(Finished)+"/") {
				runs[runOf(id)] = true
			}
		}
	}
	for _, list := range o.pending {
		for _, n := range list {
			delete(runs, runOf(n.ID))
		}
	}
	return runs
}

func runOf(id string) string {
	run, _, _ := strings.Cut(id, "/")
	return run
}

// add makes it durable that targets are to be told, all at once: what is not
// derived from a journal again, such as a digest, must reach all of them or none.
// It returns those that it was not added for before.
func (o *outbox) add(targets []string, n Notification) (added []string, err error) {
	var list []entry
	for _, target := range targets {
		if !o.seen[target][n.ID] {
			list, added = append(list, entry{Target: target, Note: &n}), append(added, target)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	if err := o.write(list...); err != nil {
		return nil, err
	}
	for _, e := range list {
		o.note(e)
	}
	return added, nil
}

// knows reports whether anything was noted of a run.
func (o *outbox) knows(run string) bool {
	for _, ids := range o.seen {
		for id := range ids {
			if runOf(id) == run {
				return true
			}
		}
	}
	return false
}

// tried makes it durable that a target is about to be told.
func (o *outbox) tried(target, id string) error {
	e := entry{Target: target, Tried: id}
	o.note(e)
	return o.write(e)
}

// told makes it durable that a target was told, or why it never will be.
func (o *outbox) told(target, id, gaveUp string) error {
	e := entry{Target: target, Told: id, GaveUp: gaveUp}
	o.note(e)
	return o.write(e)
}

func (o *outbox) write(list ...entry) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, e := range list {
		if err := enc.Encode(e); err != nil {
			return fmt.Errorf("encode notification: %w", err)
		}
	}
	n, err := o.f.Write(b.Bytes())
	if err == nil {
		err = o.f.Sync()
	}
	if err != nil { // a part of a line must not spoil the next one
		return fmt.Errorf("write notifications: %w", errors.Join(err, o.f.Truncate(o.size)))
	}
	o.size += int64(n)
	return nil
}

func (o *outbox) close() error { return o.f.Close() }
