package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/ims/internal/config"
	"example.org/ims/internal/output"
	"example.org/ims/internal/report"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

type reportOptions struct {
	format      output.Format
	run         string
	out, bundle string
	force       bool
}

func newReport(s *session) *cobra.Command {
	var opts reportOptions
	cmd := &cobra.Command{
		Use:   "report [RUN]",
		Short: "Write the evidence of a run: one page, and a bundle of files",
		Long: `Write the evidence of a run: one page for people, which loads nothing from
anywhere, with the bundle inside it that machines read: the journal with its hash
chain, the tracking log, the account of every message by id, facts, status. The
page alone is enough for ims report verify. Without RUN, the open run that was
opened last, or the last one of all.

The tracking log is asked of the gateway's service. If that does not answer, the
page says so, and accounts for nothing. A file that exists is overwritten with
--force only, and never with a page that accounts for nothing.`,
		Example: "  ims report east-1\n  ims report east-1 --out /srv/tickets/4711.html --bundle 4711.zip\n  ims report verify east-1.html",
		Args:    args(cobra.MaximumNArgs(1), "at most one run"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			opts.run = strings.Join(argv, "")
			return runReport(cmd.Context(), s, opts)
		},
	}
	formatFlag(cmd, &opts.format, output.Text, output.JSON)
	cmd.Flags().StringVar(&opts.out, "out", "", "write the page to this `file`; RUN.html if left out")
	cmd.Flags().StringVar(&opts.bundle, "bundle", "", "write the bundle to this zip `file`, too")
	cmd.Flags().BoolVar(&opts.force, "force", false, "overwrite files that exist")
	cmd.AddCommand(newReportVerify(s))
	return exits(cmd, output.Done, output.Blocked, output.Unknown)
}

type reportData struct {
	Run       string `json:"run"`
	Page      string `json:"page"`
	Bundle    string `json:"bundle,omitempty"`
	Untracked string `json:"untracked,omitempty"`
	report.Verdict
}

func runReport(ctx context.Context, s *session, opts reportOptions) error {
	c, err := s.configuration()
	if err != nil {
		return err
	}
	evidence, err := runner.ReadEvidence(ctx, c.StateDir, opts.run, time.Now())
	if opts.run != "" && errors.Is(err, runner.ErrNoRun) {
		return noRun(ctx, c, opts.run)
	}
	if err != nil {
		return telling("", err)
	}
	in := report.Input{Evidence: evidence, Version: s.deps.Version}
	if err := s.tracked(ctx, c, evidence.Status.Gateway, &in); err != nil {
		in.Untracked = err.Error()
	}
	data := reportData{Run: evidence.Status.Run, Page: cmp.Or(opts.out, evidence.Status.Run+".html"), Bundle: opts.bundle, Untracked: in.Untracked}
	if err := data.mayWrite(opts.force); err != nil {
		return err
	}
	r, err := report.Make(in)
	if err != nil {
		return err
	}
	if err := writeFile(data.Page, r.HTML); err != nil {
		return err
	}
	if opts.bundle != "" {
		archive, err := report.Zip(r.Files)
		if err != nil {
			return err
		}
		if err := writeFile(opts.bundle, archive); err != nil {
			return err
		}
	}
	v, err := report.Verify(r.HTML, s.deps.Version)
	if err != nil {
		return err
	}
	data.Verdict = *v
	p := s.printer(opts.format)
	if err := p.Result("report", data, func(page *output.Page) {
		page.Line("wrote %s", data.Page)
		if data.Bundle != "" {
			page.Line("wrote %s", data.Bundle)
		}
		checkLines(page, v)
	}); err != nil {
		return err
	}
	return said(v, in.Untracked)
}

