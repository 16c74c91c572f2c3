package plan

import (
	"fmt"
	"time"

	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// Messages predicts the fate of what is queued now.
type Messages struct {
	Queued    int      `json:"queued"`
	Delivered int      `json:"delivered"`
	Returned  int      `json:"returned"`
	Held      int      `json:"held"`
	Fates     []Fate   `json:"fates,omitempty"`
	Notes     []string `json:"notes,omitempty"`
}

// Fate is the prediction for one queued entry.
type Fate struct {
	Message string   `json:"message"`
	From    string   `json:"from"` // "" is the null reverse-path
	Rcpts   []string `json:"rcpts"`
	Store   string   `json:"store"`
	Fate    string   `json:"fate"`
	Why     string   `json:"why"`
}

// Fates.
const (
	Deliver = "deliver"
	Return  = "return"
	Held    = "held"
)

// fates predicts what becomes of what is queued now. A destination that does
// not take a message now is taken to stay as it is.
func (m *maker) fates() {
	out := &m.plan.Messages
	for i := range m.in.Queue {
		f := m.fate(&m.in.Queue[i])
		switch f.Fate {
		case Held:
			out.Held++
		case Return:
			out.Returned++
		default:
			out.Delivered++
		}
		out.Queued++
		out.Fates = append(out.Fates, f)
	}
	if m.in.QueueWhy != "" {
		out.Notes = append(out.Notes, m.in.QueueWhy)
	}
	if out.Returned > 0 {
		out.Notes = append(out.Notes, "what is to be returned is delivered if its destination comes back in time")
	}
}

func (m *maker) fate(it *gateway.Item) Fate {
	f := Fate{Message: it.Message, From: it.From, Rcpts: it.Rcpts, Store: it.Store.String(), Fate: Deliver}
	switch expires, by := m.expires(it); {
	case it.Store.Side():
		f.Fate, f.Why = Held, "nothing leaves this store by itself"
		if it.Held != "" {
			f.Why = it.Held + "; " + f.Why
		}
	case it.Store != gateway.Out && it.Store != gateway.MTSIn:
		f.Why = "on its way; not tried yet"
	case it.Attempts == 0:
		f.Why = "not tried yet"
	case !expires.IsZero() && expires.Before(m.clock):
		f.Fate, f.Why = Return, fmt.Sprintf("%s expires %s, %s; last reply: %s", triedWords(it.Attempts), expires.UTC().Format(time.RFC3339), by, lastWords(it.Last))
	default:
		f.Why = fmt.Sprintf("%s goes on until %s; last reply: %s", triedWords(it.Attempts), expires.UTC().Format(time.RFC3339), lastWords(it.Last))
	}
	return f
}

// expires is when an entry is given up, and by what: its own time-out, or the
// short one that the runbook sets. Reports keep their own.
func (m *maker) expires(it *gateway.Item) (at time.Time, by string) {
	at, by = it.Expires, "before the run can end"
	if it.Class == "report" || m.flushAt.IsZero() {
		return at, by
	}
	flush := it.Accepted.Add(m.flushAfter)
	if flush.Before(m.flushAt) {
		flush = m.flushAt
	}
	if at.IsZero() || flush.Before(at) {
		return flush, "by the short time-outs of " + m.flushBy
	}
	return at, by
}

// flushed notes an effect that returns what does not move.
func (m *maker) flushed(st *machine.StateDef) {
	short := st.Do.Action == machine.QueueReturn || st.Do.Args.Timeouts > 0
	if short && m.flushAt.IsZero() {
		m.flushAt, m.flushAfter, m.flushBy = m.clock, st.Do.Args.Timeouts, st.ID
	}
}

func triedWords(n int) string {
	if n == 1 {
		return "tried once;"
	}
	return fmt.Sprintf("tried %d times;", n)
}

func lastWords(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
