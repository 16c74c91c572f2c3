package wire

import (
	"context"
	"errors"
	"fmt"

	"example.org/ims/internal/cli"
	"example.org/ims/internal/config"
	"example.org/ims/internal/lab/demo"
	"example.org/ims/internal/runner"
)

// runControl is what a demonstration does with runs: as any person would, over
// the runner's socket.
type runControl struct{ path string }

var _ demo.Control = runControl{}

func newControl(path string) demo.Control { return runControl{path} }

func (c runControl) client() (*runner.Client, error) {
	cfg, err := config.Load(c.path)
	if err != nil {
		return nil, err
	}
	return runner.NewClient(cfg.StateDir), nil
}

// Predict implements demo.Control.
func (c runControl) Predict(ctx context.Context) (demo.Prediction, error) {
	cfg, err := config.Load(c.path)
	if err != nil {
		return demo.Prediction{}, err
	}
	p, err := runs{}.Plan(ctx, cfg, cli.Look{})
	if err != nil {
		return demo.Prediction{}, err
	}
	out := demo.Prediction{Verdict: string(p.Verdict), Counts: p.Counts().String(), Path: p.Path()}
	for i := range p.Checks {
		if c := &p.Checks[i]; c.Open() {
			out.Open = append(out.Open, fmt.Sprintf("%s %s: %s", c.Verdict.Word(), c.ID, c.Why))
		}
	}
	return out, nil
}

// Open implements demo.Control.
func (c runControl) Open(ctx context.Context) (string, error) {
	client, err := c.client()
	if err != nil {
		return "", err
	}
	return client.Open(ctx, runner.Request{})
}

// Answer implements demo.Control.
func (c runControl) Answer(ctx context.Context, run, state, choice string) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	return client.Approve(ctx, run, runner.Answer{State: state, Choice: choice})
}

// Status implements demo.Control.
func (c runControl) Status(ctx context.Context, run string) (demo.Status, error) {
	client, err := c.client()
	if err != nil {
		return demo.Status{}, err
	}
	s, err := client.Status(ctx, run)
	if err != nil {
		return demo.Status{}, err
	}
	if s.Problem != "" {
		return demo.Status{}, errors.New(s.Problem)
	}
	out := demo.Status{
		State: s.State, Title: s.Title, Phase: s.Phase, Why: s.Why, Resumes: s.Resumes, Notes: s.Notes, Facts: s.Facts,
		Ended: s.Ended(), Outcome: s.Outcome,
	}
	for _, m := range s.Missing {
		out.Missing = append(out.Missing, fmt.Sprintf("%s (%s): %s", m.That, m.Verdict, m.Why))
	}
	for _, v := range s.Visits {
		out.Visits = append(out.Visits, demo.Visit{
			State: v.State, Number: v.Number, Title: v.Title, Source: v.Source, Because: v.Because,
			Entered: v.Entered, Left: v.Left, Before: v.Before, After: v.After,
		})
	}
	if s.Asked != nil {
		out.Asked = &demo.Question{State: s.State, Text: s.Asked.Comment, Evidence: s.Asked.Evidence}
		for _, ch := range s.Choices {
			out.Asked.Choices = append(out.Asked.Choices, ch.Name)
		}
	}
	return out, nil
}