// said is what the exit code says of a report: that a check of what was written
// failed, or that no message can be accounted for.
func said(v *report.Verdict, untracked string) error {
	wrong := slices.ContainsFunc(v.Checks, func(c report.Check) bool { return !c.OK && (untracked == "" || c.What != report.Law) })
	switch {
	case wrong:
		return output.Said(output.Blocked)
	case untracked != "":
		return output.As(output.Unknown, "ims gateway run", fmt.Errorf("no tracking log, so no message is accounted for: %s", untracked))
	}
	return nil
}

// mayWrite refuses to overwrite a file by mistake, and with a page that accounts
// for nothing at all.
func (d *reportData) mayWrite(force bool) error {
	for _, file := range []string{d.Page, d.Bundle} {
		if file == "" {
			continue
		}
		if at, err := os.Stat(file); err != nil || !at.Mode().IsRegular() {
			continue // writing it says what is wrong with it
		}
		if d.Untracked != "" {
			return output.As(output.Unknown, "ims gateway run",
				fmt.Errorf("%s exists, and is not overwritten by a report that accounts for no message: no tracking log: %s", file, d.Untracked))
		}
		if !force {
			return output.As(output.Blocked, "ims report "+d.Run+" --out OTHER.html, or with --force", fmt.Errorf("%s exists, and is not overwritten", file))
		}
	}
	return nil
}

// tracked reads the tracking log of a gateway and what its stores hold:
// log, list, log, as the ledger asks for while a gateway works.
func (s *session) tracked(ctx context.Context, c *config.Config, name string, in *report.Input) error {
	found, ok := c.Gateway(name)
	if !ok {
		return fmt.Errorf("gateway %s is not in %s any more", name, s.config)
	}
	gw, err := s.deps.Organizations.Gateway(found)
	if err != nil {
		return err
	}
	t, ok := gw.(gateway.Tracker)
	if !ok {
		return fmt.Errorf("gateway %s (%s) has none", name, gw.Caps().Adapter)
	}
	take := func(e ledger.Event) bool {
		if e.Gateway == name {
			in.Events = append(in.Events, e)
		}
		return true
	}
	if in.Taken, err = trackAll(ctx, t, 0, take); err != nil {
		return err
	}
	if in.Present, err = t.Present(ctx); err != nil {
		return err
	}
	_, err = trackAll(ctx, t, in.Taken, take)
	return err
}

// writeFile writes a file so that it is either whole or not there.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".ims-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

func newReportVerify(s *session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a page or bundle without the gateway, the journal or a network",
		Long: `Check a page or bundle of ims report: that no file of it is missing or changed,
that the journal's hash chain holds, that the account of messages follows from
the tracking log and obeys the conservation law, and that what is claimed is what
the journal says.

Whoever can rewrite all of it can forge it. Against that, compare the head of the
chain with one that was written down elsewhere: every question to people shows it.`,
		Example: "  ims report verify east-1.html\n  ims report verify 4711.zip -o json",
		Args:    args(cobra.ExactArgs(1), "a page or a bundle"),
		RunE: func(_ *cobra.Command, argv []string) error {
			data, err := os.ReadFile(argv[0])
			if err != nil {
				return output.As(output.Usage, "", fmt.Errorf("read report: %w", err))
			}
			v, err := report.Verify(data, s.deps.Version)
			if err != nil {
				return output.As(output.Usage, "ims report --help", fmt.Errorf("%s: %w", argv[0], err))
			}
			if err := s.printer(format).Result("report-verify", v, func(page *output.Page) { checkLines(page, v) }); err != nil {
				return err
			}
			if !v.OK() {
				return output.Said(output.Blocked)
			}
			return nil
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON)
	return exits(cmd, output.Done, output.Blocked)
}

func checkLines(page *output.Page, v *report.Verdict) {
	table := output.Table{Columns: output.Columns("CHECK", "VERDICT", "WHY"), Fold: true}
	for _, c := range v.Checks {
		verdict := "FAIL"
		if c.OK {
			verdict = "ok"
		}
		table.Add(c.What, verdict, c.Says)
	}
	page.Table(table)
	page.Line("run %s, head %s", v.Run, v.Head)
}
