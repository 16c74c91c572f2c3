package runbook

import (
	"slices"
	"strings"

	"example.org/ims/internal/strictyaml"
)

// harm is where a file could not be read: what seems to be missing there may
// stand under a misspelt key.
type harm struct {
	doc    *Doc
	states map[int]bool    // by index
	rules  map[string]bool // that what could not be read outside of the states may seem to break
}

// headLacks are the rules that what is missing under a key of the document
// seems to break, inside the states or where the file begins.
var headLacks = map[string][]string{
	"metadata": {"name"}, "params": {"param"}, "assume": nil, "defaults": {"then"}, "begins": nil,
	"apiVersion": {"version"}, "kind": {"kind"}, "start": {"target"},
}

// harmed finds out where a file could not be read. A word that YAML 1.1 takes
// for a boolean was read all the same.
func (doc *Doc) harmed(mistakes strictyaml.Mistakes) *harm {
	h := &harm{doc: doc, states: map[int]bool{}, rules: map[string]bool{}}
	for _, m := range mistakes {
		if m.Rule == "yaml11-bool" {
			continue
		}
		if i := doc.stateAt(m.Pos.Line); i >= 0 {
			h.states[i] = true
			continue
		}
		key := doc.keyAt(m.Pos.Line)
		for section, rules := range headLacks {
			if _, known := headLacks[key]; !known || section == key {
				for _, r := range rules {
					h.rules[r] = true
				}
			}
		}
	}
	return h
}

// keyAt is the key of the document under which a line stands, or "".
func (doc *Doc) keyAt(line int) (key string) {
	for i, l := range strings.Split(string(doc.Source), "\n") {
		if i < line && begins(l) {
			key, _, _ = strings.Cut(l, ":")
		}
	}
	return key
}

// begins reports whether a line begins a key of the document.
func begins(l string) bool { return l != "" && !strings.ContainsAny(l[:1], " \t\r#") }

// StateAt is the id of the state in which a line stands, or "".
func (doc *Doc) StateAt(line int) string {
	if i := doc.stateAt(line); i >= 0 {
		return doc.States[i].Key.Value
	}
	return ""
}

// stateAt is the index of the state in which a line stands, or -1.
func (doc *Doc) stateAt(line int) int {
	at := -1
	for i := range doc.States {
		if doc.States[i].Key.Pos.Line <= line {
			at = i
		}
	}
	if at < 0 {
		return at
	}
	lines := strings.Split(string(doc.Source), "\n")
	from := doc.States[at].Key.Pos.Line
	for _, l := range lines[min(from, len(lines)):min(line, len(lines))] {
		if begins(l) {
			return -1 // another key of the document begins
		}
	}
	return at
}

// lacks are the rules about something that is not there.
var lacks = []string{"one-thing", "only-do", "cite", "that", "why", "fix", "undo", "until", "bounded", "ask", "min", "destructive", "then", "needs"}

// explains reports whether a mistake may come from what could not be read.
func (h *harm) explains(m strictyaml.Mistake) bool {
	i := h.doc.stateAt(m.Pos.Line)
	missing := i >= 0 || m.Pos.Line == 1 && m.Pos.Col == 1 // in a state, or nowhere
	if missing && h.rules[m.Rule] {
		return true
	}
	return i >= 0 && h.states[i] && slices.Contains(lacks, m.Rule)
}

// connected reports whether all states have a target for every result, so that
// ways through them can be followed.
func connected(found strictyaml.Mistakes) bool {
	return !slices.ContainsFunc(found, func(m strictyaml.Mistake) bool {
		return slices.Contains([]string{"target", "then", "one-thing", "internal"}, m.Rule)
	})
}
