package output

import (
	"errors"
	"fmt"
)

// Kind is why a command did not simply succeed. Kinds are ordered by gravity:
// of several, the gravest decides, so any fail beats any unknown.
type Kind uint8

// Kinds, mildest first.
const (
	Done        Kind = iota // did what was asked; ready
	Waiting                 // in progress, or waiting for somebody
	Stalled                 // something should move and does not
	Unknown                 // could not be observed; inconclusive
	Drift                   // the world is not what it was
	Blocked                 // a guard fails, a property is violated
	Failed                  // everything else
	Usage                   // the command line or a file is malformed
	Interrupted             // somebody pressed Ctrl-C
)

// Code is the exit code of a kind: the one switch that decides it.
func (k Kind) Code() int {
	switch k {
	case Done:
		return 0
	case Failed:
		return 1
	case Blocked:
		return 2
	case Waiting:
		return 3
	case Stalled:
		return 4
	case Drift:
		return 5
	case Unknown:
		return 6
	case Usage:
		return 64
	case Interrupted:
		return 130
	}
	return 1
}

func (k Kind) String() string {
	switch k {
	case Done:
		return "done"
	case Failed:
		return "failed"
	case Blocked:
		return "blocked: a guard fails or a property is violated"
	case Waiting:
		return "in progress, or waiting for somebody"
	case Stalled:
		return "stalled"
	case Drift:
		return "drift: the world is not what it was"
	case Unknown:
		return "unknown: something could not be observed"
	case Usage:
		return "usage, or malformed input"
	case Interrupted:
		return "interrupted"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Error is an error that knows its kind, and the command that helps.
type Error struct {
	Kind  Kind
	Hint  string // a command that can be pasted, or empty
	Quiet bool   // the command has said it already
	Err   error
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// As gives err a kind and a hint; a nil err stays nil.
func As(kind Kind, hint string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Hint: hint, Err: err}
}

// Said ends a command whose result, already printed, is of a kind other than
// done: it sets the exit code and prints nothing. Said(Done) is nil.
func Said(kind Kind) error {
	if kind == Done {
		return nil
	}
	return &Error{Kind: kind, Quiet: true, Err: errors.New(kind.String())}
}

// KindOf is the kind of an error: Done for nil, the gravest of those in its
// tree, and Failed for an error that knows none.
func KindOf(err error) Kind { return find(err).Kind }

// Worse returns the graver of two kinds.
func Worse(a, b Kind) Kind { return max(a, b) }

// find returns the gravest Error in a tree; the outermost wins among equals.
func find(err error) *Error {
	if err == nil {
		return &Error{Kind: Done}
	}
	if e, ok := err.(*Error); ok { //nolint:errorlint // this walks the tree itself
		return e
	}
	switch u := err.(type) { //nolint:errorlint // this walks the tree itself
	case interface{ Unwrap() error }:
		if inner := u.Unwrap(); inner != nil {
			return find(inner)
		}
	case interface{ Unwrap() []error }:
		var worst *Error
		for _, inner := range u.Unwrap() {
			if e := find(inner); worst == nil || e.Kind > worst.Kind {
				worst = e
			}
		}
		if worst != nil {
			return worst
		}
	}
	return &Error{Kind: Failed}
}
