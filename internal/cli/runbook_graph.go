package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

func newRunbookGraph(s *session) *cobra.Command {
	var format output.Format
	var all bool
	cmd := &cobra.Command{
		Use:   "graph NAME|FILE",
		Short: "Draw a runbook as a Mermaid state diagram",
		Long: `Draw a runbook as a Mermaid state diagram: an arrow for each result that leads
to another state, labelled with it, the answers of each question, and where an
abort undoes something. Results that only make the run wait for the operator are
left out, unless --all asks for them.

The same runbook always gives the same text.`,
		Example:           "  ims runbook graph q285090 >q285090.mmd\n  ims runbook graph ./mine.yaml -o markdown",
		Args:              args(cobra.ExactArgs(1), "a runbook"),
		ValidArgsFunction: s.completeRunbook,
		RunE: func(_ *cobra.Command, argv []string) error {
			book, err := s.load(argv[0])
			if err != nil {
				return err
			}
			p := s.printer(format)
			text := graph(book, all)
			if p.Format() == output.Markdown {
				text = "```mermaid\n" + text + "```\n"
			}
			return p.Raw([]byte(text))
		},
	}
	formatFlag(cmd, &format, output.Mermaid, output.Markdown)
	cmd.Flags().BoolVar(&all, "all", false, "draw the results that make the run wait for the operator, too")
	return exits(cmd, output.Done)
}

// graph is a Mermaid state diagram.
func graph(book *runbook.Book, all bool) string {
	def := book.Def
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "  "+format+"\n", args...) }
	b.WriteString("stateDiagram-v2\n")
	line("%%%% %s: %s", def.Name, label(book.Doc.Metadata.Title.Value))
	if !all {
		line("%%%% results that are not drawn make the run wait for the operator")
	}
	for _, c := range graphClasses {
		line("classDef %s %s", c[0], c[1])
	}
	for i := range def.States {
		st := &def.States[i]
		line("%s: %s", graphID(st.ID), label(graphTitle(st)))
		line("class %s %s", graphID(st.ID), graphClass(st))
	}
	line("[*] --> %s", graphID(def.States[def.Start].ID))
	for i := range def.States {
		st := &def.States[i]
		for _, e := range graphEdges(def, st, all) {
			line("%s --> %s: %s", graphID(st.ID), e.to, label(e.text))
		}
	}
	return b.String()
}

// graphClasses tell kinds of states apart by colour; their titles say the same
// in words.
var graphClasses = [][2]string{
	{"do", "fill:#dbeafe,stroke:#1d4ed8,color:#111"},
	{"destructive", "fill:#fecaca,stroke:#b91c1c,color:#111"},
	{"wait", "fill:#f3f4f6,stroke:#4b5563,color:#111"},
	{"approve", "fill:#fef3c7,stroke:#b45309,color:#111"},
	{"assert", "fill:#ede9fe,stroke:#6d28d9,color:#111"},
	{"ends", "fill:#dcfce7,stroke:#15803d,color:#111"},
}

func graphClass(st *machine.StateDef) string {
	switch {
	case st.Kind == machine.KindEnd:
		return "ends" // "end" is a word of the diagram language
	case st.Do != nil && st.Do.Destructive():
		return "destructive"
	}
	return st.Kind.String()
}

func graphTitle(st *machine.StateDef) string {
	title := st.ID + " (" + st.Kind.String()
	if len(st.Sources) > 0 {
		title += ", " + strings.Join(st.Sources, ", ")
	}
	return title + ") " + cmp.Or(st.Title, st.End.String())
}

type graphEdge struct{ to, text string }

// graphEdges are a state's arrows, one for each place it can lead to, in the
// order of the first result that leads there.
func graphEdges(def *machine.Def, st *machine.StateDef, all bool) []graphEdge {
	var edges []graphEdge
	add := func(to, text string) {
		if i := slices.IndexFunc(edges, func(e graphEdge) bool { return e.to == to }); i >= 0 {
			edges[i].text += ", " + text
			return
		}
		edges = append(edges, graphEdge{to, text})
	}
	lead := func(t machine.Target, text string) {
		if name := targetName(def, t); t >= 0 || all && t != machine.ToNowhere {
			if t == machine.ToReobserve {
				name = st.ID
			}
			add(graphID(name), text)
		}
	}
	if st.Approve != nil {
		for _, c := range st.Approve.Choices {
			lead(c.Target, "answer "+c.Name)
		}
		if st.Approve.When != machine.Here {
			lead(st.Then[machine.OK], "nobody need be asked")
		}
	}
	for _, r := range st.Kind.Results() {
		if r != machine.OK || st.Approve == nil {
			lead(st.Then[r], r.String())
		}
	}
	switch {
	case st.Kind == machine.KindEnd:
		add("[*]", st.End.String())
	case st.Do != nil && st.Do.Undo.Kind == machine.UndoRestore:
		add("aborted", "abort restores what was before")
	case st.Do != nil && st.Do.Undo.Kind == machine.UndoImpossible:
		edges[0].text += ", and no abort any more"
	}
	return edges
}

// graphID is a state's id, unless that is a word of the diagram's language.
func graphID(id string) string {
	switch id {
	case "as", "class", "classDef", "default", "direction", "end", "note", "state", "style":
		return id + "_"
	}
	return id
}

// label is text without the characters that end one in the diagram's language.
func label(s string) string {
	return strings.NewReplacer(": ", ", ", ":", " ", ";", ",", "#", "", "\n", " ", "%%", "%", "{", "(", "}", ")").Replace(output.Safe(s))
}
