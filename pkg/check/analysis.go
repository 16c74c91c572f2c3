package check

import (
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// analysis is what can be known of a runbook before it is explored: what has to be
// remembered where. Everything else is forgotten, so that fewer states differ.
type analysis struct {
	states   []notes
	slots    []slot // by state: where the value from before its effect is kept
	final    uint64 // bits of effects that cannot be undone
	undone   uint64 // bits of effects that an abort has to think of
	restores bool   // the runbook restores what it changed, and goes on
}

// slot is some bits of model.World.Images, counted from the lowest; one without
// a width keeps nothing.
type slot struct{ at, width uint8 }

func (s slot) mask() uint32 { return (1<<s.width - 1) << s.at }

// notes are those about one state.
type notes struct {
	arrivals bool   // a guard here, or right after an effect here, reads gw.arrivals
	late     bool   // or late.quiet
	bound    bool   // a destructive effect here is bound to the decision before it
	decides  uint64 // bits of the answers here that are such decisions
	starts   bool   // on the way from a stop to a start, with nothing but effects between
	restart  bool   // the next effect is a start
	sends    bool   // it matters whether the successor sends
	metric   facts.ID

	// What is read from here on, if the run is not aborted: next.accepts,
	// next.covers_in, late.never_follow and its kind, run.may_expire.
	next, covers, never, expiring bool
}

// analyze studies a runbook: which facts are read where, and where they still
// can be.
func analyze(b *Runbook) analysis {
	def := b.Def
	p := analysis{states: make([]notes, len(def.States)), slots: make([]slot, len(def.States))}
	at := 0
	for i := range def.States {
		st, n := &def.States[i], &p.states[i]
		if st.Kind == machine.KindDo && st.Do.Undo.Kind == machine.UndoRestore {
			w := model.Width(st.Do.Action, &st.Do.Args)
			p.slots[i] = slot{uint8(at), uint8(w)}
			at += w
		}
		if st.Kind == machine.KindDo && st.Do.Undo.Kind != machine.UndoNothing {
			p.undone |= 1 << i
		}
		p.restores = p.restores || (st.Kind == machine.KindDo && st.Do.Action == machine.RunRestore)
		if st.Kind == machine.KindDo && st.Do.Undo.Kind == machine.UndoImpossible {
			p.final |= 1 << i
		}
		if st.Kind == machine.KindWait {
			n.metric, _ = facts.Lookup(st.Wait.Metric)
		}
		n.arrivals, n.late = reads(b, i, facts.GwArrivals), reads(b, i, facts.LateQuiet)
		n.bound, n.decides = leadsToRisk(def, i), decides(def, i)
		n.restart, n.sends = startFollows(def, i), def.Begins == machine.BeginsJoining
		p.ahead(b, i)
	}
	for i := range def.States { // an effect that a wait follows: the wait's first look goes back to before it
		if to := def.States[i].Then[machine.OK]; def.States[i].Kind == machine.KindDo && to >= 0 {
			p.states[i].arrivals = p.states[i].arrivals || reads(b, int(to), facts.GwArrivals)
			p.states[i].late = p.states[i].late || reads(b, int(to), facts.LateQuiet)
		}
		if st := &def.States[i]; st.Kind == machine.KindDo && st.Do.Action == machine.GatewayRunning && st.Do.Args.Running == "stopped" && p.states[i].restart {
			for j := i; j >= 0 && !p.states[j].starts; j = int(def.States[j].Then[machine.OK]) {
				p.states[j].starts = true
				if j != i && isStart(&def.States[j]) {
					break
				}
			}
		}
	}
	return p
}

// ahead notes what is read from a state on.
func (p *analysis) ahead(b *Runbook, from int) {
	n := &p.states[from]
	seen, todo := map[int]bool{from: true}, []int{from}
	for ; len(todo) > 0; todo = todo[1:] {
		i := todo[0]
		st := &b.Def.States[i]
		moves := st.Kind == machine.KindDo && (st.Do.Action == machine.DNSRRset || st.Do.Action == machine.GatewayDependents)
		n.next = n.next || moves || reads(b, i, facts.NextAccepts)
		n.covers = n.covers || moves || reads(b, i, facts.NextCoversIn) || reads(b, i, facts.RunGrantedInboundLoss)
		n.never = n.never || closes(st) || reads(b, i, facts.LateNeverFollow) || reads(b, i, facts.LateClients) || reads(b, i, facts.LateQuiet)
		n.expiring = n.expiring || reads(b, i, facts.RunMayExpire) || spends(st)
		for _, t := range followers(st) {
			if !seen[t] {
				seen[t] = true
				todo = append(todo, t)
			}
		}
	}
	n.next = n.next || n.bound
}

// closes reports whether a state lets the gateway accept no more.
func closes(st *machine.StateDef) bool {
	if st.Do == nil {
		return false
	}
	a := &st.Do.Args
	return a.Mode == "outbound-only" || a.Mode == "none" || a.Running == "stopped"
}

// spends reports whether a state acts on queued mail of which a decision must say
// how much it may be.
func spends(st *machine.StateDef) bool {
	if st.Do == nil {
		return false
	}
	whole := st.Do.Args.Select != machine.SelectHeld
	return st.Do.Action == machine.QueueReturn || st.Do.Action == machine.QueueExport && whole
}

// followers are the states that can follow one.
func followers(st *machine.StateDef) []int {
	var all []int
	for _, t := range st.Then {
		if t >= 0 {
			all = append(all, int(t))
		}
	}
	if st.Approve != nil {
		for _, c := range st.Approve.Choices {
			if c.Target >= 0 {
				all = append(all, int(c.Target))
			}
		}
	}
	return all
}

// bitsNeeded is how many bits the values before take that have to be kept.
func (p *analysis) bitsNeeded() (n int) {
	for _, s := range p.slots {
		n += int(s.width)
	}
	return n
}

func reads(b *Runbook, state int, id facts.ID) bool {
	st := &b.Def.States[state]
	var guards []int
	switch st.Kind {
	case machine.KindDo:
		guards = []int{st.Do.Pre}
	case machine.KindWait:
		guards = []int{st.Wait.Until, st.Wait.Drift}
	case machine.KindApprove:
		guards = []int{st.Approve.When}
	case machine.KindAssert:
		guards = []int{st.Assert}
	case machine.KindEnd:
	}
	for _, g := range guards {
		if g == machine.Here {
			continue
		}
		for _, ref := range b.Guards[g].Refs() {
			if ref == id {
				return true
			}
		}
	}
	return false
}

// decides are the bits of a state's answers that decide a destructive effect.
func decides(def *machine.Def, state int) (bits uint64) {
	if a := def.States[state].Approve; a != nil {
		for c := range a.Choices {
			if def.Decides(state, uint8(c)) != machine.Here {
				bits |= 1 << c
			}
		}
	}
	return bits
}

// leadsToRisk reports whether a destructive effect can be reached from a state
// with the decision that it has there: before a decision anew.
func leadsToRisk(def *machine.Def, from int) bool {
	seen, todo := map[int]bool{from: true}, []int{from}
	for ; len(todo) > 0; todo = todo[1:] {
		st := &def.States[todo[0]]
		if st.Kind == machine.KindDo && st.Do.Destructive() {
			return true
		}
		for _, t := range undecidedAfter(def, todo[0]) {
			if !seen[t] {
				seen[t] = true
				todo = append(todo, t)
			}
		}
	}
	return false
}

// undecidedAfter are the states that can follow one other than by a decision on a
// destructive effect.
func undecidedAfter(def *machine.Def, state int) []int {
	st := &def.States[state]
	anew := decides(def, state)
	if anew == 0 {
		return followers(st)
	}
	var all []int
	for c := range st.Approve.Choices {
		if t := st.Approve.Choices[c].Target; t >= 0 && anew&(1<<c) == 0 {
			all = append(all, int(t))
		}
	}
	return all // a no voids the decision
}

// startFollows reports whether, if all goes well, the next effect on the
// service after a state starts it; storing settings is no effect on it.
func startFollows(def *machine.Def, from int) bool {
	for n, i := 0, int(def.States[from].Then[machine.OK]); i >= 0 && n < len(def.States); n, i = n+1, int(def.States[i].Then[machine.OK]) {
		st := &def.States[i]
		switch {
		case isStart(st):
			return true
		case st.Kind != machine.KindDo:
			return false
		case st.Do.Action != machine.GatewayConfig && st.Do.Action != machine.GatewayMode:
			return false
		}
	}
	return false
}

func isStart(st *machine.StateDef) bool {
	return st.Kind == machine.KindDo && st.Do.Action == machine.GatewayRunning && st.Do.Args.Running != "stopped"
}

// remember keeps the value before an effect, at its first intent.
func (p *analysis) remember(s machine.State, w *model.World, do *machine.Do) {
	if slot := p.slots[s.Cur]; slot.width > 0 && s.Changed&(1<<s.Cur) == 0 {
		w.Images = w.Images&^slot.mask() | uint32(w.Before(do.Action, &do.Args))<<slot.at
	}
}

func (p *analysis) image(state int, w *model.World) uint8 {
	slot := p.slots[state]
	return uint8(w.Images & slot.mask() >> slot.at)
}

// forget drops the values before of effects that were undone.
func (p *analysis) forget(states uint64, w *model.World) {
	for i, slot := range p.slots {
		if states&(1<<i) != 0 {
			w.Images &^= slot.mask()
		}
	}
}
