package monitor

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/tui/screen"
)

// nowLines are the present state: what it is, what is missing, until when it
// waits, and what a person has to do next, in lines of w cells. On a narrow
// terminal the head names the state alone, each takes one line, and the details
// have the rest. keys says that there are any.
func (m *Model) nowLines(w int, keys bool) []textLine {
	r := m.snap.Run
	if r == nil {
		return m.gatewayLines(w)
	}
	if r.Ended() {
		return append(hang("", cmp.Or(r.Title, r.State), w, strong), m.nextLines(w, keys)...)
	}
	var list []textLine
	operating := r.Phase == "operating"
	if w >= narrow || len(r.Missing) == 0 && !operating && r.Asked == nil && r.Paused == nil {
		list = append(list, m.stateLine(w))
	}
	if r.Problem != "" {
		list = append(list, m.nowLine("problem", r.Problem, w, bad)...)
	}
	if c := r.Because(); c != nil {
		list = append(list, m.nowLine("because", c.Words(), w, warn)...)
	}
	if r.Asked != nil {
		list = append(list, twoLines("QUESTION", strings.TrimSpace(r.Asked.Comment), w, warn)...)
	}
	var others []textLine
	for i, c := range r.Missing {
		word := map[bool]string{true: "unknown", false: "not yet"}[c.Verdict == "unknown"]
		lines := m.nowLine(word, c.That+": "+c.Why, w, warn)
		if i == 0 {
			list = append(list, lines...)
		} else {
			others = append(others, lines...)
		}
	}
	if fix := m.fix(); fix != "" {
		list = append(list, m.nowLine("fix:", fix, w, strong)...)
	}
	until, next := m.untilLines(w), m.nextLines(w, keys)
	if w < narrow { // what a person has to do comes first
		until, next = next, until
	}
	return append(append(append(list, until...), next...), others...)
}

// fix is what helps a run that waits for its operator, "" if nothing is known to.
func (m *Model) fix() string {
	r := m.snap.Run
	switch c := r.Because(); {
	case r.Phase != "operating":
	case c != nil && c.Fix != "":
		return c.Fix
	case len(r.Missing) > 0:
		return r.Missing[0].Fix
	}
	return ""
}

// untilLines say until when the present state waits.
func (m *Model) untilLines(w int) []textLine {
	r := m.snap.Run
	switch {
	case r.Paused != nil:
		return m.nowLine("paused", "since "+m.clock(r.Paused.Since)+", its clock stands still: "+r.Paused.Reason, w, warn)
	case r.Phase == "operating" || r.Ends.IsZero() || r.Limit.IsZero():
	case w < narrow:
		return []textLine{{"waits", "until " + m.clock(r.Ends) + ", limit " + m.clock(r.Limit), plain}}
	default:
		return m.nowLine("waits", "until "+m.clock(r.Ends)+" at the earliest; a person is asked after "+m.clock(r.Limit), w, plain)
	}
	return nil
}

// nextLines say what a person has to do next, by keys if there are any, else by
// commands.
func (m *Model) nextLines(w int, keys bool) []textLine {
	commands := m.nextCommands()
	text := m.nextWords(keys)
	if both := text + "; or " + strings.Join(commands, ""); keys && len(commands) == 1 && screen.Width("next "+both) <= w {
		text = both
	}
	if w < narrow {
		text = strings.Replace(text, "not before ", "from ", 1)
	}
	list := m.nowLine("next", text, w, plain)
	for _, c := range commands {
		if !keys {
			list = append(list, commandLines("    ", c, w)...)
		}
	}
	return list
}

// nowLine is a text in as many lines as it takes, and in one on a narrow
// terminal.
func (m *Model) nowLine(label, text string, w int, style screen.Style) []textLine {
	if w < narrow {
		return []textLine{{label, text, style}}
	}
	return hang(label, text, w, style)
}

// narrow is the width below which words are left out.
const narrow = 60

// stateLine is the present state, where it comes from, and since when. What it
// comes from gives way, then its title.
func (m *Model) stateLine(w int) textLine {
	r := m.snap.Run
	line := textLine{r.State, r.Title, plain}
	n := len(r.Visits)
	if n == 0 {
		return line
	}
	v, source := &r.Visits[n-1], ""
	if len(v.Source) > 0 {
		source = " [" + strings.Join(v.Source, ", ") + "]"
	}
	room := w - screen.Width(r.State) - 1
	since := ", for " + output.Duration(m.now.Sub(v.Entered).Truncate(time.Second))
	if line.text = r.Title + source + since; screen.Width(line.text) > room {
		line.text = screen.Cut(r.Title, room-screen.Width(since)) + since
	}
	return line
}

// twoLines breaks a text into at most two lines, the second below the text of
// the first.
func twoLines(label, text string, w int, style screen.Style) []textLine {
	list := hang(label, text, w, style)
	if len(list) < 3 {
		return list
	}
	for _, l := range list[2:] {
		list[1].text += " " + l.text
	}
	return list[:2]
}

func (m *Model) gatewayLines(w int) []textLine {
	c := &m.snap.Config
	if m.snap.Seen.IsZero() {
		return m.nowLine("", cmp.Or(m.snap.GatewayErr, "not seen yet"), w, warn)
	}
	list := []textLine{
		{"listens", c.Listen + " as " + c.Hostname, plain},
		{"routes", fmt.Sprintf("%s, %s", output.Count(int64(len(c.Spaces)), "address space"), output.Count(int64(len(c.Sites)), "connected site")), plain},
		{"next", "no run is open: ims retire " + c.Name + " --dry-run", plain},
	}
	if m.snap.GatewayErr != "" {
		list = append(list, m.nowLine("gateway", m.snap.GatewayErr, w, bad)...)
	}
	return list
}

// nextWords is the next thing that a person has to do, by keys if there are any.
func (m *Model) nextWords(keys bool) string {
	r := m.snap.Run
	a := r.Action
	switch {
	case r.Ended():
	case !m.snap.Gone.IsZero():
		return "start a runner"
	case keys && r.Paused != nil:
		return "p continues"
	case keys && r.Asked != nil:
		return "a answers, x rejects"
	case r.Asked != nil:
		return "answer the question"
	case keys && r.Phase == "operating":
		text := "c resumes, A aborts"
		if m.noAbort() != "" {
			text = "c resumes"
		}
		if m.fix() != "" {
			text = "the fix, then " + text
		}
		return text
	}
	text := a.What
	if a.Verb != "" {
		when := "now"
		if a.At.After(m.now) {
			when = "not before " + m.clock(a.At)
		}
		text = string(a.Verb) + " " + a.State + ", " + when + ": " + a.What
	} else if a.At.After(m.now) {
		text += ", not before " + m.clock(a.At)
	}
	return text
}

// nextCommands are what does it from elsewhere, one for each choice. What is
// not asked yet cannot be answered.
func (m *Model) nextCommands() []string {
	r := m.snap.Run
	switch {
	case r.Ended():
		return nil
	case !m.snap.Gone.IsZero():
		return []string{"ims resume " + r.Run}
	case r.Paused != nil || r.Asked != nil || r.Phase == "operating":
		return r.Action.Commands
	}
	return nil
}
