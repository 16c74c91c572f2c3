package runbook

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/internal/suggest"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/guard"
	"example.org/ims/pkg/machine"
)

// Book is a runbook bound to a gateway and to parameters: the machine, and the
// guards that its indexes mean. It is immutable and safe for concurrent use.
type Book struct {
	Doc    *Doc
	Def    *machine.Def
	Guards []guard.All       // by the guard indexes of Def
	Begins guard.All         // holds in every world that a run may begin in
	Params map[string]string // every parameter, resolved
	Bound  Binding
}

// Bind compiles a loaded runbook for one run. The mistakes name parameters
// that do not exist and values that do not fit.
func Bind(doc *Doc, b Binding) (*Book, strictyaml.Mistakes) {
	book, mistakes := doc.bind(b)
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return book, nil
}

// bind compiles what can be compiled, and says what cannot.
func (doc *Doc) bind(b Binding) (*Book, strictyaml.Mistakes) {
	bd := &binder{doc: doc, book: &Book{Doc: doc, Bound: b, Params: map[string]string{}, Def: &machine.Def{Name: doc.Metadata.Name.Value}}}
	var err error
	if bd.cel, err = guard.NewCompiler(); err != nil {
		bd.add(doc.Kind, "internal", "%s", err)
		return bd.book, bd.mistakes
	}
	bd.params()
	for i := range doc.States {
		bd.book.Def.States = append(bd.book.Def.States, bd.state(&doc.States[i]))
	}
	bd.book.Def.Start = max(bd.find(doc.Start), 0)
	bd.begins()
	var once strictyaml.Mistakes
	for _, m := range bd.mistakes {
		if !slices.Contains(once, m) {
			once = append(once, m)
		}
	}
	return bd.book, once
}

type binder struct {
	doc      *Doc
	cel      *guard.Compiler
	book     *Book
	mistakes strictyaml.Mistakes
}

func (b *binder) add(t strictyaml.Text, rule, format string, args ...any) {
	b.mistakes.Add(b.doc.pos(t), rule, format, args...)
}

