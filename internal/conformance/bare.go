package conformance

import (
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/model"
)

// ofMail are the facts that say where mail is, or who sent it. None of the others
// depends on mail.
var ofMail = [facts.Count]bool{
	facts.GwQMTA: true, facts.GwQMTSOut: true, facts.GwQOut: true, facts.GwQIn: true, facts.GwQMTSIn: true, facts.GwQTotal: true,
	facts.GwSideBad: true, facts.GwSideHold: true, facts.GwArrivals: true, facts.GwExpiring: true, facts.GwAged: true,
	facts.LateNeverFollow: true, facts.LateQuiet: true, facts.LedgerAbsorbed: true, facts.LedgerPresent: true,
}

// bare searches without mail first. Of those worlds there are few, so what
// nothing leads to is found soon, and all were tried.
func (f *follower) bare(todo []item, before *facts.Vector) ([]node, error) {
	now := f.now
	defer func() { f.empty, f.now = false, now }()
	f.empty, f.now = true, nil
	for _, n := range now {
		n.w, n.owed, n.back, n.old = emptied(n.w), false, 0, 0
		f.now = append(f.now, n)
	}
	return f.search(todo, before)
}

// emptied is a world without mail.
func emptied(w model.World) model.World {
	for _, n := range numbers(&w) {
		*n = 0
	}
	w.HoldNamed, w.Absorbed, w.Late, w.LateCame, w.Arrived = false, false, model.LateNone, false, false
	return w
}

// bareMoves are the moves of a world without mail.
func (f *follower) bareMoves(buf []model.Step, w *model.World) []model.Step {
	var all [32]model.Step
	for _, st := range f.rules.AppendMoves(all[:0], w) {
		if byHand(st.Move) && !f.in.People {
			continue
		}
		tidy(&st.To)
		if st.To = emptied(st.To); st.To == *w {
			continue
		}
		buf = append(buf, st)
		if st.Move == model.SuccessorBack { // what it covers could not be seen meanwhile
			st.To.Covers = !st.To.Covers
			buf = append(buf, st)
		}
	}
	return buf
}
