package cli

import (
	"cmp"
	_ "embed"
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

var (
	//go:embed scaffold/runbook.yaml
	scaffoldRunbook string
	//go:embed scaffold/traces.yaml
	scaffoldTraces string
)

// runbookName is what a runbook can be called.
var runbookName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

func newRunbookNew(s *session) *cobra.Command {
	var format output.Format
	var dir string
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Write a small runbook to start from, with comments and traces",
		Long: `Write a small runbook to start from: NAME.yaml with comments, its schema for
editors, and traces/NAME.yaml, which ims runbook test performs. It lints, is
proved by ims runbook check, and passes its tests as it is.

A file that exists is never overwritten.`,
		Example:           "  ims runbook new merger\n  ims runbook new merger --dir runbooks",
		Args:              args(cobra.ExactArgs(1), "a name"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(_ *cobra.Command, argv []string) error {
			if names, err := s.shipped(); err != nil || slices.Contains(names, argv[0]) {
				return cmp.Or(err, output.As(output.Usage, "ims runbook show "+argv[0], fmt.Errorf("%s is a shipped runbook, and its name would mean that one: choose another", argv[0])))
			}
			return runRunbookNew(s.printer(format), dir, argv[0])
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "`folder` to write to")
	completeFolder(cmd, "dir")
	formatFlag(cmd, &format, output.Text, output.JSON)
	return exits(cmd, output.Done)
}

type writtenData struct {
	Files []string `json:"files"`
}

func runRunbookNew(p *output.Printer, dir, name string) error {
	if !runbookName.MatchString(name) {
		return output.As(output.Usage, "ims runbook new --help", fmt.Errorf("a runbook cannot be called %q: want small letters, digits and hyphens, a letter first", name))
	}
	schema, err := runbook.Schema()
	if err != nil {
		return err
	}
	file := filepath.Join(dir, name+".yaml")
	naming := strings.NewReplacer("NAME STATE", "NAME STATE", "NAME", name)
	files := []newFile{
		{path: file, text: naming.Replace(scaffoldRunbook)},
		{path: filepath.Join(dir, tracesDir, name+".yaml"), text: naming.Replace(scaffoldTraces)},
		{path: filepath.Join(dir, runbook.SchemaFile), text: string(schema), keep: true},
	}
	written, err := writeNew(files)
	if err != nil {
		return err
	}
	return p.Result("written", writtenData{written}, func(page *output.Page) {
		for _, w := range written {
			page.Line("wrote %s", w)
		}
		if !isPath(file) || filepath.Dir(file) == "." {
			file = "./" + file
		}
		page.Line("Look at it with: ims runbook check --bounds ci %s", file)
	})
}

// newFile is a file to be written.
type newFile struct {
	path, text string
	keep       bool // one that exists is left as it is
}

// writeNew writes files, none of which may exist: nothing is written if one
// does. It returns the names of those that were written.
func writeNew(files []newFile) ([]string, error) {
	for _, f := range files {
		_, err := os.Lstat(f.path)
		switch {
		case err == nil && !f.keep:
			return nil, output.As(output.Usage, "", fmt.Errorf("%s exists already, and nothing is overwritten: choose another name, or move it away", f.path))
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("write %s: %w", f.path, err)
		}
	}
	var written []string
	for _, f := range files {
		if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
			return written, fmt.Errorf("write %s: %w", f.path, err)
		}
		made, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) && f.keep {
			continue
		}
		if err != nil {
			return written, fmt.Errorf("write %s: %w", f.path, err)
		}
		_, err = made.WriteString(f.text)
		if err := errors.Join(err, made.Close()); err != nil {
			return written, fmt.Errorf("write %s: %w", f.path, err)
		}
		written = append(written, f.path)
	}
	return written, nil
}
