package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"time"

	"example.org/ims/internal/access"
)

// Pace of a stream: not more often than readable, and often enough to tell a
// quiet run from a dead runner.
const (
	watchAtMost = 100 * time.Millisecond
	watchBeat   = 10 * time.Second
)

// status is the present status of a run, performed here or not.
func (s *Server) status(ctx context.Context, id string) (Status, error) {
	h, ok := s.find(id)
	if !ok || h.engine == nil {
		st, err := fromJournal(ctx, s.journal.Reader, id)
		if ok {
			st.Problem, st.Again = s.problem(h)
		}
		s.untold(&st)
		return st, err
	}
	return s.present(ctx, h)
}

func (s *Server) present(ctx context.Context, h *hosted) (st Status, err error) {
	if h.over() {
		st, err = fromJournal(ctx, s.journal.Reader, h.id)
		st.Problem, st.Again = s.problem(h)
	} else {
		st = describe(h.engine.Status(), h.book)
		st.Alive, st.PID, st.Opener = true, os.Getpid(), h.opener
	}
	s.untold(&st)
	return st, err
}

// untold adds to a status who is not told what happens in the run.
func (s *Server) untold(st *Status) {
	if s.people == nil {
		return
	}
	st.Notes = slices.Clone(st.Notes) // the engine shares them
	for _, line := range s.people.Untold(st.Run) {
		st.Notes = append(st.Notes, "notify: "+line)
	}
}

// watch streams the status of a run until it has ended, newest first: what a
// slow reader did not take is replaced.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("run")
	if _, err := access.Allowed(r, access.View); err != nil {
		s.reply(w, r, nil, err)
		return
	}
	h, ok := s.find(id) // before its status: a run that ends from here on is noticed by h.done
	first, err := s.status(r.Context(), id)
	if err != nil {
		s.reply(w, r, nil, err)
		return
	}
	out := &stream{w: w, flush: http.NewResponseController(w)}
	w.Header().Set("Content-Type", "application/jsonl")
	if !out.send(first, true) || !ok || h.engine == nil || first.Ended() || first.Problem != "" {
		return
	}
	news, end := h.engine.Subscribe()
	defer end()
	beat := time.NewTicker(watchBeat)
	defer beat.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-h.done: // before s.closed, which follows the last run
			s.last(r.Context(), out, h)
			return
		case <-beat.C:
		case <-news:
		}
		st, err := s.present(r.Context(), h)
		if err != nil || !out.send(st, false) {
			return
		}
		select { // not faster than people read
		case <-time.After(watchAtMost):
		case <-h.done:
		}
	}
}

// last sends how a run ended. A run that stopped because its runner ends has
// not, and its stream just breaks off.
func (s *Server) last(ctx context.Context, out *stream, h *hosted) {
	if why, _ := s.problem(h); h.err != nil && why == "" {
		return
	}
	if st, err := s.present(ctx, h); err == nil {
		out.send(st, true)
	}
}

type stream struct {
	w     http.ResponseWriter
	flush *http.ResponseController
	prev  []byte
	at    time.Time
}

// send writes a status if it differs from the one before, or as a sign of life.
func (o *stream) send(s Status, always bool) bool {
	line, err := json.Marshal(s)
	if err != nil {
		return false
	}
	if !always && bytes.Equal(line, o.prev) && time.Since(o.at) < watchBeat {
		return true
	}
	o.prev, o.at = line, time.Now()
	if err := o.flush.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
		return false
	}
	if _, err := o.w.Write(append(line, '\n')); err != nil {
		return false
	}
	return o.flush.Flush() == nil
}
