package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"example.org/ims/internal/notify"
	"example.org/ims/internal/output"
)

func newNotify(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "Try whether people are told what happens in runs",
		Long: `Try whether people are told what happens in runs: that a question is put, that
the run waits for its operator, that a drain stalls, that somebody changed what
the run had set, that a client does not follow MX, that the run has ended, and
once a day where it stands while it soaks. The runner tells the targets under
notify: in ims.yaml, each kind once, and goes on trying if they do not answer.`,
		Example: "  ims notify test",
	}
	return group(cmd, newNotifyTest(s))
}

func newNotifyTest(s *session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:     "test [TARGET…]",
		Short:   "Tell each target a test",
		Long:    "Tell each target, or those that are named, a test, once, and say how each took it.",
		Example: "  ims notify test\n  ims notify test pager",
		ValidArgsFunction: func(_ *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			c, err := s.configuration()
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return targetNames(c.Notify.Targets), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, argv []string) error {
			c, err := s.configuration()
			if err != nil {
				return err
			}
			targets, err := chosen(c.Notify.Targets, argv)
			if err != nil {
				return err
			}
			results := notify.Try(cmd.Context(), targets)
			if err := s.printer(format).Result("notify-test", triedData{results}, func(page *output.Page) {
				table := output.Table{Columns: output.Columns("TARGET", "RESULT"), Fold: true}
				for _, r := range results {
					said := "told"
					if r.Error != "" {
						said = "not told: " + r.Error
					}
					table.Add(r.Target, said)
				}
				page.Table(table)
			}); err != nil {
				return err
			}
			for _, r := range results {
				if r.Error != "" {
					return output.Said(output.Failed)
				}
			}
			return nil
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON)
	return exits(cmd, output.Done)
}

type triedData struct {
	Targets []notify.Result `json:"targets"`
}

func targetNames(targets []notify.Target) []string {
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = t.Name
	}
	return names
}

// chosen are the targets that are named, or all.
func chosen(targets []notify.Target, names []string) ([]notify.Target, error) {
	if len(targets) == 0 {
		return nil, output.As(output.Usage, "add notify: {targets: {NAME: {exec: [PROGRAM]}}} to ims.yaml", errors.New("nobody is told: the configuration has no notify.targets"))
	}
	if len(names) == 0 {
		return targets, nil
	}
	var out []notify.Target
	for _, name := range names {
		found := false
		for _, t := range targets {
			if t.Name == name {
				out, found = append(out, t), true
			}
		}
		if !found {
			return nil, output.As(output.Usage, "", errors.New("no target "+name+didYouMean(name, targetNames(targets))))
		}
	}
	return out, nil
}
