package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/runbooks"
)

// rig is a run on an organization in memory, inside a synctest bubble.
type rig struct {
	t    *testing.T
	lab  *worldtest.Lab
	book *runbook.Book
	dir  string
	// crash, if set, is called before (and after) every commit, by its number
	// since the rig was made, and may end the goroutine of the engine.
	crash   func(n int, after bool)
	mu      sync.Mutex // guards crash and commits
	between func(engine.Effect)
	hold    func(engine.Status) bool
	commits int
	// first, if set, is told to the engine before it takes its first step.
	first *engine.Command
	// answer decides on what to tell the run at a status that wants it: by
	// default, one with a question.
	answer func(engine.Status) (engine.Command, bool)
	wants  func(engine.Status) bool
	// started is called with every engine before it runs.
	started func(*engine.Engine)
	// watch sees every status.
	watch func(engine.Status)
	// run runs an engine; around wraps its world.
	run    func(context.Context, *engine.Engine) (machine.Outcome, error)
	around func(engine.World) engine.World
}

const runID = "r1"

// brief compresses time through parameters alone.
func brief() map[string]string {
	return map[string]string{
		"floor": "1m", "late_window": "3m", "quiet": "3m", "settle": "2m", "drained": "2m", "refuse_for": "3m",
		"watch": "3m", "poll": "1m", "patience": "1h", "stalled_after": "30m",
	}
}

// soak lets the last soak take its time, of which there is a look every ten
// minutes, and nothing else.
func soak(watch string) map[string]string {
	p := brief()
	p["watch"], p["poll"], p["patience"] = watch, "10m", "240h"
	return p
}

// bound are the runbooks that were bound already, by name and parameters. One is
// never changed once it is bound.
var bound sync.Map

// bind binds a runbook; whoever is going to change it calls bindAnew.
func bind(t *testing.T, name string, params map[string]string) *runbook.Book {
	t.Helper()
	key := fmt.Sprint(name, params)
	if book, ok := bound.Load(key); ok {
		return book.(*runbook.Book)
	}
	book := bindAnew(t, name, params)
	bound.Store(key, book)
	return book
}

func bindAnew(t *testing.T, name string, params map[string]string) *runbook.Book {
	t.Helper()
	src, err := fs.ReadFile(runbooks.FS, name+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, mistakes := runbook.Load(name+".yaml", src)
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	known := map[string]string{}
	for _, p := range doc.Params {
		if v, ok := params[p.Key.Value]; ok {
			known[p.Key.Value] = v
		}
	}
	book, mistakes := runbook.Bind(doc, worldtest.Binding(known))
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	return book
}

func newRig(t *testing.T, name string, params map[string]string) *rig {
	t.Helper()
	return rigFor(t, bind(t, name, params))
}

func rigFor(t *testing.T, book *runbook.Book) *rig {
	t.Helper()
	return &rig{t: t, lab: worldtest.New(300), book: book, dir: journalDir(t), answer: yes, wants: asked, run: runs, around: asItIs}
}

func runs(ctx context.Context, e *engine.Engine) (machine.Outcome, error) { return e.Run(ctx) }

func asItIs(w engine.World) engine.World { return w }

// crashAt ends the engine's goroutine at a commit, once.
func (r *rig) crashAt(n int, after bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.crash = func(i int, a bool) {
		if i != n || a != after {
			return
		}
		r.mu.Lock()
		r.crash = nil
		r.mu.Unlock()
		runtime.Goexit()
	}
}

func (r *rig) committed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.commits
}

func asked(s engine.Status) bool { return s.Asked != nil }

// yes gives the first answer to every question.
func yes(s engine.Status) (engine.Command, bool) {
	return engine.Command{Verb: engine.Approve, State: s.State, Choice: s.Choices[0].Name, Actor: "ann"}, true
}

