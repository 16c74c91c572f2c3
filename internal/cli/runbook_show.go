package cli

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

func newRunbookShow(s *session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:     "show NAME|FILE [STATE]",
		Short:   "Print a runbook's parameters and states, or one state with its guards",
		Example: "  ims runbook show q285090\n  ims runbook show q285090 move_mx",
		Args:    args(cobra.RangeArgs(1, 2), "a runbook, and a state or none"),
		RunE: func(_ *cobra.Command, argv []string) error {
			book, err := s.load(argv[0])
			if err != nil {
				return err
			}
			if len(argv) == 2 {
				return showState(s.printer(format), book, argv[1])
			}
			return showBook(s.printer(format), book)
		},
		ValidArgsFunction: s.completeState,
	}
	formatFlag(cmd, &format, output.Text, output.JSON)
	return exits(cmd, output.Done)
}

type runbookData struct {
	Name   string         `json:"name"`
	Title  string         `json:"title"`
	Origin string         `json:"origin"`
	Digest string         `json:"digest"`
	Params []paramData    `json:"params"`
	Assume []string       `json:"assumptions"`
	Start  string         `json:"start"`
	States []bookStateDoc `json:"states"`
}

type paramData struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Default string `json:"default"`
	Doc     string `json:"doc"`
}

type bookStateDoc struct {
	ID      string            `json:"id"`
	Kind    string            `json:"kind"`
	Title   string            `json:"title"`
	Sources []string          `json:"sources"`
	Because string            `json:"because,omitempty"`
	Action  string            `json:"action,omitempty"`
	Undo    string            `json:"undo,omitempty"`
	End     string            `json:"end,omitempty"`
	Guards  []guardData       `json:"guards"`
	Then    map[string]string `json:"then"`
}

type guardData struct {
	Use  string `json:"use"` // pre, assert, until, drift, when
	That string `json:"that"`
	Why  string `json:"why"`
	Fix  string `json:"fix"`
}

func showBook(p *output.Printer, book *runbook.Book) error {
	meta := book.Doc.Metadata
	data := runbookData{
		Name: meta.Name.Value, Title: meta.Title.Value, Origin: meta.Origin.Value, Digest: book.Doc.Digest,
		Params: []paramData{}, Assume: []string{}, Start: book.Doc.Start.Value,
	}
	params := output.Table{Columns: output.Columns("PARAMETER", "DEFAULT", "MEANING")}
	for _, e := range book.Doc.Params {
		data.Params = append(data.Params, paramData{e.Key.Value, e.Value.Type.Value, e.Value.Default.Value, e.Value.Doc.Value})
		params.Add(e.Key, e.Value.Default, e.Value.Doc)
	}
	for _, e := range book.Doc.Assume {
		data.Assume = append(data.Assume, e.Value.Value)
	}
	states := output.Table{Columns: output.Columns("#", "STATE", "KIND", "SOURCE", "UNDO", "TITLE")}
	states.Columns[0] = output.Column{Name: "#", Number: true}
	for i := range book.Def.States {
		st := stateOf(book, i)
		data.States = append(data.States, st)
		states.Add(book.Def.Number(i), st.ID, st.Kind, sourceOf(st), undoWord(&book.Def.States[i]), cmp.Or(st.Title, st.End))
	}
	return p.Result("runbook", data, func(page *output.Page) {
		page.Line("%s: %s", data.Name, data.Title)
		page.Line("origin: %s", data.Origin)
		page.Line("digest: %s", data.Digest)
		page.Blank()
		page.Table(params)
		page.Blank()
		page.Table(states)
		page.Blank()
		page.Line("It assumes that")
		for _, a := range data.Assume {
			page.Line("  %s", a)
		}
	})
}

// sourceOf is the historical step that a state encodes, or else the property
// that made us add it.
func sourceOf(st bookStateDoc) string {
	if len(st.Sources) > 0 {
		return strings.Join(st.Sources, ", ")
	}
	property, _, _ := strings.Cut(st.Because, ":")
	return property
}

// undoWord says in one word how an effect is undone.
func undoWord(st *machine.StateDef) string {
	if st.Do == nil {
		return ""
	}
	switch st.Do.Undo.Kind {
	case machine.UndoRestore:
		return "restore"
	case machine.UndoNothing:
		return "nothing"
	case machine.UndoImpossible:
		return "IMPOSSIBLE"
	}
	return strconv.Itoa(int(st.Do.Undo.Kind))
}

func stateOf(book *runbook.Book, i int) bookStateDoc {
	def, doc := &book.Def.States[i], &book.Doc.States[i].Value
	st := bookStateDoc{
		ID: def.ID, Kind: def.Kind.String(), Title: def.Title, Because: def.Because,
		Sources: append([]string{}, def.Sources...), Guards: []guardData{}, Then: map[string]string{},
	}
	add := func(use string, conds []runbook.Cond) {
		for _, c := range conds {
			st.Guards = append(st.Guards, guardData{use, c.That.Value, c.Why.Value, c.Fix.Value})
		}
	}
	add("pre", doc.Pre)
	add("assert", doc.Assert)
	if doc.Wait != nil {
		add("until", doc.Wait.Until)
		add("drift", doc.Wait.Drift)
	}
	if doc.Approve != nil {
		add("when", doc.Approve.When)
	}
	switch def.Kind {
	case machine.KindDo:
		st.Action = string(def.Do.Action)
		st.Undo = strings.TrimSuffix(undoWord(def)+": "+def.Do.Undo.Why, ": ")
	case machine.KindEnd:
		st.End = def.End.String()
	case machine.KindWait, machine.KindApprove, machine.KindAssert:
	}
	for _, r := range def.Kind.Results() {
		st.Then[r.String()] = targetName(book.Def, def.Then[r])
	}
	return st
}

func targetName(def *machine.Def, t machine.Target) string {
	switch {
	case t == machine.ToOperator:
		return "operator"
	case t == machine.ToReobserve:
		return "reobserve"
	case t < 0:
		return "nowhere"
	}
	return def.States[t].ID
}

func showState(p *output.Printer, book *runbook.Book, id string) error {
	var ids []string
	for i := range book.Def.States {
		if ids = append(ids, book.Def.States[i].ID); ids[i] == id {
			st := stateOf(book, i)
			return p.Result("runbook-state", st, func(page *output.Page) { statePage(page, st, book.Def.States[i].Kind) })
		}
	}
	name := book.Doc.Metadata.Name.Value
	return output.As(output.Usage, "ims runbook show "+name, fmt.Errorf("runbook %s has no state %q%s", name, id, didYouMean(id, ids)))
}

func statePage(page *output.Page, st bookStateDoc, kind machine.Kind) {
	page.Line("%s (%s): %s", st.ID, st.Kind, cmp.Or(st.Title, st.End))
	for _, f := range [][2]string{{"cites", strings.Join(st.Sources, ", ")}, {"because", st.Because}, {"does", st.Action}, {"undo", st.Undo}} {
		if f[1] != "" {
			page.Line("  %-8s %s", f[0], f[1])
		}
	}
	for _, g := range st.Guards {
		page.Line("  %-8s %s", g.Use, g.That)
		page.Line("           why: %s", g.Why)
		page.Line("           fix: %s", g.Fix)
	}
	for _, r := range kind.Results() {
		page.Line("  %-8s → %s", r, st.Then[r.String()])
	}
}
