package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// stored is what a run is opened with besides its runbook.
type stored struct {
	File    string          `json:"file"`
	Binding runbook.Binding `json:"binding"`
	Opener  string          `json:"opener"`
	Core    string          `json:"core"`
	Adopted string          `json:"adopted,omitempty"` // why it takes over from a run whose journal is gone
	// Of a run that was opened from a saved plan: the plan and its hash.
	PlanHash string          `json:"plan_hash,omitempty"`
	Plan     json.RawMessage `json:"plan,omitempty"`

	nonce string // of the plan; the journal keeps it
}

// hosted is a run that this runner performs, or performed.
type hosted struct {
	id     string
	opener string
	book   *runbook.Book
	engine *engine.Engine
	cancel context.CancelFunc
	done   chan struct{} // closed when the engine has stopped
	err    error         // why, once done is closed
	taken  chan struct{} // closed when it was taken up anew
	began  time.Time     // zero once it stands; mu of the Server guards it, and stand
	stand  standing
}

func (h *hosted) over() bool {
	select {
	case <-h.done:
		return true
	default:
		return false
	}
}

// owner is who performs runs here, for messages.
func owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "this host"
	}
	return fmt.Sprintf("runner %d on %s", os.Getpid(), host)
}

// openRun opens a run and begins to perform it.
func (s *Server) openRun(ctx context.Context, r Request, actor string) (string, error) {
	s.opening.Lock()
	defer s.opening.Unlock()
	if len(r.Plan) > 0 {
		return s.openPlanned(ctx, r, actor)
	}
	file, source, err := s.opts.Site.Runbook(r.Runbook)
	if err != nil {
		return "", usage(err)
	}
	b, leases, err := s.opts.Site.Bind(ctx, r)
	if err != nil {
		return "", usage(err)
	}
	st := stored{File: file, Binding: b, Opener: actor, Core: machine.CoreVersion, Adopted: r.Adopt}
	book, err := st.bind(source)
	if err != nil {
		return "", usage(err)
	}
	return s.begin(ctx, st, book, leases)
}

// begin makes a run durable and begins to perform it.
func (s *Server) begin(ctx context.Context, st stored, book *runbook.Book, leases []string) (string, error) {
	world, err := s.opts.Site.World(ctx, book)
	if err != nil {
		return "", usage(err)
	}
	if err := fits(ctx, world, book); err != nil {
		return "", usage(err)
	}
	run, err := s.record(ctx, st, book, leases)
	if err != nil {
		return "", err
	}
	return run.ID, s.host(ctx, run, st, book, world)
}

// fits refuses a run that would begin in a world that its runbook is not for: what
// was proved of the runbook was not proved of that one.
func fits(ctx context.Context, world engine.World, book *runbook.Book) error {
	seen := world.Observe(ctx, engine.Look{Opened: time.Now()}).Facts
	if err := ctx.Err(); err != nil {
		return err
	}
	v := seen.Vector()
	var unknown error
	for _, f := range book.Unfit(&v) {
		if f.Verdict == machine.Fails {
			return fmt.Errorf("%w: runbook %s begins %s, and %s is not so: %s; fix: %s", ErrRefused, book.Def.Name, book.Def.Begins, f.Guard.Expr, f.Guard.Why, f.Guard.Fix)
		}
		if unknown == nil && len(f.Missing) > 0 {
			unknown = fmt.Errorf("%w: runbook %s begins %s, and whether %s cannot be seen: %s: %s", ErrUnknown, book.Def.Name, book.Def.Begins, f.Guard.Expr, f.Missing[0], seen[f.Missing[0]].Why)
		}
	}
	return unknown
}

// record makes the run durable, with its leases.
func (s *Server) record(ctx context.Context, st stored, book *runbook.Book, leases []string) (journal.Run, error) {
	params, err := json.Marshal(st)
	if err != nil {
		return journal.Run{}, fmt.Errorf("encode run: %w", err)
	}
	now := time.Now()
	first, err := engine.Encode(machine.Record{
		Kind: machine.Opened.String(), At: now, Event: machine.Event{Kind: machine.Opened},
		Detail: machine.Detail{
			Runbook: book.Def.Name, Gateway: st.Binding.Gateway, Params: book.Params, Core: st.Core, Actor: st.Opener,
			Digest: st.PlanHash, Comment: st.Adopted,
		},
	})
	if err != nil {
		return journal.Run{}, err
	}
	above, err := s.above(ctx, st)
	if err != nil {
		return journal.Run{}, err
	}
	earlier, err := s.journal.Runs(ctx, journal.RunFilter{Gateway: st.Binding.Gateway})
	if err != nil {
		return journal.Run{}, err
	}
	return s.journal.OpenRun(ctx, journal.RunInfo{
		ID: fmt.Sprintf("%s-%d", st.Binding.Gateway, len(earlier)+1), Gateway: st.Binding.Gateway, Runbook: book.Def.Name,
		Digest: book.Doc.Digest, Owner: owner(), Opened: now, Text: book.Doc.Source, Params: params,
		Nonce: st.nonce, Above: above,
	}, leases, first...)
}

// bind compiles the runbook of a run that is to be opened.
func (st stored) bind(source []byte) (*runbook.Book, error) {
	doc, mistakes := runbook.Load(st.File, source)
	if err := mistakes.Err(); err != nil {
		return nil, err
	}
	return st.compile(doc)
}

func (st stored) compile(doc *runbook.Doc) (*runbook.Book, error) {
	book, mistakes := runbook.Bind(doc, st.Binding)
	if err := mistakes.Err(); err != nil {
		return nil, err
	}
	book.Def.Core = st.Core
	return book, nil
}

