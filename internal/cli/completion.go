package cli

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
)

// shells are the shells that can complete the command line.
var shells = []string{"bash", "zsh", "fish"}

func newCompletion(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Print what makes a shell complete commands, flags and names",
		Long: `Print what makes a shell complete commands, flags and names: gateways, runs,
runbooks, states and queued messages come from the configuration file and from
what is alive, with what they are beside them. Nothing is asked for longer than
a second.

bash needs the package bash-completion. The Debian package of ims installs all
three.`,
		Example:           "  source <(ims completion bash)\n  ims completion zsh >\"${fpath[1]}/_ims\"\n  ims completion fish >~/.config/fish/completions/ims.fish",
		Args:              args(cobra.ExactArgs(1), "a shell"),
		ValidArgsFunction: cobra.FixedCompletions(shells, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, argv []string) error {
			text, err := completion(cmd.Root(), argv[0])
			if err != nil {
				return err
			}
			return s.printer(output.Text).Raw(text)
		},
	}
	return exits(cmd, output.Done)
}

func completion(root *cobra.Command, shell string) ([]byte, error) {
	var b bytes.Buffer
	var err error
	switch shell {
	case "bash":
		err = root.GenBashCompletionV2(&b, true)
	case "zsh":
		err = root.GenZshCompletion(&b)
	case "fish":
		err = root.GenFishCompletion(&b, true)
	default:
		return nil, output.As(output.Usage, "ims completion --help", fmt.Errorf("no completion for %q: want %s%s", shell, strings.Join(shells, ", "), didYouMean(shell, shells)))
	}
	if err != nil {
		return nil, fmt.Errorf("write completion for %s: %w", shell, err)
	}
	return b.Bytes(), nil
}
