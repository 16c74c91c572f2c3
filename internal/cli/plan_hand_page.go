package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/plan"
)

func handPage(page *output.Page, pl *plan.Plan, d *handData) {
	comment(page, "# ", fmt.Sprintf("Plan %s: retire %s by %s, by hand. Lines without # are commands; look at what each shows before the next one. "+
		"The numbers are those of the runbook, as in ims status.", short12(pl.ID.Hash), pl.Gateway, pl.Runbook))
	if d.Config != "" {
		page.Line("export IMS_CONFIG=%s", quoted(d.Config))
	}
	workPage(page, pl, d)
	switch {
	case d.Run != "":
		comment(page, "# ", d.words())
		if d.Waits != "" {
			comment(page, "# ", "It waits for its operator: "+d.Waits)
		}
	case d.NotKnown == "":
		comment(page, "# ", "The plan was made "+moment(pl.Made)+", and no run here performed it. Whether it still holds:")
		page.Line("%s", anew(pl, "--diff", d.File))
	}
	switch {
	case d.Expires.IsZero() || d.Outcome != "":
	case d.Expires.After(time.Now()):
		comment(page, "# ", "Until "+moment(d.Expires)+" what was published before may be cached.")
	default:
		comment(page, "# ", "Since "+moment(d.Expires)+" no cache can hold what was published before.")
	}
	rest := append(slices.Clone(d.Aside), d.Steps[d.from:]...)
	if len(rest) > 0 {
		page.Blank()
		page.Line("# ======== TO FINISH, from %s on", rest[0].State)
		for i := range rest {
			here := i == 0 && d.Run != "" && rest[i].State == d.State
			finishPage(page, &rest[i], here, here && slices.Contains(d.Done, d.State))
		}
		besidePage(page, d)
	}
	undoPage(page, pl, d)
	afterPage(page, d)
}

// words say where the run is that performed the plan.
func (d *handData) words() string {
	begun := "; begun and not undone: " + orNothing(d.Done) + "."
	switch {
	case d.Outcome != "":
		return fmt.Sprintf("Run %s performed this plan and has ended: %s. There is nothing to finish%s", d.Run, d.Outcome, begun)
	case d.Undoing:
		return fmt.Sprintf("Run %s performed this plan and is being aborted; it undoes %s. There is nothing to finish%s", d.Run, d.State, begun)
	case d.Last != "":
		return fmt.Sprintf("Run %s performed this plan and is in state %s (%s), which the plan did not predict: ims status %s says what it waits for, or asks. "+
			"The last state of the plan that it came to is %s; what follows goes on from there, once that is settled%s",
			d.Run, d.State, d.Title, d.Run, d.Last, begun)
	case len(d.Aside) > 0:
		back := ""
		if d.Joins != "" {
			back = "; what follows begins there, and comes back to the plan at " + d.Joins
		}
		return fmt.Sprintf("Run %s performed this plan and is in state %s (%s), which the plan did not predict%s%s", d.Run, d.State, d.Title, back, begun)
	}
	return fmt.Sprintf("Run %s performed this plan and is in state %s%s", d.Run, d.State, begun)
}

// undoPage are the commands that undo what was done, unless the gateway is gone:
// what leads to it must not come back.
func undoPage(page *output.Page, pl *plan.Plan, d *handData) {
	if d.Run != "" && slices.Contains(d.Done, pl.NoReturn) {
		page.Blank()
		comment(page, "# ", fmt.Sprintf("NOTHING TO UNDO: %s was done, and it cannot be undone; what led to %s must not lead there again.", pl.NoReturn, pl.Gateway))
		return
	}
	if d.Outcome != "" && len(d.Done) == 0 {
		return
	}
	page.Blank()
	page.Line("# ======== TO UNDO, the newest first; only what was done")
	for _, h := range d.undoable() {
		page.Blank()
		comment(page, "# ", fmt.Sprintf("undo %s: %s", h.State, h.Title))
		if h.Warning != "" {
			comment(page, "# ", h.Warning)
		}
		commandLines(page, h.Undo)
	}
}

