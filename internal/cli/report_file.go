package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/ims/internal/output"
)

// reportFiles is the value of --report: files for machines, written beside the
// result, so that a check that takes minutes is made once.
type reportFiles []string

var _ pflag.Value = (*reportFiles)(nil)

// reportFormats are the formats of such files, by the ending of their name.
var reportFormats = map[string]output.Format{".sarif": output.SARIF, ".xml": output.JUnit, ".github": output.GitHub}

func (r *reportFiles) String() string { return strings.Join(*r, ",") }

func (r *reportFiles) Type() string { return "file" }

func (r *reportFiles) Set(s string) error {
	if _, ok := reportFormats[filepath.Ext(s)]; !ok {
		return errors.New("want a name that ends in .sarif, .xml (JUnit) or .github (workflow commands)")
	}
	if !slices.Contains(*r, s) {
		*r = append(*r, s)
	}
	return nil
}

func reportFlag(cmd *cobra.Command, r *reportFiles) {
	cmd.Flags().Var(r, "report", "write the verdicts to this `file`, too: .sarif, .xml (JUnit) or .github (workflow commands); may be repeated")
	if err := cmd.MarkFlagFilename("report", "sarif", "xml", "github"); err != nil {
		panic(err) // the flag was added in the line above
	}
}

// write writes the files.
func (r reportFiles) write(version string, all []finding) error {
	return r.writeSet(findingSet{version: version, at: time.Now(), all: all})
}

// writeSet writes the files from findings that know their time.
func (r reportFiles) writeSet(set findingSet) error {
	for _, file := range r {
		b, err := set.render(reportFormats[filepath.Ext(file)])
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, b, 0o644); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	return nil
}
