package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"example.org/ims/internal/access"
	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
	"example.org/ims/pkg/machine"
)

// Lease is what a run holds alone: gateway/east, or space/SMTP:*.
type Lease struct {
	Resource string    `json:"resource"`
	Run      string    `json:"run"`
	Owner    string    `json:"owner"`
	Since    time.Time `json:"since"`
}

func leaseOf(l journal.Lease) Lease { return Lease{l.Resource, l.Run, l.Owner, l.Taken} }

func leasesOf(ctx context.Context, r *journal.Reader) ([]Lease, error) {
	all, err := r.Leases(ctx)
	out := make([]Lease, len(all))
	for i, l := range all {
		out[i] = leaseOf(l)
	}
	return out, err
}

// Break asks to take a lease away from its run.
type Break struct {
	Resource string `json:"resource"`
	Reason   string `json:"reason"`
}

func (s *Server) leases(r *http.Request, _ access.Peer) (any, error) {
	return leasesOf(r.Context(), s.journal.Reader)
}

func (s *Server) breakLease(r *http.Request, p access.Peer) (any, error) {
	var b Break
	if err := body(r, &b); err != nil {
		return nil, err
	}
	l, err := breakIn(r.Context(), s.journal, b, who(p))
	if err != nil {
		return nil, err
	}
	s.log.Warn("lease broken", "resource", l.Resource, "run", l.Run, "by", who(p), "reason", b.Reason)
	return l, nil
}

func breakIn(ctx context.Context, j *journal.Journal, b Break, actor string) (Lease, error) {
	if b.Reason == "" {
		return Lease{}, usage(errors.New("breaking a lease needs a reason"))
	}
	l, err := j.BreakLease(ctx, b.Resource, fmt.Sprintf("%s (%s)", b.Reason, actor))
	if errors.Is(err, journal.ErrNoLease) {
		return Lease{}, usage(fmt.Errorf("nobody holds %q", b.Resource))
	}
	return leaseOf(l), err
}

// brokenError says that somebody took a lease away from a run.
type brokenError struct{ resource, reason string }

func (e *brokenError) Error() string {
	return fmt.Sprintf("somebody took %s away from it: %s", e.resource, e.reason)
}

func (e *brokenError) Unwrap() error { return journal.ErrFenced }

// explained says who stopped a run by breaking a lease, and why, where the run
// itself knows only that its epoch is over.
func (s *Server) explained(ctx context.Context, id string, err error) error {
	if !errors.Is(err, journal.ErrFenced) {
		return err
	}
	entries, readErr := s.journal.Records(ctx, id, 0)
	if readErr != nil || len(entries) == 0 || entries[len(entries)-1].Kind != journal.KindLeaseBroken {
		return err // somebody performs it elsewhere
	}
	var b struct{ Reason, Resource string }
	if json.Unmarshal(entries[len(entries)-1].Body, &b) != nil {
		return err
	}
	return &brokenError{b.Resource, b.Reason}
}

// Leases lists what runs hold alone.
func (c *Client) Leases(ctx context.Context) ([]Lease, error) {
	return ask[[]Lease](ctx, c, http.MethodGet, "/v1/leases", nil)
}

// BreakLease takes a lease away from its run, which stops there: it can be
// resumed only once the resource is free for it again. It returns the lease as
// it was.
func (c *Client) BreakLease(ctx context.Context, b Break) (Lease, error) {
	return ask[Lease](ctx, c, http.MethodPost, "/v1/leases/break", b)
}

// ReadLeases lists what runs hold alone, from the journal of a state directory.
func ReadLeases(ctx context.Context, dir string) ([]Lease, error) {
	var all []Lease
	err := reading(ctx, dir, func(r *journal.Reader) (err error) {
		all, err = leasesOf(ctx, r)
		return err
	})
	if errors.Is(err, ErrNoRun) {
		return nil, nil
	}
	return all, err
}

// BreakLease does so without a runner. Errors: *LockedError if one is alive.
func BreakLease(ctx context.Context, dir string, b Break) (l Lease, err error) {
	err = alone(ctx, dir, func(j *journal.Journal) (err error) {
		l, err = breakIn(ctx, j, b, self())
		return err
	})
	return l, err
}

// Pause pauses an open run, or lets it go on, while no runner is alive; the next
// one finds it so. Errors: *LockedError if one is alive, ErrRefused.
func Pause(ctx context.Context, dir, run string, pause bool, reason string) error {
	return record(ctx, dir, run, reason, func(st *Status, rec *machine.Record) error {
		rec.Kind = machine.Unpaused
		switch {
		case pause && st.Paused != nil:
			return fmt.Errorf("%w: %s paused the run already", ErrRefused, st.Paused.Actor)
		case pause:
			rec.Kind = machine.Paused
		case st.Paused == nil:
			return fmt.Errorf("%w: the run is not paused", ErrRefused)
		}
		return nil
	})
}

// Note writes into the journal of an open run what somebody did beside it, while
// no runner is alive. Errors: *LockedError if one is alive, ErrRefused.
func Note(ctx context.Context, dir, run, text string) error {
	return record(ctx, dir, run, text, func(_ *Status, rec *machine.Record) error {
		rec.Kind = machine.Noted
		if text == "" {
			return fmt.Errorf("%w: a note says something", ErrRefused)
		}
		return nil
	})
}

// record adds to the journal of an open run, while no runner is alive, what the
// user of this process says; fill gives it its kind, or refuses it.
func record(ctx context.Context, dir, run, words string, fill func(*Status, *machine.Record) error) error {
	return alone(ctx, dir, func(j *journal.Journal) error {
		st, err := fromJournal(ctx, j.Reader, run)
		if err != nil {
			return err
		}
		if st.Ended() {
			return fmt.Errorf("%w: the run has ended", ErrRefused)
		}
		rec := machine.Record{At: time.Now(), Detail: machine.Detail{State: st.State, Actor: self(), Comment: words}}
		if err := fill(&st, &rec); err != nil {
			return err
		}
		resumed := machine.Record{
			Kind: machine.Resumed.String(), At: rec.At, Event: machine.Event{Kind: machine.Resumed}, Detail: machine.Detail{Actor: owner()},
		}
		records, err := engine.Encode(resumed, rec)
		if err != nil {
			return err
		}
		_, err = j.Resume(ctx, run, owner(), records...)
		return err
	})
}

// alone lends the journal of a state directory whose runner is not alive.
func alone(ctx context.Context, dir string, f func(*journal.Journal) error) (err error) {
	lock, err := journal.Lock(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	j, err := journal.Open(ctx, dir, journal.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	return f(j)
}

// self is the user of this process, as approvals know people.
func self() string { return who(access.Peer{Self: true}) }