// finishPage is one step: what must hold, what is decided and done, and how it is
// seen. here is where the run stands; begun, that it began the step's effect.
func finishPage(page *output.Page, h *plan.Hand, here, begun bool) {
	stepHead(page, h, here, begun)
	if h.If != "" && !here {
		page.Line("#   only if the answer was %s, and then as it stands there", h.If)
	} else {
		commandLines(page, h.Do)
	}
	if len(h.See) > 0 {
		page.Line("#   to see it:")
		commandLines(page, h.See)
	}
}

func stepHead(page *output.Page, h *plan.Hand, here, begun bool) {
	page.Blank()
	source := ""
	if len(h.Source) > 0 {
		source = " [" + strings.Join(h.Source, " ") + "]"
	}
	comment(page, "# ", fmt.Sprintf("%d %s: %s%s", h.Number, h.State, cmp.Or(h.Title, "the end"), source))
	switch {
	case begun:
		page.Line("#   THE RUN IS HERE, and has begun this: look first whether it is done")
	case here:
		page.Line("#   THE RUN IS HERE")
	}
	lead := "#   must hold: "
	if h.Else != "" {
		lead = "#   look whether this holds: "
	}
	for _, n := range h.Needs {
		comment(page, lead, n)
	}
	if h.Else != "" {
		comment(page, "#   ", fmt.Sprintf("it does not, as predicted, so %s is next", h.Else))
	}
	if h.Cached != "" {
		comment(page, "#   ", h.Cached)
	}
	if d, err := time.ParseDuration(h.For); err == nil && d > 0 {
		page.Line("#   and stay so for %s", output.Duration(d))
	}
	if h.Decide != "" {
		page.Line("#   decide, and write down who did:")
		comment(page, "#     ", h.Decide)
	}
	choicesPage(page, h.Choices)
	for _, t := range h.Turns {
		comment(page, "#   ", fmt.Sprintf("if %s: go on at %s", t.If, t.Leads))
	}
	for _, n := range h.Nothing {
		comment(page, "#   no command: ", n)
	}
	for _, n := range []string{h.Warning, h.Mind} {
		if n != "" {
			comment(page, "#   NOTE: ", n)
		}
	}
}

// besidePage are the states that something leads to which was not predicted. None
// of their commands is run by whoever pastes the page.
func besidePage(page *output.Page, d *handData) {
	answered, turned := map[string]bool{}, map[string]bool{}
	for _, h := range slices.Concat(d.Steps, d.Aside, d.Beside) {
		for _, c := range h.Choices {
			answered[c.Leads] = answered[c.Leads] || len(c.Do) > 0
		}
		for _, t := range h.Turns {
			turned[t.Leads] = true
		}
	}
	head := false
	for i := range d.Beside {
		h := &d.Beside[i]
		if answered[h.State] && !turned[h.State] { // its commands stand with the answer
			continue
		}
		if !head {
			page.Blank()
			page.Line("# ======== IF IT COMES TO THAT: what the plan does not predict")
			head = true
		}
		stepHead(page, h, false, false)
		for _, c := range slices.Concat(h.Do, h.See) {
			quotedLines(page, "#     ", c)
		}
	}
}

// choicesPage are the answers to a question; none of their commands is run by
// whoever pastes the page.
func choicesPage(page *output.Page, choices []plan.HandChoice) {
	for _, c := range choices {
		title := c.Name
		if c.Title != "" {
			title += ": " + c.Title
		}
		if len(c.Do) == 0 {
			title += "; then go on at " + c.Leads
		}
		comment(page, "#     ", title)
		for _, cmd := range c.Do {
			quotedLines(page, "#       ", cmd)
		}
		if len(c.Do) > 0 && c.Then != "" {
			page.Line("#     (then go on at %s)", c.Then)
		}
	}
}

// quotedLines prints a command so that a shell ignores it.
func quotedLines(page *output.Page, lead, cmd string) {
	for l := range strings.SplitSeq(cmd, "\n") {
		page.Line("%s%s", lead, l)
	}
}

// commandLines prints commands so that they can be pasted.
func commandLines(page *output.Page, cmds []string) {
	for _, c := range cmds {
		quotedLines(page, "", c)
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
