// Package cli is the command line: it parses, calls, and prints. It holds no
// rule about mail, and it touches neither the process's streams nor its
// environment nor an adapter; main and internal/wire hand those in.
//
// A command is one file, its name the noun: a constructor that takes the
// session and returns the command, an options struct, a RunE that only parses,
// and a function that does the work:
//
//	func newRouteList(s *session) *cobra.Command {
//		var opts routeListOptions
//		cmd := &cobra.Command{Use: "list GATEWAY", Short: …, Example: …,
//			Args: args(cobra.ExactArgs(1), "a gateway"),
//			RunE: func(cmd *cobra.Command, args []string) error {
//				opts.gateway = args[0]
//				return runRouteList(cmd.Context(), s.printer(opts.format), s, opts)
//			}}
//		formatFlag(cmd, &opts.format, output.Text, output.JSON)
//		return exits(cmd, output.Done, output.Unknown)
//	}
//
// It returns an error made with output.As or output.Said; Main prints it and
// turns it into the exit code. Its acceptance scripts stand in
// testdata/script. The parser is github.com/spf13/cobra: completion, help and
// flag groups are its subject.
package cli

//go:generate env UPDATE=1 go test -count=1 -run ^TestReference$ .

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
)

// IO is what a process gives to the command line.
type IO struct {
	In                      io.Reader
	Out, Err                io.Writer
	InTerminal, OutTerminal bool
	ErrTerminal             bool
	Dumb, NoColor, ASCII    bool   // what the terminal cannot or must not do: TERM=dumb, NO_COLOR, a locale that is not UTF-8
	Width                   int    // columns of the terminal; 0 if it does not say
	Config                  string // the configuration file to use if no flag names one
	Memory                  int64  // bytes that the machine lets the process take; 0 if it does not say
	FailPoint               string // where a runner kills itself, for crash tests: see runner.ParseFailPoint
}

// ErrNobodyReads is the cause with which main cancels a command whose output
// goes into a pipe that was closed, as by head.
var ErrNobodyReads = errors.New("nobody reads the output")

// Deps is what performs the commands.
type Deps struct {
	Version  string
	Runbooks fs.FS // the shipped runbooks, as NAME.yaml
	Labs     Labs

	Organizations Organizations
	Runs          Runs
	Observations  Observations
}

// session is one invocation: what every command of it may use.
type session struct {
	io     IO
	deps   Deps
	config string // path of the configuration file
}

func (s *session) printer(format output.Format) *output.Printer {
	return output.New(s.io.Out, s.io.Err, output.Options{Format: format, Terminal: s.io.OutTerminal, Width: s.io.Width})
}

// Main runs one command line and returns the exit code. It returns when ctx is
// cancelled and the command has ended.
func Main(ctx context.Context, argv []string, stdio IO, deps Deps) int {
	s := &session{io: stdio, deps: deps}
	root := newRoot(s) //nolint:contextcheck // a command, and what completes its words, has its context from cobra when it runs
	root.SetArgs(argv)
	return execute(ctx, s, root)
}

func execute(ctx context.Context, s *session, root *cobra.Command) int {
	err := root.ExecuteContext(ctx)
	if err != nil && errors.Is(context.Cause(ctx), ErrNobodyReads) {
		return output.Interrupted.Code() // and nobody is told: who closed a pipe knows
	}
	if err != nil && ctx.Err() != nil && errors.Is(err, context.Canceled) && output.KindOf(err) == output.Failed {
		err = output.As(output.Interrupted, "", errors.New("interrupted"))
	}
	if err != nil {
		s.printer(output.Text).Error(err)
	}
	return output.KindOf(err).Code()
}
