// Package trace runs golden traces: a runbook's way through observations,
// answers, time, refusals and crashes that somebody wrote down, step by step,
// with the states that must be entered.
//
//	quiet:
//	  title: A gateway that nobody misses
//	  steps:
//	    - then: [ready, move_mx, mx_agrees]
//	    - see: {mx.here: "false", mx.wanted: "true", mx.agree: "true"}
//	      then: [accepting]
//	    - after: 24h
//	      then: [operator (timeout)]
//
// A trace steps the real machine with the real guards; the shell's part, which
// is to observe, to perform and to wait, is what the trace says. It proves
// nothing (pkg/check does that); it shows a reader one way through a runbook,
// and shows whoever changes the runbook what that changes. The package reads
// no clock and no file.
//
// Effects succeed unless the trace lists results for their state, and change the
// facts that the file, and then the trace, says they change. Facts that nobody has named are unknown.
package trace

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/internal/suggest"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// Doc is a file of traces as written.
type Doc struct {
	APIVersion strictyaml.Text                 `yaml:"apiVersion"`
	Kind       strictyaml.Text                 `yaml:"kind"`
	Runbook    strictyaml.Text                 `yaml:"runbook"`
	Facts      strictyaml.Map[strictyaml.Text] `yaml:"facts"` // the world in which every trace begins
	Changes    Changes                         `yaml:"changes"`
	Traces     strictyaml.Map[Trace]           `yaml:"traces"`

	File string
}

// Changes are the facts that the effect of a state changes, as they are once it
// has happened on the last of its targets.
type Changes = strictyaml.Map[strictyaml.Map[strictyaml.Text]]

// Trace is one way through a runbook.
type Trace struct {
	Title   strictyaml.Text                   `yaml:"title"`
	From    strictyaml.Text                   `yaml:"from"`    // the state to begin in; the runbook's start if empty
	Facts   strictyaml.Map[strictyaml.Text]   `yaml:"facts"`   // what differs from the file's facts
	Changes Changes                           `yaml:"changes"` // what differs from the file's changes
	Effects strictyaml.Map[[]strictyaml.Text] `yaml:"effects"` // by state: what becomes of each attempt and look
	Steps   []Step                            `yaml:"steps"`
	Ends    strictyaml.Text                   `yaml:"ends"` // the outcome; empty if the run stays open
}

// Step is something that happens, and the states that are entered because of
// it, in order. Of the first four at most See and one more may be given; a
// first step without any of them is the opening of the run.
type Step struct {
	strictyaml.At
	See     strictyaml.Map[strictyaml.Text] `yaml:"see"`     // facts that are observed to have changed
	After   strictyaml.Text                 `yaml:"after"`   // time passes: a duration or ${parameter}
	Answer  strictyaml.Text                 `yaml:"answer"`  // granted, rejected, or the name of a choice
	Happens strictyaml.Text                 `yaml:"happens"` // crash, resume or abort
	Then    []strictyaml.Text               `yaml:"then"`
}

// happenings are the words of Step.Happens.
var happenings = map[string]machine.EventKind{"crash": machine.Resumed, "resume": machine.Continue, "abort": machine.Abort}

// crash is the word for a runner that dies instead of learning what became of
// an effect.
const crash = "crash"

// effects are the words of Trace.Effects.
func effects() []string {
	words := []string{crash}
	for r := range machine.Overridden + 1 {
		words = append(words, r.String())
	}
	return words
}

