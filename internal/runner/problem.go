package runner

import (
	"errors"
	"net/http"
	"time"

	"example.org/ims/internal/access"
	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
)

// Errors a caller branches on, beside ErrNoRun and access.ErrDenied.
var (
	// ErrNoRunner says that no runner answers at the socket.
	ErrNoRunner = errors.New("no runner is alive")
	// ErrRefused says that the run cannot take what it was told; nothing
	// was changed.
	ErrRefused = engine.ErrRefused
	// ErrUsage says that the request makes no sense.
	ErrUsage = errors.New("malformed request")
	// ErrUnknown says that something had to be read first and could not be;
	// nothing was changed.
	ErrUnknown = errors.New("not known")
)

// LockedError says that another runner is alive in the state directory.
type LockedError = journal.LockedError

// HeldError says that another run holds what a run needs.
type HeldError struct {
	Resource string    `json:"resource"`
	Run      string    `json:"run"`
	Owner    string    `json:"owner"`
	Since    time.Time `json:"since"`
	text     string
}

func (e *HeldError) Error() string { return e.text }

// Kinds of problems on the wire.
const (
	kindDenied   = "denied"
	kindHeld     = "held"
	kindRefused  = "refused"
	kindUsage    = "usage"
	kindUnknown  = "unknown"
	kindNotFound = "not-found"
	kindFailed   = "failed"
	kindDrift    = "drift"
	kindUsed     = "used"
)

// problem is the body of every answer that is not 200.
type problem struct {
	Kind string     `json:"kind"`
	Text string     `json:"error"`
	Held *HeldError `json:"held,omitempty"`

	Drift *DriftError `json:"drift,omitempty"`
	Used  *UsedError  `json:"used,omitempty"`
}

func (p *problem) Error() string { return p.Text }

// usage marks an error as the caller's, unless it says that something could
// not be read, or that the run is not to be.
func usage(err error) error {
	kind := kindUsage
	switch {
	case errors.Is(err, ErrUnknown):
		kind = kindUnknown
	case errors.Is(err, ErrRefused):
		kind = kindRefused
	case errors.Is(err, ErrDrift):
		kind = kindDrift
	}
	return &problem{Kind: kind, Text: err.Error()}
}

func problemOf(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	p := &problem{Kind: kindFailed, Text: err.Error()}
	if held, ok := errors.AsType[*journal.HeldError](err); ok {
		p.Kind = kindHeld
		p.Held = &HeldError{Resource: held.Resource, Run: held.Run, Owner: held.Owner, Since: held.Since}
		return p
	}
	if drift, ok := errors.AsType[*DriftError](err); ok {
		p.Kind, p.Drift = kindDrift, drift
		return p
	}
	if used, ok := errors.AsType[*UsedError](err); ok {
		p.Kind, p.Used = kindUsed, used
		return p
	}
	for _, k := range []struct {
		kind   string
		target error
	}{
		{kindDenied, access.ErrDenied},
		{kindRefused, engine.ErrRefused},
		{kindRefused, engine.ErrEnded},
		{kindNotFound, ErrNoRun},
		{kindNotFound, journal.ErrNoRun},
	} {
		if errors.Is(err, k.target) {
			p.Kind = k.kind
			break
		}
	}
	return p
}

func (p *problem) status() int {
	switch p.Kind {
	case kindDenied:
		return http.StatusForbidden
	case kindHeld, kindDrift, kindUsed:
		return http.StatusConflict
	case kindRefused:
		return http.StatusUnprocessableEntity
	case kindUsage:
		return http.StatusBadRequest
	case kindUnknown:
		return http.StatusBadGateway
	case kindNotFound:
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}

// remote is an error that came over the socket.
type remote struct {
	text string
	is   error
}

func (e *remote) Error() string { return e.text }
func (e *remote) Unwrap() error { return e.is }

// err is the problem as its reader gets it.
func (p *problem) err() error {
	switch p.Kind {
	case kindDenied:
		return &remote{p.Text, access.ErrDenied}
	case kindHeld:
		if p.Held != nil {
			p.Held.text = p.Text
			return p.Held
		}
	case kindDrift:
		if p.Drift != nil {
			return p.Drift
		}
		return &remote{p.Text, ErrDrift}
	case kindUsed:
		if p.Used != nil {
			return p.Used
		}
	case kindRefused:
		return &remote{p.Text, ErrRefused}
	case kindUsage:
		return &remote{p.Text, ErrUsage}
	case kindUnknown:
		return &remote{p.Text, ErrUnknown}
	case kindNotFound:
		return &remote{p.Text, ErrNoRun}
	}
	return errors.New(p.Text)
}
