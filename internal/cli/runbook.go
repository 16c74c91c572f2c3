package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/runbook"
)

func newRunbook(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runbook COMMAND",
		Short: "Look at and check the procedures that ims performs",
		Long: `A runbook is a procedure, written as data: states that change something, wait,
ask people or assert, with the guards that make each of them safe.

A NAME is a runbook that ims ships; a FILE ends in .yaml or contains a slash.`,
		Example: "  ims runbook list\n  ims runbook show q285090\n  ims runbook lint ./mine.yaml\n  ims runbook check --bounds ci ./mine.yaml",
	}
	return group(cmd,
		newRunbookCheck(s), newRunbookGraph(s), newRunbookLint(s), newRunbookList(s), newRunbookNew(s), newRunbookSchema(s),
		newRunbookShow(s), newRunbookTest(s),
	)
}

// source is a runbook that was read.
type source struct {
	name string // as it is called in messages
	data []byte
}

// tracesKind is what a file of traces says of itself.
var tracesKind = regexp.MustCompile(`(?m)^kind:[ \t]*Traces\b`)

// sources reads what an argument names: a shipped runbook, a file, or every
// .yaml file of a folder.
func (s *session) sources(arg string) ([]source, error) {
	if !isPath(arg) {
		data, err := fs.ReadFile(s.deps.Runbooks, arg+".yaml")
		if errors.Is(err, fs.ErrNotExist) {
			return nil, s.noRunbook(arg)
		}
		if err != nil {
			return nil, fmt.Errorf("read runbook %q: %w", arg, err)
		}
		return []source{{arg + ".yaml", data}}, nil
	}
	files := []string{arg}
	if info, err := os.Stat(arg); err == nil && info.IsDir() {
		// The pattern's only magic is its star: a folder's name is escaped by
		// matching inside it.
		matches, err := fs.Glob(os.DirFS(arg), "*.yaml")
		if err != nil {
			return nil, fmt.Errorf("list runbooks of %q: %w", arg, err)
		}
		if len(matches) == 0 {
			return nil, output.As(output.Usage, "", fmt.Errorf("no .yaml file in %q", arg))
		}
		files = nil
		for _, m := range matches {
			files = append(files, filepath.Join(arg, m))
		}
	}
	var all []source
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return nil, output.As(output.Usage, "", fmt.Errorf("read runbook: %w", err))
		}
		if tracesKind.Match(data) {
			return nil, output.As(output.Usage, "ims runbook test "+quoted(f), fmt.Errorf("%s holds traces of a runbook, which are tested, and no runbook", f))
		}
		all = append(all, source{f, data})
	}
	return all, nil
}

// noRunbook says that no shipped runbook has a name. Whoever wrote a file of that
// name means it, but a file is never taken for a shipped runbook, or the other
// way round.
func (s *session) noRunbook(name string) error {
	for _, file := range []string{"./" + name + ".yaml", "./" + name + ".yml", "./" + name} {
		if _, err := os.Stat(file); err == nil {
			return output.As(output.Usage, "ims runbook lint "+quoted(file), fmt.Errorf("no runbook %q is shipped; the file that is here is called %s", name, file))
		}
	}
	names, err := s.shipped()
	if err != nil {
		return err
	}
	return output.As(output.Usage, "ims runbook list", fmt.Errorf("no runbook %q%s", name, didYouMean(name, names)))
}

func isPath(arg string) bool {
	return strings.ContainsAny(arg, `/\`) || strings.HasSuffix(arg, ".yaml") || strings.HasSuffix(arg, ".yml") || arg == "." || arg == ".."
}

// shipped lists the names of the shipped runbooks.
func (s *session) shipped() ([]string, error) {
	files, err := fs.Glob(s.deps.Runbooks, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list shipped runbooks: %w", err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(f, ".yaml")
	}
	slices.Sort(files)
	return files, nil
}

// document reads the one runbook that an argument names.
func (s *session) document(arg string) (*runbook.Doc, error) {
	found, err := s.sources(arg)
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, output.As(output.Usage, "ims runbook lint "+arg, fmt.Errorf("%q holds %d runbooks, want one", arg, len(found)))
	}
	doc, mistakes := runbook.Load(found[0].name, found[0].data)
	if len(mistakes) > 0 {
		return nil, output.As(output.Usage, "", mistakes)
	}
	return doc, nil
}

// load reads the one runbook that an argument names and binds it to its
// default parameters.
func (s *session) load(arg string) (*runbook.Book, error) {
	doc, err := s.document(arg)
	if err != nil {
		return nil, err
	}
	book, mistakes := runbook.Bind(doc, runbook.Binding{Gateway: "GATEWAY", Successor: "SUCCESSOR", Domains: []string{"DOMAIN"}})
	return book, output.As(output.Usage, "", mistakes.Err())
}

func newRunbookList(s *session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the shipped runbooks",
		Example: "  ims runbook list",
		Args:    args(cobra.NoArgs, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			return runRunbookList(s, s.printer(format))
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON)
	return exits(cmd, output.Done)
}

type runbookListData struct {
	Runbooks []runbookItem `json:"runbooks"`
}

type runbookItem struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Origin string `json:"origin"`
	States int    `json:"states"`
}

func runRunbookList(s *session, p *output.Printer) error {
	names, err := s.shipped()
	if err != nil {
		return err
	}
	data := runbookListData{Runbooks: []runbookItem{}}
	table := output.Table{Columns: output.Columns("NAME", "STATES#", "TITLE", "ORIGIN")}
	table.Columns[3].Drop = 1
	for _, name := range names {
		book, err := s.load(name)
		if err != nil {
			return err
		}
		meta := book.Doc.Metadata
		data.Runbooks = append(data.Runbooks, runbookItem{name, meta.Title.Value, meta.Origin.Value, len(book.Def.States)})
		table.Add(name, len(book.Def.States), meta.Title, meta.Origin)
	}
	return p.Result("runbook-list", data, func(page *output.Page) { page.Table(table) })
}
