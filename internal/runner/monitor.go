package runner

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"example.org/ims/internal/access"
	"example.org/ims/internal/journal"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/guard"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// Monitor is a run as somebody who watches it wants it: its status, the whole
// procedure, why the present state does not end, and what the journal says
// since.
type Monitor struct {
	Status
	Steps       []Step      `json:"steps"`
	Conditions  []Condition `json:"conditions,omitempty"`  // of the present state
	Stall       *Stall      `json:"stall,omitempty"`       // what led to the present state, if that was one
	Authorities []Authority `json:"authorities,omitempty"` // of the domains' MX
	Viewers     []string    `json:"viewers,omitempty"`     // who watches, one a monitor, this one included
	Lines       []Line      `json:"lines"`                 // of the journal, oldest first, at most 500
}

// Step is a state of the procedure, whether it was visited or not.
type Step struct {
	Number int      `json:"number"` // machine.Def.Number
	State  string   `json:"state"`
	Title  string   `json:"title"`
	Kind   string   `json:"kind"`
	Source []string `json:"source,omitempty"`
}

// Condition is one guard of the present state and what it was judged on.
type Condition struct {
	That    string            `json:"that"`
	Verdict string            `json:"verdict"`
	Why     string            `json:"why"`
	Fix     string            `json:"fix,omitempty"`
	Facts   map[string]string `json:"facts"`
}

// Stall is a count that did not fall for as long as the runbook lets it stand.
type Stall struct {
	Since  time.Time `json:"since"`  // when it fell last, at the latest
	Called time.Time `json:"called"` // when the run's stall timer ran out
}

// Authority is the last known answer of one address of one name server.
type Authority struct {
	Domain string    `json:"domain"`
	Server string    `json:"server"`
	Answer string    `json:"answer"`
	TTL    uint32    `json:"ttl"`             // seconds
	At     time.Time `json:"at"`              // when it was given last, as far as the journal says
	Stale  bool      `json:"stale,omitempty"` // the run changed DNS since, and did not ask again
}

// steps are the states of a procedure.
func steps(book *runbook.Book) []Step {
	list := make([]Step, len(book.Def.States))
	for i := range book.Def.States {
		st := &book.Def.States[i]
		list[i] = Step{Number: book.Def.Number(i), State: st.ID, Title: st.Title, Kind: st.Kind.String(), Source: st.Sources}
	}
	return list
}

// conditions are the guards of the present state, judged on the facts of a
// status.
func conditions(s *Status, book *runbook.Book) []Condition {
	i := book.Def.Find(s.State)
	if i == machine.Here || s.Undoing || s.Ended() {
		return nil
	}
	st, all := &book.Def.States[i], guard.All(nil)
	switch {
	case st.Do != nil && st.Do.Pre != machine.Here:
		all = book.Guards[st.Do.Pre]
	case st.Wait != nil:
		all = book.Guards[st.Wait.Until]
	case st.Kind == machine.KindAssert:
		all = book.Guards[st.Assert]
	}
	v := facts.UnknownVector()
	for _, id := range facts.All() {
		if text, ok := s.Facts[id.String()]; ok {
			if value, err := id.Parse(text); err == nil {
				v[id] = value
			}
		}
	}
	var list []Condition
	for _, f := range all.Findings(&v) {
		c := Condition{That: f.Guard.Expr, Verdict: f.Verdict.String(), Why: f.Guard.Why, Fix: f.Guard.Fix, Facts: map[string]string{}}
		for _, id := range f.Guard.Refs {
			c.Facts[id.String()] = s.Facts[id.String()]
		}
		list = append(list, c)
	}
	return list
}

// monitor makes the answer to one monitor. A monitor says which it is, so that
// others can see it.
func (s *Server) monitor(r *http.Request, p access.Peer) (any, error) {
	run, q := r.PathValue("run"), r.URL.Query()
	after, err := strconv.ParseInt(q.Get("after"), 10, 64)
	if err != nil && q.Get("after") != "" {
		return nil, usage(fmt.Errorf("read request: after: %w", err))
	}
	st, err := s.status(r.Context(), run)
	if err != nil {
		return nil, err
	}
	sum, err := s.journal.Run(r.Context(), run)
	if err != nil {
		return nil, err
	}
	h, ok := s.find(run)
	book := (*runbook.Book)(nil)
	if ok {
		book = h.book
	}
	if book == nil {
		if _, book, err = bound(sum); err != nil {
			return nil, err
		}
	}
	t := s.watchers.tail(run)
	if err := t.read(r.Context(), s.journal.Reader, run); err != nil {
		return nil, err
	}
	m := Monitor{Status: st, Steps: steps(book), Conditions: conditions(&st, book)}
	m.Viewers = s.watchers.seen(run, q.Get("viewer"), who(p))
	t.fill(&m, book, after)
	return m, nil
}

// Monitor asks for a run with all that a monitor shows, and the lines of its
// journal above after. viewer is a word that this monitor alone uses.
func (c *Client) Monitor(ctx context.Context, run, viewer string, after int64) (Monitor, error) {
	q := url.Values{"viewer": {viewer}, "after": {strconv.FormatInt(after, 10)}}
	return ask[Monitor](ctx, c, http.MethodGet, path(run, "/monitor?"+q.Encode()), nil)
}

// ReadMonitor reads a run from the journal of a state directory, as [Read] does.
// Errors: ErrNoRun.
func ReadMonitor(ctx context.Context, dir, id string) (Monitor, error) {
	return readOrAsk(ctx, dir, id, monitorOf, func(c *Client, id string) (Monitor, error) { return c.Monitor(ctx, id, "", 0) })
}

func monitorOf(ctx context.Context, r *journal.Reader, id string) (m Monitor, err error) {
	if m.Status, err = fromJournal(ctx, r, id); err != nil {
		return m, err
	}
	sum, err := r.Run(ctx, id)
	if err != nil {
		return m, err
	}
	_, book, err := bound(sum)
	if err != nil {
		return m, err
	}
	m.Steps, m.Conditions = steps(book), conditions(&m.Status, book)
	var t tail
	if err := t.read(ctx, r, id); err != nil {
		return m, err
	}
	t.fill(&m, book, 0)
	return m, nil
}
