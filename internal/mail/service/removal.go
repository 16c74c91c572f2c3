package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// removal is how far the removal of a gateway has come. Before it is stored
// nothing was changed that a restart does not undo; from then on the gateway
// is out of routing and stays stopped, and the same Apply goes on where a
// crash interrupted it.
type removal struct {
	Archive  string `json:"archive"` // the file is ours to write again until Archived
	Discard  bool   `json:"discard,omitempty"`
	Archived bool   `json:"archived,omitempty"` // written, and read back
	Digest   string `json:"digest,omitempty"`
}

// remove makes the gateway absent: archive, read back, delete, verify.
func (g *Gateway) remove(ctx context.Context, c gateway.Change, r record, op operation) (gateway.Op, error) {
	if !r.Exists {
		return g.finish(r, op)
	}
	var err error
	if r.Removal == nil {
		if r, err = g.beginRemoval(ctx, c, r, op); err != nil {
			return gateway.Op{}, err
		}
	}
	if !r.Removal.Archived {
		if r, err = g.archive(r, op); err != nil {
			return gateway.Op{}, err
		}
	}
	if err := g.discard(c, r.Removal.Discard); err != nil {
		return gateway.Op{}, err
	}
	left, err := g.o.spool.Remove(g.name)
	if err != nil {
		return gateway.Op{}, err
	}
	r.Exists, r.Leftovers, r.Archive, r.Digest = false, left, r.Removal.Archive, r.Removal.Digest
	r.Removal = nil
	r.changed()
	return g.finish(r, op)
}

// beginRemoval closes every way in, looks whether the stores are empty, and
// stores that the removal has begun. If they are not, everything is as before.
func (g *Gateway) beginRemoval(ctx context.Context, c gateway.Change, r record, op operation) (record, error) {
	want := *c.Want.Absent
	if held := g.held(); held != "" && !want.Discard {
		return r, refuse(held)
	}
	path, err := g.archivePath(want.Archive)
	if err != nil {
		return r, err
	}
	running := g.runtime() != nil
	g.setRemoving(true)
	undo := func() error {
		g.setRemoving(false)
		g.o.mta.route.ring()
		if !running {
			return nil
		}
		return g.startIfAllowed(ctx, r.Paused)
	}
	if err := g.stop(ctx); err != nil {
		return r, errors.Join(err, undo())
	}
	if held := g.held(); held != "" && !want.Discard {
		return r, errors.Join(refuse(held), undo())
	}
	n := r
	n.Running, n.Paused = false, false
	n.Removal = &removal{Archive: path, Discard: want.Discard}
	n.changed()
	if err := g.commitRouted(n, op); err != nil {
		return r, errors.Join(err, undo())
	}
	return n, nil
}

// held says which store holds mail, or is not known to be empty.
func (g *Gateway) held() string {
	for st, c := range g.o.spool.Counts(g.name) {
		switch {
		case c.Known == gateway.Unknown:
			return fmt.Sprintf("the count of store %s is unknown: %s", gateway.Store(st), c.Why)
		case c.Messages > 0:
			return fmt.Sprintf("store %s holds %d messages", gateway.Store(st), c.Messages)
		}
	}
	return ""
}

// setRemoving keeps the MTA and the operators out of the stores, or lets them
// in again. Those who are in are waited for.
func (g *Gateway) setRemoving(on bool) {
	g.o.mta.routing.Lock()
	defer g.o.mta.routing.Unlock()
	g.flow.Lock()
	defer g.flow.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.removing = on
}

// archivePath is where to archive to; the file must not exist yet.
func (g *Gateway) archivePath(wanted string) (string, error) {
	if wanted == "" {
		name := fmt.Sprintf("%s-%s.tar", g.name, time.Now().UTC().Format("20060102T150405.000000"))
		wanted = filepath.Join(g.o.deps.Archives, name)
	}
	if err := os.MkdirAll(filepath.Dir(wanted), 0o700); err != nil {
		return "", fmt.Errorf("make folder for archives: %w", err)
	}
	if _, err := os.Lstat(wanted); err == nil {
		return "", refuse(fmt.Sprintf("archive %s exists already", wanted))
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("look for archive: %w", err)
	}
	return filepath.Abs(wanted)
}

// archive writes the archive and reads it back.
func (g *Gateway) archive(r record, op operation) (record, error) {
	path := r.Removal.Archive
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return r, fmt.Errorf("remove unfinished archive: %w", err)
	}
	config, err := json.MarshalIndent(struct {
		Config gateway.Config `json:"config"`
		Record record         `json:"record"`
	}{g.view(r), r}, "", "  ")
	if err != nil {
		return r, fmt.Errorf("encode configuration: %w", err)
	}
	wrote, err := g.o.spool.Archive(g.name, path, config)
	if err != nil {
		return r, err
	}
	read, err := spool.ReadArchive(path)
	if err != nil {
		return r, err
	}
	if read.Digest != wrote.Digest || read.Gateway != g.name {
		return r, fmt.Errorf("archive %s reads back as another one: digest %s, wrote %s", path, read.Digest, wrote.Digest)
	}
	done := *r.Removal
	done.Archived, done.Digest = true, read.Digest
	r.Removal = &done
	return r, g.begin(r, op)
}

// discard deletes what the stores hold, each message with its event.
func (g *Gateway) discard(c gateway.Change, allowed bool) error {
	for st := range gateway.NumStores {
		err := g.o.each(g.name, st, &g.flow, func(tx *spool.Tx, e mail.Entry, _ time.Time) ([]mail.Entry, error) {
			if !allowed {
				return nil, refuse(fmt.Sprintf("store %s holds mail", st))
			}
			tx.Delete(e)
			ev := event(&e, ledger.Deleted, addresses(e.Rcpts))
			ev.Actor, ev.Reason = c.Actor, "discarded with the gateway: "+c.Reason
			tx.Track(ev)
			return nil, nil
		})
		if err != nil {
			return fmt.Errorf("discard store %s: %w", st, err)
		}
	}
	return nil
}
