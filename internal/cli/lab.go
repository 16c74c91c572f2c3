package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
)

// LabOptions say how to make a lab.
type LabOptions struct {
	Dir      string // "" makes a temporary folder
	Runbook  string // of the lab's configuration
	Messages int    // a minute, about
	Idle     bool   // nobody sends
}

// LabView is a lab at work.
type LabView struct {
	Dir       string       `json:"dir"`
	Config    string       `json:"config"`
	Processes []LabProcess `json:"processes"`
	Try       []LabTry     `json:"try"`
}

// LabProcess is one of its processes.
type LabProcess struct {
	Role  string   `json:"role"`
	PID   int      `json:"pid"`
	Ports []string `json:"ports,omitempty"`
	Log   string   `json:"log"`
}

// LabTry is a command to type there, with what comes of it.
type LabTry struct {
	Command string `json:"command"`
	Exit    int    `json:"exit"`
	Says    string `json:"says,omitempty"` // among what it prints
}

// LabServe is the start of one process of a lab, by another one.
type LabServe struct {
	Role, Dir string
	In        io.Reader
	Out, Err  io.Writer
	FailPoint string // where a runner kills itself
}

// Labs are what the commands of the lab need.
type Labs interface {
	// Run makes a lab, shows it, and keeps it until ctx ends.
	Run(ctx context.Context, o LabOptions, show func(LabView) error) error
	// Serve is one process of a lab; it ends with ctx or with its input.
	Serve(ctx context.Context, s LabServe) error
	// Demo runs a retirement in a lab and says line by line what happens.
	Demo(ctx context.Context, o DemoOptions, say func(DemoLine)) (*DemoResult, error)
}

func newLab(s *session) *cobra.Command {
	serve := newLabServe(s)
	serve.Hidden = true
	return group(&cobra.Command{
		Use:     "lab COMMAND",
		Short:   "Run a small Internet on this machine, with a gateway to retire",
		Example: "  ims lab run",
	}, newLabRun(s), serve)
}

func newLabRun(s *session) *cobra.Command {
	var opts LabOptions
	var format output.Format
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Start a lab and keep it until Ctrl-C",
		Long: `Start a lab and keep it until Ctrl-C.

The lab is an organization with two gateways, east and west, its mail host, its
zone on two name servers, remote hosts that are fast, slow, deferring, refusing
and down, and senders: hosts that follow MX, users, a printer that does not, and
a spammer. Each part is a process of its own on loopback ports. It prints a
configuration file and what to try from a second terminal.`,
		Example: "  ims lab run\n  ims lab run --dir /tmp/lab --idle",
		Args:    args(cobra.NoArgs, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			p := s.printer(format)
			if err := opts.check(s, cmd); err != nil {
				return err
			}
			return s.deps.Labs.Run(cmd.Context(), opts, func(v LabView) error {
				if err := p.Result("lab", v, v.page); err != nil {
					return err
				}
				p.Note("The lab runs until Ctrl-C.")
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&opts.Dir, "dir", "", "`folder` to use, which must be empty, and to keep; a temporary one if not given")
	cmd.Flags().StringVar(&opts.Runbook, "runbook", "q285090", "runbook of the configuration: q285090, eleven-steps, folk")
	cmd.Flags().IntVar(&opts.Messages, "messages", 1500, "messages a minute, about")
	cmd.Flags().BoolVar(&opts.Idle, "idle", false, "start no senders")
	formatFlag(cmd, &format, output.Text, output.JSON)
	return exits(cmd, output.Done)
}

func (v LabView) page(p *output.Page) {
	t := output.Table{Columns: output.Columns("PROCESS", "PID#", "LISTENS ON")}
	for _, one := range v.Processes {
		for i, port := range append(one.Ports, "")[:max(1, len(one.Ports))] {
			if i == 0 {
				t.Add(one.Role, one.PID, port)
			} else {
				t.Add("", "", port)
			}
		}
	}
	p.Table(t)
	p.Blank()
	p.Line("configuration  %s", v.Config)
	p.Line("files          %s", v.Dir)
	p.Blank()
	p.Line("Try from a second terminal, from top to bottom (q leaves a monitor):")
	for _, one := range v.Try {
		p.Line("  %s", one.Command)
		if one.Exit != 0 || one.Says != "" {
			p.Line("      exit %d: %s", one.Exit, one.Says)
		}
	}
}

func newLabServe(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "serve ROLE DIR",
		Short:   "Be one process of a lab; the lab starts it",
		Example: "  ims lab serve mailhost /tmp/lab",
		Args:    args(cobra.ExactArgs(2), "a role and a lab's folder"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			return s.deps.Labs.Serve(cmd.Context(), LabServe{Role: argv[0], Dir: argv[1], In: s.io.In, Out: s.io.Out, Err: s.io.Err, FailPoint: s.io.FailPoint})
		},
	}
	return exits(cmd, output.Done)
}

// check wants a runbook whose times a lab knows how to compress; the other
// shipped ones are for a lab that has one of those.
func (o *LabOptions) check(s *session, cmd *cobra.Command) error {
	err := oneOf(cmd, "runbook", o.Runbook, demoRunbooks)
	if names, _ := s.shipped(); err != nil && slices.Contains(names, o.Runbook) { // a hint is not worth an error
		return output.As(output.Usage, "ims lab run; and there: ims retire --runbook "+o.Runbook, err)
	}
	return cmp.Or(err, atLeastOne(cmd, "messages", o.Messages))
}

// oneOf refuses a flag whose value is not one of those that are known.
func oneOf(cmd *cobra.Command, flag, value string, known []string) error {
	if slices.Contains(known, value) {
		return nil
	}
	return output.As(output.Usage, cmd.CommandPath()+" --help", fmt.Errorf("%s: --%s cannot be %q: want %s%s", cmd.CommandPath(), flag, value,
		strings.Join(known, ", "), didYouMean(value, known)))
}

// atLeastOne refuses a flag that counts, and counts nothing.
func atLeastOne(cmd *cobra.Command, flag string, n int) error {
	if n >= 1 {
		return nil
	}
	return output.As(output.Usage, cmd.CommandPath()+" --help", fmt.Errorf("%s: --%s is %d, want at least 1", cmd.CommandPath(), flag, n))
}
