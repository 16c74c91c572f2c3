package cli

import (
	"cmp"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
)

func newRoot(s *session) *cobra.Command {
	root := &cobra.Command{
		Use:   "ims COMMAND",
		Short: "Retire a mail gateway without losing a message, and prove it",
		Long: `ims retires a mail gateway without losing a message, and proves it.

It drives a gateway through a written procedure (a runbook), checks before
every effect that it is safe, survives its own crash at every instant, and at
the end accounts for every message by id.`,
		Example:       "  ims demo\n  ims lab run\n  ims init --domain example.org --gateway east --successor west\n  ims gateway run\n  ims preflight east\n  ims retire east --dry-run\n  ims retire east\n  ims status",
		Version:       s.deps.Version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(s.io.In)
	root.SetOut(s.io.Out)
	root.SetErr(s.io.Err)
	root.SetVersionTemplate("ims {{.Version}}\n")
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(flagError)
	root.SetHelpTemplate(helpTemplate)
	root.SetHelpCommand(newHelp())
	root.PersistentFlags().StringVar(&s.config, "config", cmp.Or(s.io.Config, "ims.yaml"), "configuration `file`; $IMS_CONFIG sets the default")
	group(root,
		newAbort(s),
		newAdopt(s),
		newApprove(s),
		newCompare(s),
		newCompletion(s),
		newContinue(s),
		newDemo(s),
		newDependents(s),
		newFacts(s),
		newGateway(s),
		newInit(s),
		newLab(s),
		newMonitor(s),
		newPlan(s),
		newLease(s),
		newNotify(s),
		newPause(s),
		newPreflight(s),
		newQueue(s),
		newResume(s),
		newReport(s),
		newRetire(s),
		newRoute(s),
		newRunbook(s),
		newRunner(s),
		newStatus(s),
		newTrack(s),
		newVersion(s),
	)
	s.completeAll(root)
	flagGroups(root)
	return root
}

// newHelp replaces cobra's own, which calls a topic that does not exist a
// success.
func newHelp() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "help [COMMAND…]",
		Short:   "Print the help of a command",
		Example: "  ims help runbook lint",
		RunE: func(cmd *cobra.Command, argv []string) error {
			found, rest, err := cmd.Root().Find(argv)
			if err != nil {
				return output.As(output.Usage, "ims --help", err)
			}
			if len(rest) > 0 {
				return unknownCommand(found, rest)
			}
			return found.Help()
		},
	}
	return exits(cmd, output.Done)
}
