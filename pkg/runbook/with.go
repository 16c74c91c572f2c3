package runbook

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/internal/suggest"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// argument is one that a runbook gives an action.
type argument struct {
	key, word string // the word is "" for a list
	pos       strictyaml.Pos
}

func (a argument) String() string {
	if a.word == "" {
		return a.key + ": …"
	}
	return a.key + ": " + a.word
}

// given lists the arguments that are given, in the order of the type.
func (w *WithDoc) given() (all []argument) {
	v := reflect.ValueOf(*w)
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if key == "" || v.Field(i).IsZero() {
			continue
		}
		a := argument{key: key, pos: w.Pos}
		switch x := v.Field(i).Interface().(type) {
		case strictyaml.Text:
			a.word, a.pos = x.Value, x.Pos
		case []strictyaml.Text:
			a.pos = x[0].Pos
		case bool:
			a.word = "true"
		}
		all = append(all, a)
	}
	return all
}

// ReleaseMaxAge is the parameter that says how old mail may be and still be sent
// without a decision. The fact gw.aged counts by it.
const ReleaseMaxAge = "release_max_age"

// checkWith checks an action's arguments against the forms that it has.
func (d *DoDoc) checkWith(m *strictyaml.Mistakes) {
	action := machine.ActionName(d.Action.Value)
	forms, given := action.Forms(), d.With.given()
	if forms == nil {
		return
	}
	before := len(*m)
	if age := d.With.OlderThan; age.Value != "" && age.Value != "${"+ReleaseMaxAge+"}" {
		m.Add(age.Pos, "with", "older_than is ${%[1]s}: %s counts what is older than that parameter says, so that mail of an age between the two would neither be held nor let the run go on", ReleaseMaxAge, facts.GwAged)
	}
	for _, a := range given {
		checkArgument(action, forms, a, m)
	}
	fits := func(f machine.Form) bool { return fit(f, given) }
	if len(*m) > before || slices.ContainsFunc(forms, fits) {
		return
	}
	words := make([]string, len(forms))
	for i, f := range forms {
		words[i] = formWords(f)
	}
	this := make([]string, len(given))
	for i, a := range given {
		this[i] = a.String()
	}
	m.Add(d.Action.Pos, "with", "%s wants with: %s; this is {%s}", action, strings.Join(words, " or "), strings.Join(this, ", "))
}

// checkArgument says of one argument that the action does not take it, or that
// it never has this value.
func checkArgument(action machine.ActionName, forms []machine.Form, a argument, m *strictyaml.Mistakes) {
	var names, words []string
	free := false // it has a value of its own kind
	for _, f := range forms {
		for _, k := range f.Keys() {
			names = append(names, k.Name)
			if k.Name == a.key {
				free = free || len(k.Words) == 0
				words = append(words, k.Words...)
			}
		}
	}
	names, words = unique(names), unique(words)
	switch {
	case len(names) == 0:
		m.Add(a.pos, "with", "%s takes no argument, this is %q", action, a.key)
	case !slices.Contains(names, a.key):
		m.Add(a.pos, "with", "%s takes no %q%s", action, a.key, meant(a.key, names, "it takes "))
	case !free && strings.Contains(a.word, "${"):
		m.Add(a.pos, "with", "%s may not be a parameter, because what is proved is proved of one word%s", a.key, meant(a.word, words, "write "))
	case !free && !slices.Contains(words, a.word):
		m.Add(a.pos, "with", "%s is never %q%s", a.key, a.word, meant(a.word, words, "want "))
	}
}

// meant is the word that somebody probably meant, or all that there are.
func meant(word string, words []string, otherwise string) string {
	if near, ok := suggest.Nearest(word, words); ok {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	list := strings.Join(words, ", ")
	if n := len(words) - 1; n > 0 {
		list = strings.Join(words[:n], ", ") + " or " + words[n]
	}
	return "; " + otherwise + list
}

// unique drops repetitions, and keeps the order.
func unique(list []string) (out []string) {
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// fit reports whether arguments are of a form.
func fit(f machine.Form, given []argument) bool {
	has := func(k machine.Key) bool {
		return slices.ContainsFunc(given, func(a argument) bool {
			return a.key == k.Name && (len(k.Words) == 0 || slices.Contains(k.Words, a.word))
		})
	}
	for _, k := range f.Needs {
		if !has(k) {
			return false
		}
	}
	all := f.Keys()
	for _, a := range given {
		if !slices.ContainsFunc(all, func(k machine.Key) bool { return k.Name == a.key && has(k) }) {
			return false
		}
	}
	return len(f.Some) == 0 || slices.ContainsFunc(f.Some, has)
}

// formWords is a form as a runbook writes it; what need not stand is in
// brackets.
func formWords(f machine.Form) string {
	one := func(k machine.Key) string {
		if len(k.Words) == 0 {
			return k.Name + ": …"
		}
		return k.Name + ": " + strings.Join(k.Words, "|")
	}
	var parts, some []string
	for _, k := range f.Needs {
		parts = append(parts, one(k))
	}
	for _, k := range f.Some {
		some = append(some, one(k))
	}
	if len(some) > 0 {
		parts = append(parts, "at least one of "+strings.Join(some, ", "))
	}
	for _, k := range f.May {
		parts = append(parts, "["+one(k)+"]")
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// checkShows checks that what is shown exists.
func (a *ApproveDoc) checkShows(m *strictyaml.Mistakes) {
	groups := factGroups()
	for _, s := range a.Shows {
		if !slices.Contains(groups, s.Value) {
			m.Add(s.Pos, "shows", "there are no facts of %q%s", s, meant(s.Value, groups, "want "))
		}
	}
}

// factGroups are the first parts of the names of facts.
func factGroups() []string {
	var groups []string
	for _, id := range facts.All() {
		group, _, _ := strings.Cut(id.String(), ".")
		groups = append(groups, group)
	}
	return unique(groups)
}
