package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// implied is what a chain says about the columns and leases beside it.
type implied struct {
	epoch               int64  // 0 before the first row, which tells
	owner, end, outcome string // end is "" while the run is open
	leases              []string
}

// apply takes one row into account. A new epoch begins with a record of the
// journal's own, and nothing follows the end.
func (im *implied) apply(r row, wanted []string) error {
	if im.end != "" {
		return errors.New("follows the end of the run")
	}
	newer := r.kind == KindResumed || r.kind == KindLeaseBroken
	if im.epoch == 0 || (newer && r.epoch > im.epoch) {
		im.epoch, newer = r.epoch, false
	}
	if newer {
		return fmt.Errorf("begins epoch %d after %d", r.epoch, im.epoch)
	}
	if r.epoch != im.epoch {
		return fmt.Errorf("has epoch %d where it is %d", r.epoch, im.epoch)
	}
	if !Own(r.kind) {
		return nil
	}
	var body struct{ Owner, Outcome, Resource string }
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		return fmt.Errorf("kind %q: %w", r.kind, err)
	}
	switch r.kind {
	case KindResumed:
		im.owner, im.leases = body.Owner, slices.Clone(wanted)
	case KindLeaseBroken:
		im.leases = slices.DeleteFunc(im.leases, func(l string) bool { return l == body.Resource })
	case KindClosed:
		im.end, im.outcome, im.leases = r.at, body.Outcome, nil
	default:
		return fmt.Errorf("kind %q is not known", r.kind)
	}
	return nil
}

// compare looks for a column or lease that says something else.
func (im *implied) compare(s Summary, held []Lease) error {
	closed := ""
	if !s.Closed.IsZero() {
		closed = s.Closed.Format(timeLayout)
	}
	switch {
	case im.epoch != 0 && s.Epoch != im.epoch:
		return fmt.Errorf("epoch is %d, its records say %d", s.Epoch, im.epoch)
	case s.Performer != im.owner:
		return fmt.Errorf("owner is %q, its records say %q", s.Performer, im.owner)
	case closed != im.end || s.Outcome != im.outcome:
		return fmt.Errorf("closed %q as %q, its records say %q as %q", closed, s.Outcome, im.end, im.outcome)
	}
	var have []string
	for _, l := range held {
		if l.Run != s.ID {
			continue
		}
		have = append(have, l.Resource)
		if l.Epoch != s.Epoch || l.Owner != s.Performer {
			return fmt.Errorf("lease %q has epoch %d and owner %q, the run %d and %q",
				l.Resource, l.Epoch, l.Owner, s.Epoch, s.Performer)
		}
	}
	if !slices.Equal(have, im.leases) {
		return fmt.Errorf("holds %q, its records say %q", have, im.leases)
	}
	return nil
}
