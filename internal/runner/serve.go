package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/user"
	"time"

	"example.org/ims/internal/access"
	"example.org/ims/internal/engine"
)

// Info says who serves.
type Info struct {
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	Dir     string    `json:"dir"`
	Open    int       `json:"open"` // runs that are performed
}

// maxBody bounds a request. One for a run may bring a saved plan, which lists
// what is queued.
const (
	maxBody = 1 << 20
	maxPlan = 160 << 20
)

// grace is how long answers under way may take once the runner ends.
const grace = 5 * time.Second

func (s *Server) http(ctx context.Context) *http.Server {
	mux := http.NewServeMux()
	for _, h := range []struct {
		pattern string
		need    access.Right
		answer  func(*http.Request, access.Peer) (any, error)
	}{
		{"GET /v1/runner", access.View, s.info},
		{"GET /v1/runs", access.View, s.list},
		{"POST /v1/runs", access.Operate, s.create},
		{"GET /v1/runs/{run}", access.View, func(r *http.Request, _ access.Peer) (any, error) { return s.status(r.Context(), r.PathValue("run")) }},
		{"GET /v1/runs/{run}/monitor", access.View, s.monitor},
		{"POST /v1/runs/{run}/approve", access.Approve, s.tell(engine.Approve)},
		{"POST /v1/runs/{run}/reject", access.Approve, s.tell(engine.Reject)},
		{"POST /v1/runs/{run}/resume", access.Operate, s.tell(engine.Continue)},
		{"POST /v1/runs/{run}/abort", access.Operate, s.tell(engine.Abort)},
		{"POST /v1/runs/{run}/pause", access.Operate, s.tell(engine.Pause)},
		{"POST /v1/runs/{run}/note", access.Operate, s.tell(engine.Note)},
		{"POST /v1/runs/{run}/continue", access.Operate, s.tell(engine.Unpause)},
		{"GET /v1/leases", access.View, s.leases},
		{"POST /v1/leases/break", access.Operate, s.breakLease},
		{"POST /v1/shutdown", access.Operate, s.end},
		{"/", access.View, func(r *http.Request, _ access.Peer) (any, error) {
			return nil, &problem{Kind: kindNotFound, Text: fmt.Sprintf("%s %s: no such request", r.Method, r.URL.Path)}
		}},
	} {
		mux.HandleFunc(h.pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, limit(h.pattern))
			peer, err := access.Allowed(r, h.need)
			var v any
			if err == nil {
				v, err = h.answer(r, peer)
			}
			s.reply(w, r, v, err)
		})
	}
	mux.HandleFunc("GET /v1/runs/{run}/watch", s.watch)
	return &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			ctx, err := s.opts.People.Conn(ctx, c, s.self)
			if err != nil {
				s.log.Warn("peer of a connection unknown", "err", err)
			}
			return ctx
		},
	}
}

func limit(pattern string) int64 {
	if pattern == "POST /v1/runs" {
		return maxPlan
	}
	return maxBody
}

// stopServing lets answers under way end.
func (s *Server) stopServing(ctx context.Context, h *http.Server, done <-chan error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := h.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) { // a reader that does not read
		err = h.Close()
	}
	select {
	case serveErr := <-done:
		if !errors.Is(serveErr, http.ErrServerClosed) {
			err = errors.Join(err, serveErr)
		}
	default: // it ended before, which the caller knows
	}
	return err
}

// reply sends a value or an error.
func (s *Server) reply(w http.ResponseWriter, r *http.Request, v any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		p := problemOf(err)
		s.log.Info("request refused", "path", r.URL.Path, "kind", p.Kind, "err", err)
		w.WriteHeader(p.status())
		v = p
	}
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.log.Info("answer not sent", "path", r.URL.Path, "err", err)
	}
}

// body reads a request's body strictly.
func body(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return usage(fmt.Errorf("read request: %w", err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return usage(errors.New("read request: more than one value"))
	}
	return nil
}

// who is the peer's name, as approvals know it.
func who(p access.Peer) string {
	if p.Name == "" && p.Self {
		if u, err := user.Current(); err == nil {
			return u.Username
		}
	}
	return p.Who()
}

func (s *Server) info(*http.Request, access.Peer) (any, error) {
	return Info{PID: os.Getpid(), Started: s.started, Dir: s.opts.Dir, Open: s.open()}, nil
}

func (s *Server) list(r *http.Request, _ access.Peer) (any, error) {
	return list(r.Context(), s.journal.Reader)
}

// opened answers Request.
type opened struct {
	Run string `json:"run"`
}

func (s *Server) create(r *http.Request, p access.Peer) (any, error) {
	var req Request
	if err := body(r, &req); err != nil {
		return nil, err
	}
	// A caller that goes away leaves no half-opened run.
	id, err := s.openRun(context.WithoutCancel(r.Context()), req, who(p))
	if err != nil {
		return nil, err
	}
	s.log.Info("run opened", "run", id, "by", who(p))
	return opened{id}, nil
}

// Answer is what a person tells a run.
type Answer struct {
	State   string `json:"state,omitempty"`
	Choice  string `json:"choice,omitempty"`
	Comment string `json:"comment,omitempty"`
}

func (s *Server) tell(verb engine.Verb) func(*http.Request, access.Peer) (any, error) {
	return func(r *http.Request, p access.Peer) (any, error) {
		var a Answer
		if err := body(r, &a); err != nil {
			return nil, err
		}
		h, ok := s.find(r.PathValue("run"))
		if !ok || h.engine == nil || h.over() {
			if verb == engine.Continue {
				return struct{}{}, s.takeUp(r.Context(), r.PathValue("run"), who(p))
			}
			if _, err := s.status(r.Context(), r.PathValue("run")); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("%w: the run is not performed", engine.ErrRefused)
		}
		err := h.engine.Tell(r.Context(), engine.Command{Verb: verb, State: a.State, Choice: a.Choice, Actor: who(p), Comment: a.Comment})
		if err != nil {
			return nil, err
		}
		s.log.Info("told", "run", h.id, "verb", string(verb), "by", who(p))
		return struct{}{}, nil
	}
}

func (s *Server) end(_ *http.Request, p access.Peer) (any, error) {
	s.log.Info("end asked for", "by", who(p))
	s.stopOnce.Do(func() { close(s.shutdown) })
	return struct{}{}, nil
}
