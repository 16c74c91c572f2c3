package cli

import (
	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/runbook"
)

func newRunbookSchema(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of runbooks, for editors",
		Long: `Print the JSON Schema (draft-07) of runbooks, for editors. A runbook whose first
line is

  # yaml-language-server: $schema=` + runbook.SchemaFile + `

is completed and checked while it is typed, if that file stands beside it.`,
		Example: "  ims runbook schema >" + runbook.SchemaFile,
		Args:    args(cobra.NoArgs, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			text, err := runbook.Schema()
			if err != nil {
				return err
			}
			return s.printer(output.JSON).Raw(text)
		},
	}
	return exits(cmd, output.Done)
}
