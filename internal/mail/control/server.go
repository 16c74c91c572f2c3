package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"example.org/ims/pkg/gateway"
)

// Options describe a server.
type Options struct {
	// Gateways are served by name. The map must not change afterwards.
	Gateways map[string]gateway.Gateway
	People   People
	// ChangeTimeout bounds one change or queue action. It runs to its end even
	// if the caller goes away, so that no caller's death leaves a change half
	// made. 0 is ten minutes.
	ChangeTimeout time.Duration
	// Log defaults to one that drops everything.
	Log *slog.Logger
}

// Server serves gateways. It is safe for concurrent use.
type Server struct {
	gateways map[string]gateway.Gateway
	people   People
	self     uint32
	limit    time.Duration
	log      *slog.Logger
	mux      *http.ServeMux
}

// NewServer makes a server that runs as the present user.
func NewServer(o Options) *Server {
	s := &Server{
		gateways: maps.Clone(o.Gateways), people: maps.Clone(o.People), self: uint32(os.Getuid()),
		limit: o.ChangeTimeout, log: o.Log, mux: http.NewServeMux(),
	}
	if s.limit == 0 {
		s.limit = 10 * time.Minute
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.routes()
	return s
}

// Serve answers at ln until ctx is done, then lets changes under way end and
// returns nil. It closes ln.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	h := &http.Server{
		Handler: s.mux, ConnContext: s.withPeer, MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	done := make(chan error, 1)
	go func() { done <- h.Serve(ln) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve control socket: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limit)
	defer cancel()
	err := h.Shutdown(grace)
	if serveErr := <-done; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	if err != nil {
		return fmt.Errorf("end control socket: %w", err)
	}
	return nil
}

// call is one request to one gateway.
type call struct {
	r    *http.Request
	ctx  context.Context
	gw   gateway.Gateway
	peer Peer
}

// handle registers a request that needs a right and answers with one value.
func (s *Server) handle(pattern string, need Right, answer func(call) (any, error)) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		v, err := s.answer(r, need, answer)
		s.write(w, r, v, err)
	})
}

func (s *Server) answer(r *http.Request, need Right, answer func(call) (any, error)) (any, error) {
	peer, err := allowed(r, need)
	if err != nil {
		return nil, err
	}
	c := call{r: r, ctx: r.Context(), peer: peer}
	if name := r.PathValue("name"); name != "" {
		gw, ok := s.gateways[name]
		if !ok {
			return nil, fmt.Errorf("find gateway %q: %w: %w", name, gateway.ErrNotFound, gateway.ErrRefused)
		}
		c.gw = gw
	}
	if need > View {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), s.limit)
		defer cancel()
		c.ctx = ctx
	}
	return answer(c)
}

// write sends a value, a list as JSON lines, or an error.
func (s *Server) write(w http.ResponseWriter, r *http.Request, v any, err error) {
	if b, ok := v.(io.ReadCloser); ok && err == nil {
		s.stream(w, r, b)
		return
	}
	if dl := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); dl != nil {
		s.log.Warn("control answer without deadline", "err", dl)
	}
	w.Header().Set("Content-Type", "application/json")
	status := http.StatusOK
	if err != nil {
		status, v = refusal(err)
		s.log.Info("control request refused", "path", r.URL.Path, "status", status, "err", err)
	}
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	if l, ok := v.(lines); ok {
		for item := range l {
			if enc.Encode(item) != nil {
				return // the caller went away; it sees a list that broke off
			}
		}
		return
	}
	if err := enc.Encode(v); err != nil {
		s.log.Info("control answer not sent", "path", r.URL.Path, "err", err)
	}
}

func refusal(err error) (int, any) {
	status, p := encode(err)
	return status, p
}

// lines is a list in the making.
type lines func(yield func(any) bool)

func list[T any](items []T) lines {
	return func(yield func(any) bool) {
		for i := range items {
			if !yield(&items[i]) {
				return
			}
		}
	}
}

// body reads a request's body strictly: a field that this server does not know
// may mean what it must not leave out.
func body(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("read request: %w: %w", err, gateway.ErrRefused)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("read request: more than one value: %w", gateway.ErrRefused)
	}
	return nil
}

func (s *Server) infos() []Info {
	var out []Info
	for _, name := range slices.Sorted(maps.Keys(s.gateways)) {
		gw := s.gateways[name]
		i := Info{Name: name, Caps: gw.Caps(), Abilities: []string{}}
		for _, a := range []struct {
			name string
			has  bool
		}{
			{"queues", has[gateway.Queues](gw)},
			{"tracker", has[gateway.Tracker](gw)},
			{"router", has[gateway.Router](gw)},
			{"clients", has[gateway.ClientLog](gw)},
			{"summary", has[gateway.Summarizer](gw)},
			{"bodies", has[gateway.Bodies](gw)},
		} {
			if a.has {
				i.Abilities = append(i.Abilities, a.name)
			}
		}
		out = append(out, i)
	}
	return out
}

func has[T any](gw gateway.Gateway) bool {
	_, ok := gw.(T)
	return ok
}
