package runner

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
)

// FailPoint is an instant at which a process kills itself, as a power cut
// would. The zero value is never.
type FailPoint struct {
	Before, After int    // this commit of the journal, counted since it was opened
	Between       string // the act and the outcome of this state
}

// ParseFailPoint reads "before:7", "after:7", "between:STATE", or "" for none.
func ParseFailPoint(s string) (FailPoint, error) {
	var f FailPoint
	if s == "" {
		return f, nil
	}
	when, what, _ := strings.Cut(s, ":")
	var err error
	switch when {
	case "before":
		f.Before, err = strconv.Atoi(what)
	case "after":
		f.After, err = strconv.Atoi(what)
	case "between":
		f.Between = what
	default:
		err = errors.New("want before:N, after:N or between:STATE")
	}
	if err != nil {
		return f, fmt.Errorf("read fail point %q: %w", s, err)
	}
	return f, nil
}

func (f FailPoint) journal() journal.Options {
	at := func(wanted int) func(int) {
		if wanted == 0 {
			return nil
		}
		return func(n int) {
			if n == wanted {
				die()
			}
		}
	}
	return journal.Options{BeforeCommit: at(f.Before), AfterCommit: at(f.After)}
}

func (f FailPoint) between(e engine.Effect) {
	if f.Between != "" && e.State == f.Between {
		die()
	}
}

// die ends this process without a trace of tidiness.
func die() {
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		panic(err) // a process may always kill itself
	}
	select {} // the signal is on its way
}
