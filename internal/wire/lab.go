package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"example.org/ims/internal/cli"
	"example.org/ims/internal/config"
	"example.org/ims/internal/lab"
	"example.org/ims/internal/lab/demo"
	"example.org/ims/internal/mail/service"
	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/gateway"
)

// labs are the laboratories behind their commands. Every process of a lab is
// this program again.
type labs struct {
	organization lab.Organization
	control      func(config string) demo.Control
}

var _ cli.Labs = labs{}

// program is how to start this program's lab processes.
func program() (lab.Program, error) {
	path, err := os.Executable()
	if err != nil {
		return lab.Program{}, fmt.Errorf("find this program: %w", err)
	}
	return lab.Program{Path: path, Args: []string{os.Args[0], "lab", "serve"}}, nil
}

// labOrganization is the organization of a lab, whose gateways can be broken
// on purpose.
func labOrganization(ctx context.Context, path string, log *slog.Logger, ready func(fault func(gateway, name string) error)) error {
	cfg, err := config.Load(path)
	if err != nil {
		return err
	}
	return serveOrganization(ctx, cfg, log, func(o *service.Organization, _ []gateway.Config) {
		ready(func(name, fault string) error {
			g, err := o.Gateway(name)
			if err != nil {
				return err
			}
			return g.SetFault(service.Fault(fault), true)
		})
	})
}

// labRunner is the runner of a lab; fail is where it kills itself, "" for
// nowhere.
func labRunner(fail string) lab.Runner {
	return func(ctx context.Context, path string, log *slog.Logger, ready func()) error {
		cfg, err := config.Load(path)
		if err != nil {
			return err
		}
		o, err := runs{}.Runner(cfg)
		if err != nil {
			return err
		}
		if o.FailPoint, err = runner.ParseFailPoint(fail); err != nil {
			return err
		}
		o.Log = log
		s, err := runner.Open(ctx, o)
		if err != nil {
			return err
		}
		ready()
		return s.Serve(ctx)
	}
}

// endRunner ends the runner that somebody may have started for a lab: it lives
// in a session of its own.
func endRunner(path string) error {
	cfg, err := config.Load(path)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := runner.NewClient(cfg.StateDir).Shutdown(ctx); err != nil && !errors.Is(err, runner.ErrNoRunner) {
		return err
	}
	return nil
}

// failBetween is the environment of a runner that kills itself between the act
// of a state and its outcome.
func failBetween(state string) []string { return []string{"IMS_FAILPOINT=between:" + state} }

// Run implements cli.Labs.
func (labs) Run(ctx context.Context, o cli.LabOptions, show func(cli.LabView) error) error {
	prog, err := program()
	if err != nil {
		return err
	}
	l, err := lab.Start(ctx, lab.Options{
		Dir: o.Dir, Runbook: o.Runbook, Traffic: lab.Traffic{Messages: o.Messages, Idle: o.Idle}, Program: prog, Ending: endRunner,
	})
	if err != nil {
		return folder(err)
	}
	return l.Run(ctx, func(v lab.View) error {
		out := cli.LabView{Dir: v.Dir, Config: v.Config}
		for _, one := range v.Try {
			out.Try = append(out.Try, cli.LabTry(one))
		}
		for _, p := range v.Processes {
			out.Processes = append(out.Processes, cli.LabProcess(p))
		}
		return show(out)
	})
}

// folder tells the mistake of naming a folder that is in use from a failure.
func folder(err error) error {
	if errors.Is(err, lab.ErrNotEmpty) {
		return output.As(output.Usage, "", err)
	}
	return err
}

// Serve implements cli.Labs.
func (x labs) Serve(ctx context.Context, s cli.LabServe) error {
	log := slog.New(slog.NewTextHandler(s.Err, nil))
	return lab.Serve(ctx, lab.Process{Role: s.Role, Dir: s.Dir, In: s.In, Out: s.Out, Log: log, Organization: x.organization, Runner: labRunner(s.FailPoint)})
}

// Demo implements cli.Labs.
func (x labs) Demo(ctx context.Context, o cli.DemoOptions, say func(cli.DemoLine)) (*cli.DemoResult, error) {
	prog, err := program()
	if err != nil {
		return nil, err
	}
	r, err := demo.Run(ctx, demo.Options{
		Lab:      lab.Options{Dir: o.Dir, Runbook: o.Runbook, Program: prog, Ending: endRunner},
		Messages: o.Messages, Keep: o.Keep, Yes: o.Yes, Crash: o.Crash, Sabotage: o.Sabotage, Control: x.control, FailAt: failBetween, Opened: o.Opened,
		Say: func(l demo.Line) {
			say(cli.DemoLine{At: fmt.Sprintf("%.1f", l.After.Seconds()), Kind: l.Kind, Text: l.Text})
		},
	})
	if err != nil {
		return nil, folder(err)
	}
	out := &cli.DemoResult{
		Outcome: r.Outcome, Runbook: r.Runbook, Seconds: r.Seconds, Ledger: cli.DemoLedger(r.Ledger), Resumes: r.Resumes,
		Runners: r.Runners, Traffic: cli.DemoTraffic(r.Traffic), Stores: r.Stores, Outward: r.Outward,
		Prediction: cli.DemoPrediction(r.Prediction), Lost: r.Lost, Caught: r.Caught, Problems: r.Problems, Thin: r.Thin, Dir: r.Dir,
	}
	for _, s := range r.States {
		out.States = append(out.States, cli.DemoState(s))
	}
	return out, nil
}