func (b *binder) params() {
	var names []string
	for _, p := range b.doc.Params {
		b.book.Params[p.Key.Value] = p.Value.Default.Value
		names = append(names, p.Key.Value)
	}
	for _, name := range slices.Sorted(maps.Keys(b.book.Bound.Params)) {
		value := b.book.Bound.Params[name]
		if _, ok := b.book.Params[name]; !ok {
			hint := "its parameters are " + strings.Join(names, ", ")
			if near, ok := suggest.Nearest(name, names); ok {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			b.mistakes.Add(b.given(name, b.doc.Metadata.Name), "param", "runbook %s has no parameter %q; %s", b.doc.Metadata.Name, name, hint)
			continue
		}
		b.book.Params[name] = value
	}
	for _, p := range b.doc.Params {
		if p.Value.Type.Value != "duration" {
			continue
		}
		name := p.Key.Value
		if d, err := strictyaml.ParseDuration(b.book.Params[name]); err != nil || d < 0 {
			b.mistakes.Add(b.given(name, p.Key), "param", "parameter %q is %q, want a duration such as 90s, 15m, 48h or 3d", p.Key, b.book.Params[name])
			b.book.Params[name] = "1s" // so that nothing that uses it is blamed
		}
	}
}

// given is where a parameter got its value: where the binding says, or else in
// the runbook.
func (b *binder) given(name string, own strictyaml.Text) strictyaml.Pos {
	if pos, ok := b.book.Bound.Places[name]; ok {
		return pos
	}
	return b.doc.pos(own)
}

// text resolves a value that may be a parameter.
func (b *binder) text(t strictyaml.Text) string {
	value, _ := b.resolve(t)
	return value
}

// resolve is the text of a value that may be a parameter; ok is false if it
// names none.
func (b *binder) resolve(t strictyaml.Text) (value string, ok bool) {
	inner, ok := strings.CutPrefix(t.Value, "${")
	if !ok {
		return t.Value, true
	}
	inner, closed := strings.CutSuffix(inner, "}")
	value, known := b.book.Params[inner]
	if !closed || !known {
		b.add(t, "param", "%q names no parameter", t.Value)
		return "", false
	}
	return value, true
}

// place is where a value was given: where it stands, or where its parameter got
// it.
func (b *binder) place(t strictyaml.Text) strictyaml.Pos {
	if inner, ok := strings.CutPrefix(t.Value, "${"); ok {
		if pos, ok := b.book.Bound.Places[strings.TrimSuffix(inner, "}")]; ok {
			return pos
		}
	}
	return b.doc.pos(t)
}

// duration is a duration of zero or more; 0 if none is given.
func (b *binder) duration(t strictyaml.Text) time.Duration {
	if t.Value == "" {
		return 0
	}
	text, ok := b.resolve(t)
	if !ok {
		return 0
	}
	d, err := strictyaml.ParseDuration(text)
	if err != nil || d < 0 {
		b.mistakes.Add(b.place(t), "duration", "%q is no duration such as 90s, 15m, 48h or 3d", text)
	}
	return d
}

// positive is a duration above zero; 0 if none is given.
func (b *binder) positive(t strictyaml.Text) time.Duration {
	wrong := len(b.mistakes)
	d := b.duration(t)
	if t.Value != "" && d == 0 && len(b.mistakes) == wrong {
		b.mistakes.Add(b.place(t), "duration", "%s is no time at all: want a duration above zero, such as 90s, 15m, 48h or 3d", t)
	}
	return d
}

func (b *binder) find(t strictyaml.Text) int {
	var names []string
	for i := range b.doc.States {
		if b.doc.States[i].Key.Value == t.Value {
			return i
		}
		names = append(names, b.doc.States[i].Key.Value)
	}
	hint := ""
	if near, ok := suggest.Nearest(t.Value, names); ok {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	b.add(t, "target", "there is no state %q%s", t.Value, hint)
	return machine.Here
}

func (b *binder) target(t strictyaml.Text) machine.Target {
	switch t.Value {
	case "operator":
		return machine.ToOperator
	case "reobserve":
		return machine.ToReobserve
	}
	return machine.Target(b.find(t))
}

// guard compiles a conjunction and returns its index.
func (b *binder) guard(name string, conds []Cond) int {
	if len(conds) == 0 {
		return machine.Here
	}
	b.book.Guards = append(b.book.Guards, b.compile(name, conds))
	b.book.Def.Guards = append(b.book.Def.Guards, name)
	return len(b.book.Guards) - 1
}

// compile compiles a conjunction.
func (b *binder) compile(name string, conds []Cond) (all guard.All) {
	for i, c := range conds {
		if c.That.Value == "" {
			continue // Load has said so
		}
		g, errs := b.cel.Compile(fmt.Sprintf("%s[%d]", name, i), c.That.Value)
		for _, e := range errs {
			pos := c.That.Pos
			if e.Line == 1 {
				pos.Col += e.Column - 1 + b.quoteWidth(c.That)
			}
			b.mistakes.Add(pos, "guard", "%s", e.Message)
		}
		if g != nil {
			g.Why, g.Fix = c.Why.Value, b.fix(c.Fix)
			all = append(all, g)
		}
	}
	return all
}

// quoteWidth is 1 if the text stands in quotes, which the expression's own
// columns do not count.
func (b *binder) quoteWidth(t strictyaml.Text) int {
	lines := strings.Split(string(b.doc.Source), "\n")
	if t.Pos.Line-1 < len(lines) {
		line := lines[t.Pos.Line-1]
		if t.Pos.Col-1 < len(line) && strings.ContainsRune(`"'`, rune(line[t.Pos.Col-1])) {
			return 1
		}
	}
	return 0
}

// fix fills the gateway's and the successor's name into a command.
func (b *binder) fix(t strictyaml.Text) string {
	return strings.NewReplacer("${gateway}", b.book.Bound.Gateway, "${successor}", orName(b.book.Bound.Successor)).Replace(t.Value)
}

func orName(s string) string {
	if s == "" {
		return "SUCCESSOR"
	}
	return s
}

func (b *binder) state(e *strictyaml.Entry[StateDoc]) machine.StateDef {
	s := &e.Value
	kind, things := s.kind()
	if things != 1 { // Load has said so; nothing else can be said of it
		return machine.StateDef{ID: e.Key.Value, Kind: machine.KindEnd}
	}
	st := machine.StateDef{
		ID: e.Key.Value, Title: s.Title.Value, Because: s.Because.Value, Kind: kind,
		Assert: b.guard(e.Key.Value+".assert", s.Assert),
	}
	for _, c := range s.Cite {
		st.Sources = append(st.Sources, c.Value)
	}
	switch kind {
	case machine.KindDo:
		st.Do = b.do(e)
	case machine.KindWait:
		st.Wait = b.wait(e)
	case machine.KindApprove:
		st.Approve = b.approve(e)
	case machine.KindEnd:
		out, ok := machine.ParseOutcome(s.End.Value)
		if !ok {
			b.add(s.End, "end", "%q is no outcome: want retired, removed-release-pending, succeeded, aborted or failed", s.End)
		}
		st.End = out
	case machine.KindAssert:
	}
	b.then(e, &st)
	return st
}

// then maps every result of the state's kind, from the state or the defaults.
func (b *binder) then(e *strictyaml.Entry[StateDoc], st *machine.StateDef) {
	for r := range st.Then {
		st.Then[r] = machine.ToNowhere
	}
	for _, r := range st.Kind.Results() {
		to, ok := lookup(e.Value.Then, word(st.Kind, r))
		if !ok {
			to, ok = lookup(b.doc.Defaults.Then, word(st.Kind, r))
		}
		switch {
		case ok:
			st.Then[r] = b.target(to)
		case r == machine.OK && st.Kind == machine.KindApprove && len(st.Approve.Choices) > 0:
			st.Then[r] = st.Approve.Choices[0].Target
		default:
			b.add(e.Key, "then", "state %q does not say what follows %q", e.Key, word(st.Kind, r))
		}
	}
	for _, t := range e.Value.Then {
		if !slices.ContainsFunc(st.Kind.Results(), func(r machine.Result) bool { return word(st.Kind, r) == t.Key.Value }) {
			b.add(t.Key, "then", "a %s never ends in %q", st.Kind, t.Key)
		}
	}
	if st.Approve != nil && len(st.Approve.Choices) == 0 {
		st.Approve.Choices = []machine.Choice{{
			Name: "granted", Target: st.Then[machine.OK],
			Grants: b.grants(e.Value.Approve.Grants), Names: b.subject(e.Value.Approve.Names),
		}}
	}
}

func word(k machine.Kind, r machine.Result) string {
	if k == machine.KindApprove && r == machine.OK {
		return "granted"
	}
	return r.String()
}

func lookup(m strictyaml.Map[strictyaml.Text], key string) (strictyaml.Text, bool) {
	for _, e := range m {
		if e.Key.Value == key {
			return e.Value, true
		}
	}
	return strictyaml.Text{}, false
}

func (b *binder) grants(t strictyaml.Text) uint8 {
	if t.Value == "" {
		return 0
	}
	i, ok := facts.GrantIndex(t.Value)
	if !ok {
		b.add(t, "grants", "unknown kind of consent %q: want one of %s", t, strings.Join(facts.GrantNames(), ", "))
		return 0
	}
	return 1 << i
}
