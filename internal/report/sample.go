package report

import (
	"strings"
	"time"

	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// charted is how many facts are drawn: those of the stores, then those of the
// bands.
const charted = len(stores) + len(bands)

// notObserved is the value of a fact while nobody looked.
const notObserved = ""

// sample is what was known from a moment on.
type sample struct {
	at     time.Time
	values [charted]string // notObserved before the first look, and while nobody looked
}

// columns says where in a sample each fact that is drawn is.
func columns() map[string]int {
	at := make(map[string]int, charted)
	for i := range stores {
		at[stores[i].id.String()] = i
	}
	for i := range bands {
		at[bands[i].id.String()] = len(stores) + i
	}
	return at
}

// silence is the longest time between two records of a run that somebody looks
// at: what stays as it is, is journalled every ten minutes at least.
func silence(book *runbook.Book) time.Duration {
	poll := 30 * time.Second
	if d, ok := book.Duration("poll"); ok {
		poll = max(poll, d)
	}
	for i := range book.Def.States {
		if w := book.Def.States[i].Wait; w != nil {
			poll = max(poll, w.Poll)
		}
	}
	return 15*time.Minute + 2*poll
}

// series folds the observations of a run: what is drawn, whenever it changed.
// Between the last record of a runner and the first look of the next nobody
// looked, nor in a silence that is longer than a runner's.
func series(records []machine.Record, longest time.Duration, end time.Time) []sample {
	var now [charted]string
	var all []sample
	var last time.Time // up to which somebody looked
	place := columns()
	put := func(at time.Time, values [charted]string) {
		if n := len(all); n == 0 && values != [charted]string{} || n > 0 && all[n-1].values != values {
			all = append(all, sample{at, values})
		}
	}
	for i := range records {
		r := &records[i]
		from := r.At
		if r.Kind == machine.Observed && !r.Detail.From.IsZero() && r.Detail.From.Before(from) {
			from = r.Detail.From
		}
		if i > 0 && (r.Kind == machine.Resumed.String() || from.Sub(last) > longest) {
			put(last, [charted]string{})
		}
		last = r.At
		if r.Kind != machine.Observed {
			continue
		}
		for name, value := range r.Detail.Facts {
			if at, ok := place[name]; ok {
				now[at] = value
			}
		}
		put(r.At, now)
	}
	if end.Sub(last) > longest {
		put(last, [charted]string{})
	}
	return all
}

// gap is a time in which not all that is drawn was known.
type gap struct {
	from, to time.Time
	why      string
}

// gaps are the times in which why finds a reason; neighbours of one reason are
// one.
func gaps(all []sample, end time.Time, why func(*sample) string) []gap {
	var out []gap
	for i := range all {
		to := end
		if i+1 < len(all) {
			to = all[i+1].at
		}
		reason := why(&all[i])
		switch n := len(out); {
		case reason == "":
		case n > 0 && out[n-1].why == reason && out[n-1].to.Equal(all[i].at):
			out[n-1].to = to
		default:
			out = append(out, gap{all[i].at, to, reason})
		}
	}
	return out
}

// unseen is why nothing is known.
func unseen(s *sample) string {
	if s.values == [charted]string{} {
		return "not observed"
	}
	return ""
}

// uncounted is why not every store was counted.
func uncounted(s *sample) string {
	var names []string
	for i := range stores {
		if _, known := count(s.values[i]); !known {
			names = append(names, stores[i].name)
		}
	}
	if why := unseen(s); why != "" || len(names) == 0 {
		return why
	}
	return "unknown: " + strings.Join(names, ", ")
}