// Load reads a file of traces for a runbook and reports everything that is
// wrong with it.
func Load(file string, source []byte, book *runbook.Book) (*Doc, strictyaml.Mistakes) {
	doc := &Doc{File: file}
	mistakes := strictyaml.Decode(file, source, doc)
	if len(mistakes) > 0 {
		return doc, mistakes
	}
	l := &linter{doc: doc, book: book}
	l.head()
	l.facts(doc.Facts)
	l.changes(doc.Changes)
	for i := range doc.Traces {
		l.trace(doc.Traces[i].Key, &doc.Traces[i].Value)
	}
	slices.SortStableFunc(l.mistakes, func(a, b strictyaml.Mistake) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	return doc, l.mistakes
}

type linter struct {
	doc      *Doc
	book     *runbook.Book
	mistakes strictyaml.Mistakes
}

func (l *linter) add(t strictyaml.Text, rule, format string, args ...any) {
	if t.Pos.Line == 0 {
		t.Pos = strictyaml.Pos{File: l.doc.File, Line: 1, Col: 1}
	}
	l.mistakes.Add(t.Pos, rule, format, args...)
}

// word wants one of a few words.
func (l *linter) word(t strictyaml.Text, rule, what string, known []string) {
	if slices.Contains(known, t.Value) {
		return
	}
	hint := "want " + strings.Join(known, ", ")
	if near, ok := suggest.Nearest(t.Value, known); ok {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	l.add(t, rule, "there is no %s %q; %s", what, t, hint)
}

func (l *linter) head() {
	if l.doc.APIVersion.Value != runbook.APIVersion {
		l.add(l.doc.APIVersion, "version", "apiVersion is %q, this ims reads %q", l.doc.APIVersion, runbook.APIVersion)
	}
	if l.doc.Kind.Value != "Traces" {
		l.add(l.doc.Kind, "kind", "kind is %q, want Traces", l.doc.Kind)
	}
	if l.doc.Runbook.Value != l.book.Def.Name {
		l.add(l.doc.Runbook, "name", "these are traces of runbook %q, not of %q", l.doc.Runbook, l.book.Def.Name)
	}
	if len(l.doc.Traces) == 0 {
		l.add(l.doc.Kind, "traces", "there is no trace")
	}
}

func (l *linter) states() []string {
	var ids []string
	for i := range l.book.Def.States {
		ids = append(ids, l.book.Def.States[i].ID)
	}
	return ids
}

func (l *linter) trace(name strictyaml.Text, t *Trace) {
	if t.From.Value != "" {
		l.word(t.From, "state", "state", l.states())
	}
	if len(t.Steps) == 0 {
		l.add(name, "steps", "trace %q has no steps", name)
	}
	if _, ok := machine.ParseOutcome(t.Ends.Value); !ok && t.Ends.Value != "" {
		l.add(t.Ends, "end", "%q is no outcome", t.Ends)
	}
	l.facts(t.Facts)
	l.changes(t.Changes)
	for _, e := range t.Effects {
		l.word(e.Key, "state", "state", l.states())
		for _, r := range e.Value {
			l.word(r, "effect", "result of an effect", effects())
		}
	}
	for i := range t.Steps {
		l.step(i, &t.Steps[i])
	}
}

func (l *linter) changes(all Changes) {
	for _, c := range all {
		l.word(c.Key, "state", "state", l.states())
		l.facts(c.Value)
	}
}

func (l *linter) step(i int, s *Step) {
	at := strictyaml.Text{Pos: s.Pos}
	n := 0
	for _, t := range []strictyaml.Text{s.After, s.Answer, s.Happens} {
		if t.Value != "" {
			n++
		}
	}
	if n > 1 {
		l.add(at, "one-thing", "a step has at most one of after, answer and happens")
	}
	if n == 0 && len(s.See) == 0 && i > 0 {
		l.add(at, "one-thing", "nothing happens in this step: give it see, after, answer or happens")
	}
	l.facts(s.See)
	if _, err := duration(l.book, s.After); err != nil {
		l.add(s.After, "duration", "%q is no duration such as 90s, 15m, 48h or 3d, and no ${parameter} that is one", s.After)
	}
	if _, ok := happenings[s.Happens.Value]; !ok && s.Happens.Value != "" {
		l.word(s.Happens, "happens", "event", []string{"crash", "resume", "abort"})
	}
}

// facts wants facts with values of their types. What was granted follows from
// the answers of a trace, so it cannot be observed.
func (l *linter) facts(m strictyaml.Map[strictyaml.Text]) {
	var names []string
	for _, id := range facts.All() {
		names = append(names, id.String())
	}
	for _, e := range m {
		id, ok := facts.Lookup(e.Key.Value)
		if !ok {
			l.word(e.Key, "fact", "fact", names)
			continue
		}
		for i := range facts.GrantNames() {
			if id == facts.GrantFact(i) {
				l.add(e.Key, "fact", "%s follows from the answers of the trace", e.Key)
			}
		}
		if _, err := id.Parse(e.Value.Value); err != nil {
			l.add(e.Value, "fact", "%s cannot be %q", e.Key, e.Value)
		}
	}
}

func duration(b *runbook.Book, t strictyaml.Text) (time.Duration, error) {
	if t.Value == "" {
		return 0, nil
	}
	value := t.Value
	if name, ok := strings.CutPrefix(value, "${"); ok {
		value = b.Params[strings.TrimSuffix(name, "}")]
	}
	return strictyaml.ParseDuration(value)
}
