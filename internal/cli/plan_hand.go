package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/runner"
)

// handOptions choose what of a plan is printed as commands.
type handOptions struct {
	file  string
	state string // only this one
	undo  bool   // only what undoes it
}

// handData is a plan as commands.
type handData struct {
	Plan   string      `json:"plan,omitempty"`
	Config string      `json:"config,omitempty"` // the configuration that its ims commands need
	Run    string      `json:"run,omitempty"`    // that performed it, as far as the journal here knows
	State  string      `json:"state,omitempty"`  // where that run is
	Done   []string    `json:"done,omitempty"`   // states whose effect was begun and not undone
	Steps  []plan.Hand `json:"steps"`
}

func runByHand(ctx context.Context, s *session, p *output.Printer, opts handOptions) error {
	pl, _, err := readPlan(opts.file)
	if err != nil {
		return err
	}
	steps := pl.ByHand()
	if opts.state != "" {
		return oneByHand(p, steps, opts)
	}
	data := handData{Plan: pl.ID.Hash, Steps: steps}
	if file, err := filepath.Abs(s.config); err == nil {
		data.Config = file
	}
	if st, ok := performed(ctx, s, pl); ok {
		data.Run, data.State, data.Done = st.Run, st.State, st.Changed
	}
	return p.Result("plan-by-hand", data, func(page *output.Page) { handPage(page, pl, &data) })
}

// oneByHand prints the commands of one state alone, for a shell.
func oneByHand(p *output.Printer, steps []plan.Hand, opts handOptions) error {
	var names []string
	for _, h := range steps {
		names = append(names, h.State)
	}
	i := slices.Index(names, opts.state)
	if i < 0 {
		return output.As(output.Usage, "ims plan show "+quoted(opts.file), fmt.Errorf("the plan has no state %q%s", opts.state, didYouMean(opts.state, names)))
	}
	cmds := steps[i].Do
	if opts.undo {
		cmds = steps[i].Undo
	}
	if len(cmds) == 0 {
		return output.As(output.Failed, "", fmt.Errorf("there is no command for %s: %s", opts.state, nothingWords(&steps[i], opts.undo)))
	}
	return p.Result("plan-by-hand", handData{Steps: steps[i : i+1]}, func(page *output.Page) {
		for _, c := range cmds {
			page.Line("%s", c)
		}
	})
}

func nothingWords(h *plan.Hand, undo bool) string {
	switch {
	case h.Warning != "":
		return h.Warning
	case undo:
		return "it has nothing to undo"
	}
	return "it is a " + h.Kind
}

// performed is the run that used the plan up, if the journal here knows it. A
// configuration or a journal that cannot be read is no hindrance: by hand is
// for when things are broken.
func performed(ctx context.Context, s *session, pl *plan.Plan) (runner.Status, bool) {
	c, err := s.configuration()
	if err != nil {
		return runner.Status{}, false
	}
	all, err := runner.ReadList(ctx, c.StateDir)
	if err != nil {
		return runner.Status{}, false
	}
	for _, one := range all {
		if one.Nonce != pl.Nonce {
			continue
		}
		st, err := runner.Read(ctx, c.StateDir, one.Run)
		return st, err == nil
	}
	return runner.Status{}, false
}

func handPage(page *output.Page, pl *plan.Plan, d *handData) {
	comment(page, "# ", fmt.Sprintf("Plan %s: retire %s by %s, by hand. Lines without # are commands; look at what each shows before the next one. "+
		"No runner may be at work on it: ims status says so, and ims runner --help how to end one.", short12(pl.ID.Hash), pl.Gateway, pl.Runbook))
	if d.Config != "" {
		page.Line("export IMS_CONFIG=%s", quoted(d.Config))
	}
	from := 0
	if d.Run != "" {
		comment(page, "# ", fmt.Sprintf("Run %s performed this plan and is in state %s; begun and not undone: %s.", d.Run, d.State, orNothing(d.Done)))
		from = max(0, slices.IndexFunc(d.Steps, func(h plan.Hand) bool { return h.State == d.State }))
	}
	page.Blank()
	page.Line("# ======== TO FINISH, from %s on", d.Steps[from].State)
	for i := from; i < len(d.Steps); i++ {
		finishPage(page, &d.Steps[i], i)
	}
	page.Blank()
	page.Line("# ======== TO UNDO, the newest first; only what was done")
	for _, h := range slices.Backward(d.Steps) {
		if d.Run != "" && !slices.Contains(d.Done, h.State) {
			continue
		}
		if len(h.Undo) == 0 && h.Warning == "" {
			continue
		}
		page.Blank()
		comment(page, "# ", fmt.Sprintf("undo %s: %s", h.State, h.Title))
		if h.Warning != "" {
			comment(page, "# ", h.Warning)
		}
		commandLines(page, h.Undo)
	}
}

func finishPage(page *output.Page, h *plan.Hand, i int) {
	page.Blank()
	source := ""
	if len(h.Source) > 0 {
		source = " [" + strings.Join(h.Source, " ") + "]"
	}
	comment(page, "# ", fmt.Sprintf("%s %s: %s%s", ordinal(i), h.State, h.Title, source))
	for _, n := range h.Needs {
		comment(page, "#   must hold: ", n)
	}
	if d, err := time.ParseDuration(h.For); err == nil && d > 0 {
		page.Line("#   and stay so for %s", output.Duration(d))
	}
	if h.Decide != "" {
		page.Line("#   decide, and write down who did:")
		comment(page, "#     ", h.Decide)
	}
	if h.Warning != "" {
		comment(page, "#   NOTE: ", h.Warning)
	}
	commandLines(page, h.Do)
	if len(h.See) > 0 {
		page.Line("#   to see it:")
		commandLines(page, h.See)
	}
}

// commandLines prints commands so that they can be pasted.
func commandLines(page *output.Page, cmds []string) {
	for _, c := range cmds {
		for l := range strings.SplitSeq(c, "\n") {
			page.Line("%s", l)
		}
	}
}

// comment breaks text into lines that a shell ignores.
func comment(page *output.Page, lead, text string) {
	for i, l := range broken(lead, output.Safe(text)) {
		if i > 0 {
			l = "#" + l[1:] // broken indents by at least the lead
		}
		page.Line("%s", l)
	}
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}
