package runbook

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strings"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/internal/suggest"
	"example.org/ims/pkg/machine"
)

// APIVersion is the version of the language that this package reads.
const APIVersion = "ims/v1"

// Load reads and checks a runbook. The mistakes are nil if the runbook can be
// bound with its default parameters; else they are all that can be found at
// once, in the order of the file.
func Load(file string, source []byte) (*Doc, strictyaml.Mistakes) {
	return load(file, source, (*Doc).checkGraph)
}

// Stored reads a runbook as Load does, for a run that was opened with it: what is
// said of the ways through it was for the program that opened the run to say. A
// program that says more of them all the same performs the run, and aborts it;
// what it must not do on the way, the engine does not do.
func Stored(file string, source []byte) (*Doc, strictyaml.Mistakes) {
	return load(file, source, func(*Doc, *machine.Def, *harm) strictyaml.Mistakes { return nil })
}

func load(file string, source []byte, ways func(*Doc, *machine.Def, *harm) strictyaml.Mistakes) (*Doc, strictyaml.Mistakes) {
	doc := &Doc{File: file, Source: source}
	sum := sha256.Sum256(source)
	doc.Digest = hex.EncodeToString(sum[:])
	mistakes := strictyaml.Decode(file, source, doc)
	harm := doc.harmed(mistakes)
	var found strictyaml.Mistakes
	doc.checkHead(&found)
	for i := range doc.States {
		doc.checkState(&doc.States[i], &found)
	}
	book, wrong := doc.bind(Binding{Gateway: "gateway", Successor: "successor", Domains: []string{"example.test"}})
	found = append(found, wrong...)
	if connected(found) {
		found = append(found, ways(doc, book.Def, harm)...)
	}
	for _, m := range found {
		if !harm.explains(m) && !slices.Contains(mistakes, m) {
			mistakes = append(mistakes, m)
		}
	}
	slices.SortStableFunc(mistakes, func(a, b strictyaml.Mistake) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	return doc, mistakes
}

func (doc *Doc) checkHead(m *strictyaml.Mistakes) {
	if doc.APIVersion.Value != APIVersion {
		m.Add(doc.pos(doc.APIVersion), "version", "apiVersion is %q, this ims reads %q", doc.APIVersion, APIVersion)
	}
	if doc.Kind.Value != "Runbook" {
		m.Add(doc.pos(doc.Kind), "kind", "kind is %q, want Runbook", doc.Kind)
	}
	name := strings.TrimSuffix(path.Base(doc.File), path.Ext(doc.File))
	if doc.Metadata.Name.Value != name {
		m.Add(doc.pos(doc.Metadata.Name), "name", "metadata.name is %q, the file is called %q", doc.Metadata.Name, name)
	}
	if len(doc.States) > machine.MaxStates {
		m.Add(doc.States[machine.MaxStates].Key.Pos, "states", "more than %d states", machine.MaxStates)
	}
	for _, p := range doc.Params {
		if t := p.Value.Type.Value; t != "duration" && t != "text" {
			m.Add(doc.pos(p.Value.Type), "param", "type of parameter %q is %q, want duration or text", p.Key, t)
		}
		if p.Value.Doc.Value == "" {
			m.Add(p.Key.Pos, "param", "parameter %q has no doc", p.Key)
		}
	}
}

// pos is a text's place, or the start of the file for one that is missing.
func (doc *Doc) pos(t strictyaml.Text) strictyaml.Pos {
	if t.Pos.Line == 0 {
		return strictyaml.Pos{File: doc.File, Line: 1, Col: 1}
	}
	return t.Pos
}

// kind returns what a state does, and how many things it says it does.
func (s *StateDoc) kind() (k machine.Kind, things int) {
	for _, is := range []struct {
		there bool
		kind  machine.Kind
	}{
		{s.Do != nil, machine.KindDo},
		{s.Wait != nil, machine.KindWait},
		{s.Approve != nil, machine.KindApprove},
		{len(s.Assert) > 0, machine.KindAssert},
		{s.End.Value != "", machine.KindEnd},
	} {
		if is.there {
			k = is.kind
			things++
		}
	}
	return k, things
}

func (doc *Doc) checkState(e *strictyaml.Entry[StateDoc], m *strictyaml.Mistakes) {
	s := &e.Value
	kind, things := s.kind()
	if things != 1 {
		m.Add(e.Key.Pos, "one-thing", "state %q must have exactly one of do, wait, approve, assert, end; it has %d", e.Key, things)
		return
	}
	if kind != machine.KindEnd && len(s.Cite) == 0 && s.Because.Value == "" {
		m.Add(e.Key.Pos, "cite", "state %q cites no source and gives no reason: add cite or because", e.Key)
	}
	if kind != machine.KindDo {
		for _, x := range []struct {
			there bool
			key   string
		}{{len(s.Pre) > 0, "pre"}, {s.Undo != nil, "undo"}, {s.Risk.Value != "", "risk"}, {s.Retry != nil, "retry"}} {
			if x.there {
				m.Add(e.Key.Pos, "only-do", "state %q has %s, which only a do can have", e.Key, x.key)
			}
		}
	}
	switch kind {
	case machine.KindDo:
		s.checkDo(e.Key, m)
	case machine.KindWait:
		s.checkWait(e.Key, m)
	case machine.KindApprove:
		s.checkApprove(e.Key, m)
	case machine.KindAssert, machine.KindEnd:
	}
	for _, conds := range [][]Cond{s.Pre, s.Assert} {
		checkConds(e.Key, conds, m)
	}
}

func checkConds(state strictyaml.Text, conds []Cond, m *strictyaml.Mistakes) {
	for _, c := range conds {
		switch {
		case c.That.Value == "":
			m.Add(state.Pos, "that", "a guard of state %q has no that", state)
		case c.Why.Value == "":
			m.Add(c.That.Pos, "why", "guard of state %q has no why", state)
		case c.Fix.Value == "":
			m.Add(c.That.Pos, "fix", "guard of state %q has no fix: name the command or edit that makes it true", state)
		}
	}
}

func (s *StateDoc) checkDo(key strictyaml.Text, m *strictyaml.Mistakes) {
	action := machine.ActionName(s.Do.Action.Value)
	if !slices.Contains(machine.ActionNames(), action) {
		names := texts(machine.ActionNames())
		hint := "valid actions are " + strings.Join(names, ", ")
		if near, ok := suggest.Nearest(string(action), names); ok {
			hint = "did you mean \"" + near + "\"?"
		}
		m.Add(s.Do.Action.Pos, "action", "unknown action %q; %s", action, hint)
	}
	s.Do.checkWith(m)
	switch {
	case s.Undo == nil:
		m.Add(key.Pos, "undo", "state %q does not say how it is undone: add undo: {restore: true}, {nothing: why} or {impossible: why}", key)
	case count(s.Undo.Restore, s.Undo.Nothing.Value != "", s.Undo.Impossible.Value != "") != 1:
		m.Add(s.Undo.Pos, "undo", "undo of state %q wants exactly one of restore, nothing, impossible", key)
	}
	if s.Risk.Value != "" && s.Risk.Value != "destructive" {
		m.Add(s.Risk.Pos, "risk", "risk is %q, want destructive", s.Risk)
	}
	if s.Risk.Value == "" && (action == machine.GatewayAbsent || (s.Undo != nil && s.Undo.Impossible.Value != "")) {
		m.Add(key.Pos, "destructive", "nothing brings back what state %q takes: say risk: destructive, so that it needs a fresh approval", key)
	}
	if s.Risk.Value != "" && len(s.Pre) == 0 {
		m.Add(key.Pos, "destructive", "destructive state %q has no pre: it needs a guard that the environment cannot falsify", key)
	}
}

func count(conds ...bool) (n int) {
	for _, c := range conds {
		if c {
			n++
		}
	}
	return n
}

func (s *StateDoc) checkWait(key strictyaml.Text, m *strictyaml.Mistakes) {
	w := s.Wait
	if len(w.Until) == 0 {
		m.Add(w.Pos, "until", "wait of state %q has no until", key)
	}
	if w.Timeout.Value == "" {
		m.Add(w.Pos, "bounded", "wait of state %q has no timeout: every wait is bounded", key)
	}
	switch {
	case w.Stall == nil:
		m.Add(w.Pos, "bounded", "wait of state %q has no stall: say {of: FACT, for: DURATION}, or {none: why}", key)
	case w.Stall.None.Value == "" && (w.Stall.Of.Value == "" || w.Stall.For.Value == ""):
		m.Add(w.Pos, "bounded", "stall of state %q wants of and for, or none", key)
	}
	checkConds(key, w.Until, m)
	checkConds(key, w.Drift, m)
}

func (s *StateDoc) checkApprove(key strictyaml.Text, m *strictyaml.Mistakes) {
	a := s.Approve
	if a.Ask.Value == "" {
		m.Add(key.Pos, "ask", "approve of state %q has no ask: the question in one sentence", key)
	}
	if a.Min == 0 {
		m.Add(key.Pos, "min", "approve of state %q has no min", key)
	}
	if a.Expires.Value == "" {
		m.Add(key.Pos, "bounded", "approve of state %q has no expires: every wait is bounded", key)
	}
	if len(a.Choices) > 0 && (a.Grants.Value != "" || a.Names.Value != "") {
		m.Add(key.Pos, "choices", "approve of state %q has choices: put grants and names into them", key)
	}
	a.checkShows(m)
	a.checkPeople(key, m)
	checkConds(key, a.When, m)
}

// checkGraph checks what can be seen only once the states are connected.
func (doc *Doc) checkGraph(def *machine.Def, harm *harm) strictyaml.Mistakes {
	var m strictyaml.Mistakes
	reach := reachable(def, def.Start, nil)
	doc.checkBegins(def, reach, &m)
	for i := range def.States {
		st, key := &def.States[i], doc.States[i].Key
		if !reach[i] {
			m.Add(key.Pos, "unreachable", "state %q cannot be reached from %q", key, doc.Start)
			continue
		}
		if st.Kind == machine.KindApprove && !harm.states[i] {
			doc.checkAnswers(def, i, &m)
		}
		if st.Kind != machine.KindDo {
			continue
		}
		for j := range i {
			if outOfOrder(def, i, j) && !harm.states[i] && !harm.states[j] {
				m.Add(key.Pos, "order", "%q can be followed by the effect of %q, which stands before it: effects are undone in the reverse order of the file, so they must be reached in that order", key, def.States[j].ID)
			}
		}
		if st.Do.Destructive() {
			doc.checkDecided(def, i, &m)
		}
	}
	return m
}

// outOfOrder reports whether the effect of j, which stands before i and leaves
// something to undo, can happen for the first time after that of i.
func outOfOrder(def *machine.Def, i, j int) bool {
	if def.States[j].Kind != machine.KindDo || def.States[j].Do.Undo.Kind == machine.UndoNothing {
		return false
	}
	without := reachable(def, def.Start, func(k int) bool { return k == j })
	return without[i] && reachable(def, i, nil)[j]
}

// reachable lists the states that can be reached from one, without going on
// beyond those that stop says.
func reachable(def *machine.Def, from int, stop func(int) bool) map[int]bool {
	seen, todo := map[int]bool{from: true}, []int{from}
	for len(todo) > 0 {
		i := todo[0]
		todo = todo[1:]
		if stop != nil && stop(i) {
			continue
		}
		for _, t := range successors(&def.States[i]) {
			if !seen[t] {
				seen[t] = true
				todo = append(todo, t)
			}
		}
	}
	return seen
}

func successors(st *machine.StateDef) []int {
	var next []int
	for _, r := range st.Kind.Results() {
		if t := st.Then[r]; t >= 0 {
			next = append(next, int(t))
		}
	}
	if st.Approve != nil {
		for _, c := range st.Approve.Choices {
			if c.Target >= 0 {
				next = append(next, int(c.Target))
			}
		}
	}
	slices.Sort(next)
	return slices.Compact(next)
}
