// Command ims retires a mail gateway without losing a message, and proves it.
// This package owns what only a process has: its arguments, signals,
// environment, memory, standard streams (github.com/mattn/go-isatty tells
// whether they are terminals, golang.org/x/sys how wide) and exit code.
package main

import (
	"cmp"
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/mattn/go-isatty"

	"example.org/ims/internal/cli"
	"example.org/ims/internal/wire"
)

// version is set by the linker.
var version = "devel"

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stdio := cli.IO{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTerminal:  isatty.IsTerminal(os.Stdin.Fd()),
		OutTerminal: isatty.IsTerminal(os.Stdout.Fd()),
		ErrTerminal: isatty.IsTerminal(os.Stderr.Fd()),
		Dumb:        os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "",
		NoColor:     os.Getenv("NO_COLOR") != "",
		ASCII:       !utf8Locale(),
		Config:      os.Getenv("IMS_CONFIG"),
		FailPoint:   os.Getenv("IMS_FAILPOINT"),
		Memory:      memory(os.DirFS("/")),
	}
	if stdio.OutTerminal {
		stdio.Width = width(os.Stdout)
	} else if p, err := newPipe(os.Stdout, func() { cancel(cli.ErrNobodyReads) }); err == nil {
		stdio.Out = p
	}
	return cli.Main(ctx, os.Args[1:], stdio, wire.Deps(version))
}

// utf8Locale reports whether the terminal is said to show more than ASCII.
func utf8Locale() bool {
	name := strings.ToLower(cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_CTYPE"), os.Getenv("LANG")))
	return strings.Contains(name, "utf-8") || strings.Contains(name, "utf8")
}