// bound is the book of a run in the journal.
func bound(sum journal.Summary) (stored, *runbook.Book, error) {
	var st stored
	if err := json.Unmarshal(sum.Params, &st); err != nil {
		return st, nil, fmt.Errorf("read run %q: %w", sum.ID, err)
	}
	if !machine.Reads(st.Core) {
		return st, nil, fmt.Errorf("read run %q: it was opened under version %s of the core, this program has %s", sum.ID, st.Core, machine.CoreVersion)
	}
	doc, mistakes := runbook.Stored(st.File, sum.Text)
	if err := mistakes.Err(); err != nil {
		return st, nil, fmt.Errorf("read run %q: %w", sum.ID, err)
	}
	book, err := st.compile(doc)
	return st, book, err
}

// resumeAll takes up every run that is open.
func (s *Server) resumeAll(ctx context.Context) error {
	open, err := s.journal.Runs(ctx, journal.RunFilter{OpenOnly: true})
	if err != nil {
		return err
	}
	for _, sum := range open {
		switch err := s.resume(ctx, sum); {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil: // the others go on
			s.failed(ctx, sum.ID, err)
		}
	}
	return nil
}

// failed keeps a run that could not be resumed, and tries again if that may help.
func (s *Server) failed(ctx context.Context, id string, err error) {
	h := &hosted{id: id, done: make(chan struct{}), taken: make(chan struct{}), err: err}
	ctx, h.cancel = context.WithCancel(context.WithoutCancel(ctx))
	close(h.done)
	pause := s.stands(h, err)
	s.keep(h)
	s.engines.Go(func() {
		defer h.cancel()
		s.tryAgain(ctx, h, pause)
	})
}

// takeUp resumes a run that had to stop, because its journal was full, a lease
// was broken, or what it needs could not be reached.
func (s *Server) takeUp(ctx context.Context, id, actor string) error {
	s.taking.Lock()
	defer s.taking.Unlock()
	if h, ok := s.find(id); ok && !h.over() {
		return nil // somebody was faster
	}
	if err := s.journal.Reopen(ctx); err != nil {
		return err
	}
	sum, err := s.journal.Run(ctx, id)
	switch {
	case err != nil:
		return err
	case !sum.Closed.IsZero():
		return fmt.Errorf("%w: the run has ended", engine.ErrRefused)
	}
	s.log.Info("run taken up", "run", id, "by", actor)
	return s.resume(context.WithoutCancel(ctx), sum) // whoever asked may go away
}

func (s *Server) resume(ctx context.Context, sum journal.Summary) error {
	st, book, err := bound(sum)
	if err != nil {
		return err
	}
	world, err := s.opts.Site.World(ctx, book)
	if err != nil {
		return err
	}
	first, err := engine.Encode(machine.Record{
		Kind: machine.Resumed.String(), At: time.Now(), Event: machine.Event{Kind: machine.Resumed},
		Detail: machine.Detail{Actor: owner()},
	})
	if err != nil {
		return err
	}
	run, err := s.journal.Resume(ctx, sum.ID, owner(), first...)
	if err != nil {
		return err
	}
	s.log.Info("run resumed", "run", sum.ID, "epoch", run.Epoch)
	return s.host(ctx, run, st, book, world)
}

// host begins to perform a run.
func (s *Server) host(ctx context.Context, run journal.Run, st stored, book *runbook.Book, world engine.World) error {
	records, err := read(ctx, s.journal.Reader, run.ID)
	if err != nil {
		return err
	}
	h := &hosted{id: run.ID, opener: st.Opener, book: book, done: make(chan struct{}), taken: make(chan struct{}), began: time.Now()}
	h.engine = engine.New(engine.Options{
		Book: book, World: world, Journal: s.journal, Run: run, Opener: st.Opener, Log: s.log.With("run", run.ID),
		Between: s.opts.FailPoint.between,
	}, records)
	// The run outlives the request that opened it; stopEngines ends it.
	ctx, h.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		h.cancel()
		return errors.New("the runner is about to end; the run will be resumed")
	}
	old, ok := s.runs[run.ID]
	switch {
	case ok && !old.over(): // taken up meanwhile, under a later epoch
		h.cancel()
		return nil
	case ok:
		h.stand.tries, h.stand.told = old.stand.tries, old.stand.told
		close(old.taken)
		old.stand.again = time.Time{}
	}
	s.runs[run.ID] = h
	s.engines.Go(func() { s.perform(ctx, h) })
	if s.people != nil {
		s.engines.Go(func() { s.tellOf(ctx, h) })
	}
	return nil
}

func (s *Server) perform(ctx context.Context, h *hosted) {
	defer h.cancel()
	outcome, err := h.engine.Run(ctx)
	h.err = err
	stopped := err != nil && !errors.Is(err, context.Canceled)
	var pause time.Duration
	if stopped {
		pause = s.stands(h, s.explained(context.WithoutCancel(ctx), h.id, err))
	}
	close(h.done)
	switch {
	case err == nil:
		s.forget(h)
		s.log.Info("run ended", "run", h.id, "outcome", outcome.String())
	case stopped:
		s.tryAgain(ctx, h, pause)
	}
	select {
	case s.idle <- struct{}{}:
	default:
	}
}

func (s *Server) keep(h *hosted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs[h.id] = h
}

// forget drops a run that has ended: from now on, the journal tells of it.
func (s *Server) forget(h *hosted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs[h.id] == h {
		delete(s.runs, h.id)
	}
}

// find returns a run that this runner performs or performed.
func (s *Server) find(id string) (*hosted, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, ok := s.runs[id]
	return h, ok
}

func read(ctx context.Context, r *journal.Reader, id string) ([]machine.Record, error) {
	entries, err := r.Records(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	return engine.Decode(entries)
}
