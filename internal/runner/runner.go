// Package runner is the process that performs runs: one a state directory,
// the only writer of its journal. It opens runs, resumes every run that a dead
// runner left open, hosts one engine a run, and answers at a Unix socket to
// people who look, decide and abort. A client of that socket is here too, and
// so is the reading of a journal while no runner is alive.
//
//	GET  /v1/runner                 who serves, since when
//	GET  /v1/runs                   every run, oldest first
//	POST /v1/runs                   open a run: Request, perhaps from a saved plan
//	GET  /v1/runs/RUN               its Status
//	GET  /v1/runs/RUN/watch         its Status whenever it changed, as JSON lines
//	GET  /v1/runs/RUN/monitor       its Monitor: ?viewer=WORD&after=SEQ
//	POST /v1/runs/RUN/{approve,reject,resume,abort,pause,continue,note}
//	GET  /v1/leases                 what runs hold alone
//	POST /v1/leases/break           take one away from its run
//	POST /v1/shutdown
//
// Who may do what is decided by internal/access: looking needs view, opening,
// resuming and aborting need operate, deciding needs approve. The runner knows
// no adapter and no configuration: a Site makes the world of a run.
//
// A run goes on under the rules of the core version that opened it; one whose
// core this program does not know is refused. A journal is never repaired.
package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"example.org/ims/internal/access"
	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
	"example.org/ims/internal/notify"
	"example.org/ims/pkg/runbook"
)

// SocketName is the name of the runner's socket in its state directory.
const SocketName = "runner.sock"

// Socket is the path of the socket of a state directory.
func Socket(dir string) string { return filepath.Join(dir, SocketName) }

// Request asks for a run. Empty fields mean the configuration's defaults.
type Request struct {
	Gateway   string            `json:"gateway"`
	Successor string            `json:"successor,omitempty"`
	Runbook   string            `json:"runbook,omitempty"`
	Params    map[string]string `json:"params,omitempty"`
	// Adopt says why a gateway is taken over from a run whose journal is gone;
	// "" takes none over.
	Adopt string `json:"adopt,omitempty"`
	// Plan is a saved plan, which says all of the above; a run from it is
	// refused if it does not hold any more.
	Plan json.RawMessage `json:"plan,omitempty"`
}

// Site makes of a configuration what a run needs.
type Site interface {
	// Runbook reads the runbook that a request names.
	Runbook(name string) (file string, source []byte, err error)
	// Bind fixes what a run is about, and what it must hold alone: sorted
	// names such as gateway/east and space/SMTP:*.
	Bind(ctx context.Context, r Request) (b runbook.Binding, leases []string, err error)
	// Epoch is the greatest epoch that the gateways of a run remember.
	Epoch(ctx context.Context, b runbook.Binding) (uint64, error)
	// World connects a bound run to the gateways and zones that it is about.
	World(ctx context.Context, book *runbook.Book) (engine.World, error)
}

// Options of a runner.
type Options struct {
	Dir     string // state directory
	Site    Site
	People  access.People
	Log     *slog.Logger    // drops everything if nil
	Targets []notify.Target // who is told what happens in runs
	Digest  time.Duration   // how often of a soak
	// Once ends the runner when no run is open any more. One that nobody asks
	// for a run ends after a minute.
	Once bool
	// FailPoint is where a crash test kills this process.
	FailPoint FailPoint
}

// Server is a runner. Its methods are safe for concurrent use.
type Server struct {
	opts    Options
	log     *slog.Logger
	lock    *journal.ProcessLock
	journal *journal.Journal
	people  *notify.Notifier // nil if nobody is told
	ln      net.Listener
	self    uint32
	started time.Time

	taking   sync.Mutex // held while a stopped run is resumed
	opening  sync.Mutex // held while a run is opened, of which there is one at a time
	mu       sync.Mutex
	runs     map[string]*hosted
	closing  bool
	engines  sync.WaitGroup
	shutdown chan struct{} // closed when somebody asks for the end
	stopOnce sync.Once
	idle     chan struct{} // a run ended, or was opened
	watchers watchers
}

// Open takes the lock of the state directory, opens its journal and its socket.
// Errors: *journal.LockedError if another runner is alive, and those of
// journal.Open and access.Listen.
func Open(ctx context.Context, o Options) (s *Server, err error) {
	if err := access.Folder(o.Dir); err != nil {
		return nil, fmt.Errorf("open state directory: %w", err)
	}
	s = &Server{
		opts: o, log: o.Log, self: uint32(os.Getuid()), started: time.Now(), runs: map[string]*hosted{},
		shutdown: make(chan struct{}), idle: make(chan struct{}, 1),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.lock, err = journal.Lock(o.Dir); err != nil {
		return nil, err
	}
	s.journal, err = journal.Open(ctx, o.Dir, o.FailPoint.journal())
	if err != nil {
		return nil, errors.Join(err, s.lock.Unlock())
	}
	if len(o.Targets) > 0 {
		s.people, err = notify.Open(notify.Options{Dir: o.Dir, Targets: o.Targets, Digest: o.Digest, Log: s.log})
		if err != nil {
			return nil, errors.Join(err, s.journal.Close(), s.lock.Unlock())
		}
	}
	if s.ln, err = access.Listen(Socket(o.Dir)); err != nil {
		return nil, errors.Join(err, s.release())
	}
	return s, nil
}

// Serve resumes every open run, performs runs and answers at the socket until
// ctx is done, somebody asks for the end, or with Once no run is open. Runs
// stop at a commit and can be resumed. Serve may be called once; it releases
// everything that Open took.
func (s *Server) Serve(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() { err = errors.Join(err, s.release()) }()
	if s.people != nil {
		defer s.tellPeople(ctx)()
	}
	if err := s.resumeAll(ctx); err != nil {
		if ctx.Err() != nil {
			err = nil // asked to end before it began
		}
		s.stopEngines()
		return errors.Join(err, s.ln.Close())
	}
	h := s.http(ctx)
	done := make(chan error, 1)
	go func() { done <- h.Serve(s.ln) }()
	select {
	case err = <-done:
	case <-s.ended(ctx):
		err = nil
	}
	s.stopEngines()
	return errors.Join(err, s.stopServing(ctx, h, done))
}

// release gives back what Open took, but for the socket.
func (s *Server) release() error {
	var err error
	if s.people != nil {
		err = s.people.Close()
	}
	return errors.Join(err, s.journal.Close(), s.lock.Unlock())
}

// stopEngines stops every run at its next commit.
func (s *Server) stopEngines() {
	s.mu.Lock()
	s.closing = true
	for _, h := range s.runs {
		h.cancel()
	}
	s.mu.Unlock()
	s.engines.Wait()
}

// Client is a client of this runner.
func (s *Server) Client() *Client { return NewClient(s.opts.Dir) }

// ended is closed when it is time to stop. The goroutine behind it ends with
// ctx at the latest, which Serve sees to.
func (s *Server) ended(ctx context.Context) <-chan struct{} {
	ch := make(chan struct{})
	go func() {
		defer close(ch)
		idle := time.NewTimer(time.Minute)
		defer idle.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.shutdown:
				return
			case <-idle.C:
				if s.opts.Once && !s.waiting() {
					return
				}
			case <-s.idle:
				if s.opts.Once && !s.waiting() {
					return
				}
			}
		}
	}()
	return ch
}

// open counts the runs that are performed.
func (s *Server) open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, h := range s.runs {
		if !h.over() {
			n++
		}
	}
	return n
}
