package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
)

// placeholders are the words that stand in hints and examples for what only the
// reader knows.
var placeholders = []string{"HOST", "SITE", "PATTERN", "DOMAIN", "GATEWAY", "SUCCESSOR", "NAME", "ADDRESS"}

// filledIn refuses a placeholder that was pasted as the value of a flag: it would
// be stored as it stands, and mail would be led to it.
func filledIn(cmd *cobra.Command, flag string) error {
	f := cmd.Flags().Lookup(flag)
	if f == nil || !slices.Contains(placeholders, f.Value.String()) {
		return nil
	}
	return output.As(output.Usage, cmd.CommandPath()+" --help",
		fmt.Errorf("%s: --%s %s: %s is a placeholder: put what is meant in its place", cmd.CommandPath(), flag, f.Value, f.Value))
}
