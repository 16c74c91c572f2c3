package conformance

import (
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
	"example.org/ims/pkg/runbook"
	"example.org/ims/runbooks"
)

// fiction is a run that the model performs itself: its journal must be accepted.
type fiction struct {
	book    *runbook.Book
	rules   model.Rules
	rng     *rand.Rand
	w       model.World
	s       machine.State
	wish    wish
	images  map[uint8]uint8 // values from before, by state
	seen    map[string]string
	records []machine.Record
	idle    int    // turns in which nothing changed
	abort   int    // after so many records; 0 never
	skip    string // the state whose effect is not performed, although it says so
	skipped bool
	clean   bool // nobody acts beside the run
}

// bound are the runbooks that were bound already. One is never changed.
var bound sync.Map

func bind(t *testing.T, name string) *runbook.Book {
	t.Helper()
	if book, ok := bound.Load(name); ok {
		return book.(*runbook.Book)
	}
	src, err := fs.ReadFile(runbooks.FS, name+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, mistakes := runbook.Load(name+".yaml", src)
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	to := runbook.Binding{Gateway: east, Successor: west, Domains: []string{domain}}
	if doc.Begins.Value == string(machine.BeginsAlone) {
		to.Successor = ""
	}
	book, mistakes := runbook.Bind(doc, to)
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	bound.Store(name, book)
	return book
}

func newFiction(t *testing.T, name string, seed uint64) *fiction {
	t.Helper()
	book := bind(t, name)
	f := &fiction{
		book: book, rng: rand.New(rand.NewPCG(seed, 0)), wish: wishOf(book.Def),
		images: map[uint8]uint8{}, seen: map[string]string{},
	}
	f.rules = model.Rules{Bounds: model.Bounds{Out: 3, In: 2, Reports: 1, Dying: true}}
	starts := f.rules.Starts(book.Def.Begins)
	f.w = starts[f.rng.IntN(len(starts))].World
	f.s = book.Def.Begin()
	f.tell(machine.Event{Kind: machine.Opened})
	return f
}

func (f *fiction) tell(e machine.Event) {
	f.s, _ = f.book.Def.Step(f.s, e)
	f.records = append(f.records, machine.Record{Kind: e.Kind.String(), Event: e})
}

// live lets the world move; in the end, only as it must.
func (f *fiction) live(n int) {
	for range n {
		steps := f.rules.AppendMoves(nil, &f.w)
		steps = slices.DeleteFunc(steps, func(st model.Step) bool { return f.clean && byHand(st.Move) })
		if len(steps) == 0 {
			return
		}
		if st := steps[f.rng.IntN(len(steps))]; len(f.records) < 60 || st.Move.Class() != model.Maybe {
			f.w = st.To
		}
	}
}

// observe records what changed, and returns everything.
func (f *fiction) observe() *facts.Vector {
	v := f.w.Facts(f.rules.Params)
	v[facts.MxWanted], v[facts.MxPrimaryWanted] = facts.Bool(f.wish.everywhere(&f.w)), facts.Bool(f.wish.primary(&f.w))
	changed := map[string]string{}
	for _, id := range facts.All() {
		if text := id.Format(v[id]); f.seen[id.String()] != text && !strings.HasPrefix(id.String(), "run.") {
			changed[id.String()], f.seen[id.String()] = text, text
		}
	}
	f.records = append(f.records, machine.Record{Kind: machine.Observed, Detail: machine.Detail{Facts: changed}})
	f.w.Arrived, f.w.LateCame = false, false
	for i := range facts.GrantNames() {
		v[facts.GrantFact(i)] = facts.Bool(f.s.Granted(i))
	}
	v[facts.RunMayExpire] = facts.Value(f.w.MayExpire)
	return &v
}

// turn does what the machine asks for; false ends the run.
func (f *fiction) turn() bool {
	f.live(f.rng.IntN(4))
	if ok, _ := f.book.Def.CanAbort(f.s); ok && f.abort > 0 && len(f.records) >= f.abort {
		f.abort = 0
		f.tell(machine.Event{Kind: machine.Abort})
	}
	actions := f.book.Def.Pending(f.s)
	if len(actions) == 0 {
		return false
	}
	st := &f.book.Def.States[f.s.Cur]
	switch a := actions[0]; a.Kind {
	case machine.Judge:
		f.judge(st, actions)
	case machine.Intend:
		if _, known := f.images[a.State]; !known && !a.Undo {
			f.images[a.State] = f.w.Before(st.Do.Action, &st.Do.Args)
		}
		f.tell(machine.Event{Kind: machine.IntentSet})
	case machine.Perform, machine.Reobserve:
		f.perform(st, a)
		f.live(f.rng.IntN(3))
		f.tell(machine.Event{Kind: machine.OutcomeIs, Result: machine.Done})
	case machine.Ask:
		f.observe()
		choice := f.rng.IntN(len(st.Approve.Choices))
		f.w.Decide(&st.Approve.Choices[choice])
		f.tell(machine.Event{Kind: machine.Answered, Choice: uint8(choice)})
	case machine.Operate:
		f.tell(machine.Event{Kind: machine.Continue})
	case machine.Arm:
		return false
	case machine.Close:
		f.tell(machine.Event{Kind: machine.ClosedRun})
	}
	return true
}

// perform makes an effect happen, or undoes it, with its last target.
func (f *fiction) perform(st *machine.StateDef, a machine.Action) {
	do := st.Do
	switch {
	case st.ID == f.skip && !a.Undo:
		f.skipped = true
	case a.Undo && a.Target == 0 && !f.w.Restored(do.Action, &do.Args, f.images[a.State]):
		f.w.Undo(do.Action, &do.Args, f.images[a.State])
	case !a.Undo && int(a.Target) == len(do.Targets)-1:
		if made, ok := f.w.Made(do.Action, &do.Args); !made || !ok {
			f.w.Apply(do.Action, &do.Args)
		}
	}
}

func (f *fiction) judge(st *machine.StateDef, actions []machine.Action) {
	v := f.observe()
	for _, a := range actions {
		if a.Kind != machine.Judge {
			continue
		}
		verdict := f.book.Guards[a.Guard].Eval(v).Verdict
		if st.Kind == machine.KindWait && verdict == machine.Pass && f.s.Armed(machine.HoldTimer) && int(a.Guard) == st.Wait.Until {
			f.tell(machine.Event{Kind: machine.Elapsed, Timer: machine.HoldTimer})
			return
		}
		if st.Kind == machine.KindWait && verdict != machine.Pass {
			continue
		}
		f.tell(machine.Event{Kind: machine.Judged, Guard: a.Guard, Verdict: verdict})
		return
	}
	if f.idle++; f.idle > 20 {
		f.live(6)
	}
	if f.idle%40 == 0 && f.s.Armed(machine.TimeoutTimer) {
		f.tell(machine.Event{Kind: machine.Elapsed, Timer: machine.TimeoutTimer})
	}
}

// write is the whole run.
func (f *fiction) write() []machine.Record {
	for len(f.records) < 400 && f.turn() {
		continue
	}
	return f.records
}