// life performs the run in one life of a runner: until it ends, ctx ends, or
// the engine's goroutine is ended by crash.
func (r *rig) life(ctx context.Context) (machine.Outcome, error) {
	r.t.Helper()
	j, err := journal.Open(context.WithoutCancel(ctx), r.dir, journal.Options{
		BeforeCommit: func(int) { r.commit(false) },
		AfterCommit:  func(int) { r.commit(true) },
	})
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			r.t.Error(err)
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	outcome, err := machine.Open, errCrashed
	var wg sync.WaitGroup
	wg.Go(func() {
		defer cancel()
		e, openErr := r.engine(ctx, j)
		if openErr != nil {
			err = openErr
			return
		}
		if r.started != nil {
			r.started(e)
		}
		first := r.first
		r.first = nil
		wg.Go(func() { r.attend(ctx, e, first) })
		if first != nil {
			synctest.Wait() // it is being told
		}
		outcome, err = r.run(ctx, e)
	})
	wg.Wait()
	return outcome, err
}

var errCrashed = errors.New("the engine's goroutine was ended")

func (r *rig) commit(after bool) {
	r.mu.Lock()
	if !after {
		r.commits++
	}
	n, crash := r.commits, r.crash
	r.mu.Unlock()
	if crash != nil {
		crash(n, after)
	}
}

// engine opens the run, or resumes it.
func (r *rig) engine(ctx context.Context, j *journal.Journal) (*engine.Engine, error) {
	o := engine.Options{
		Book: r.book, World: r.around(r.lab.World(r.book)), Journal: j, Opener: "ann", Between: r.between,
		Log: slog.New(slog.DiscardHandler),
	}
	ev := machine.Record{Kind: machine.Opened.String(), At: time.Now(), Event: machine.Event{Kind: machine.Opened}}
	_, err := j.Run(ctx, runID)
	if err == nil {
		ev.Kind, ev.Event.Kind = machine.Resumed.String(), machine.Resumed
	}
	first, codeErr := engine.Encode(ev)
	if codeErr != nil {
		return nil, codeErr
	}
	if err == nil {
		o.Run, err = j.Resume(ctx, runID, "test", first...)
	} else {
		o.Run, err = j.OpenRun(ctx, journal.RunInfo{
			ID: runID, Gateway: worldtest.East, Runbook: r.book.Def.Name, Digest: r.book.Doc.Digest,
			Owner: "test", Opened: time.Now(), Text: r.book.Doc.Source,
		}, worldtest.Leases(), first...)
	}
	if err != nil {
		return nil, err
	}
	var e *engine.Engine
	if r.hold != nil {
		o.Hold = func() bool { return r.hold(e.Status()) }
	}
	e = engine.New(o, r.records(ctx, j.Reader))
	return e, nil
}

func (r *rig) records(ctx context.Context, j *journal.Reader) []machine.Record {
	r.t.Helper()
	entries, err := j.Records(ctx, runID, 0)
	if err != nil {
		r.t.Error(err)
		runtime.Goexit()
	}
	records, err := engine.Decode(entries)
	if err != nil {
		r.t.Error(err)
	}
	return records
}

// attend answers questions until ctx ends; first is told before all.
func (r *rig) attend(ctx context.Context, e *engine.Engine, first *engine.Command) {
	if first != nil {
		if err := e.Tell(ctx, *first); err != nil {
			r.t.Errorf("%s: %v", first.Verb, err)
		}
	}
	statuses, end := e.Subscribe()
	defer end()
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-statuses:
			if r.watch != nil {
				r.watch(s)
			}
			if !r.wants(s) {
				continue
			}
			if c, ok := r.answer(s); ok {
				// What was shown may be over by the time the answer comes, and
				// is then refused.
				err := e.Tell(ctx, c)
				if err != nil && ctx.Err() == nil && !errors.Is(err, engine.ErrEnded) && !errors.Is(err, engine.ErrRefused) {
					r.t.Errorf("%s %s: %v", c.Verb, c.State, err)
				}
			}
		}
	}
}

// live lets the organization move until ctx ends.
func (r *rig) live(ctx context.Context, wg *sync.WaitGroup) {
	wg.Go(func() { r.lab.Org.Run(ctx, 10*time.Second) })
}

func path(visits []machine.Visit) string {
	var ids []string
	for _, v := range visits {
		ids = append(ids, v.State)
	}
	return strings.Join(ids, " ")
}
