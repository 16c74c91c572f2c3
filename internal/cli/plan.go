package cli

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/internal/plan"
)

func newPlan(s *session) *cobra.Command {
	var opts handOptions
	var format output.Format
	cmd := group(&cobra.Command{
		Use:   "plan [COMMAND]",
		Short: "Look at saved plans, or perform one by hand",
		Long: `Look at saved plans, or perform one by hand. ims retire --dry-run --out FILE saves
a plan, and ims retire --plan FILE performs it, once.

With --by-hand it prints the commands that finish the plan without a runner,
and those that undo it: ims for what its commands can do, curl at the gateways'
control socket for the rest, nsupdate for zones, and dig and swaks to look. If
the journal knows the run that performed the plan, it begins where that is, even
if the plan did not predict that state. If a run is open on one of the gateways,
the page says first whether a runner performs it, with the command that pauses
it: two hands on one gateway is how mail is lost.

A state has one number everywhere: that of its place in the runbook.`,
		Example: "  ims plan show plan.json\n  ims plan diff monday.json tuesday.json\n  ims plan --by-hand plan.json\n  ims plan --by-hand plan.json --state move_mx --undo | sh -e",
	}, newPlanShow(s), newPlanDiff(s))
	help := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, argv []string) error {
		if opts.file == "" {
			if opts.state != "" || opts.undo {
				return output.As(output.Usage, cmd.CommandPath()+" --help", errors.New("ims plan: --state and --undo go with --by-hand"))
			}
			return help(cmd, argv)
		}
		if opts.undo && opts.state == "" {
			return output.As(output.Usage, cmd.CommandPath()+" --help", errors.New("ims plan: --undo wants --state: what is undone is undone state by state, the newest first"))
		}
		return runByHand(cmd.Context(), s, s.printer(format), opts)
	}
	f := cmd.Flags()
	f.StringVar(&opts.file, "by-hand", "", "print the commands that finish or undo this saved plan `FILE` without a runner")
	f.StringVar(&opts.state, "state", "", "only the commands of one `state`, for a shell")
	f.BoolVar(&opts.undo, "undo", false, "those that undo it")
	formatFlag(cmd, &format, output.Text, output.JSON)
	return exits(cmd, output.Done)
}

func newPlanShow(s *session) *cobra.Command {
	var format output.Format
	view := planView{saved: true}
	cmd := &cobra.Command{
		Use:     "show FILE",
		Short:   "Print a saved plan",
		Long:    "Print a saved plan, as the dry run did that saved it. Nothing is observed.",
		Example: "  ims plan show plan.json\n  ims plan show plan.json --messages\n  ims plan show plan.json -o markdown",
		Args:    args(cobra.ExactArgs(1), "a file"),
		RunE: func(_ *cobra.Command, argv []string) error {
			pl, _, err := readPlan(argv[0])
			if err != nil {
				return err
			}
			if err := showPlan(s.printer(format), pl, view); output.KindOf(err) == output.Failed {
				return err
			}
			return nil // its verdict is of another day
		},
	}
	cmd.Flags().BoolVar(&view.messages, "messages", false, "print the fate of every message that was queued")
	formatFlag(cmd, &format, output.Text, output.JSON, output.Markdown)
	return exits(cmd, output.Done)
}

func newPlanDiff(s *session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say in what two saved plans differ",
		Long: `Say in what two saved plans differ: what the old one binds to, which is drift, and
what binds nothing, such as counts and dates.`,
		Example: "  ims plan diff monday.json tuesday.json",
		Args:    args(cobra.ExactArgs(2), "two files"),
		RunE: func(_ *cobra.Command, argv []string) error {
			old, _, err := readPlan(argv[0])
			if err != nil {
				return err
			}
			now, _, err := readPlan(argv[1])
			if err != nil {
				return err
			}
			d := compare(old, now)
			if err := s.printer(format).Result("plan-diff", d, func(page *output.Page) { diffPage(page, d) }); err != nil {
				return err
			}
			if len(d.Binds) > 0 {
				return output.Said(output.Drift)
			}
			return nil
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON)
	return exits(cmd, output.Done, output.Drift)
}

// anew is the command that makes a plan once more, of the same runbook with the
// same parameters, and does with it what a flag says.
func anew(pl *plan.Plan, flag, file string) string {
	words := []string{"ims retire", quoted(pl.Gateway), "--dry-run --runbook", quoted(pl.Definition.File)}
	if pl.Next != "" {
		words = append(words, "--to", quoted(pl.Next))
	}
	for _, name := range slices.Sorted(maps.Keys(pl.Bound.Params)) {
		words = append(words, "--param", quoted(name+"="+pl.Bound.Params[name]))
	}
	return strings.Join(append(words, flag, quoted(file)), " ")
}

// maxPlan bounds the file of a plan: it lists at most 100,000 messages.
const maxPlan = 128 << 20

// readPlan reads a saved plan. One that others may write to is refused.
func readPlan(name string) (*plan.Plan, []byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, output.As(output.Usage, "ims retire --dry-run --out "+quoted(name), fmt.Errorf("read plan: %w", err))
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("read plan: %w", err)
	}
	if perm := info.Mode().Perm(); perm&0o022 != 0 {
		return nil, nil, output.As(output.Usage, "chmod go-w "+quoted(name), fmt.Errorf("plan %s may be written to by others (%v)", name, perm))
	}
	text, err := io.ReadAll(io.LimitReader(f, maxPlan+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read plan: %w", err)
	}
	if len(text) > maxPlan {
		return nil, nil, output.As(output.Usage, "", fmt.Errorf("plan %s is larger than %s", name, output.Bytes(maxPlan)))
	}
	pl, err := plan.Read(text)
	switch {
	case errors.Is(err, plan.ErrVersion):
		err = output.As(output.Drift, "ims retire --dry-run --out "+quoted(name), fmt.Errorf("%s: %w", name, err))
	case err != nil:
		err = output.As(output.Usage, "ims retire --dry-run --out "+quoted(name), fmt.Errorf("%s: %w", name, err))
	}
	return pl, text, err
}

// savePlan writes a plan so that a reader finds the old one or the new one,
// whole. Only its owner may read it: it names who mails whom.
func savePlan(name string, pl *plan.Plan) error {
	raw, err := pl.Save()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".plan-*") // mode 0600
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	_, err = f.Write(raw)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("save plan: %w", err), os.Remove(f.Name()))
	}
	return nil
}
