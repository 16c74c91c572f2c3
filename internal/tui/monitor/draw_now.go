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
// terminal the head names the state alone. keys says that there are any.
func (m *Model) nowLines(w int, keys bool) []textLine {
	r := m.snap.Run
	if r == nil {
		return m.gatewayLines()
	}
	if r.Ended() {
		return []textLine{{"", cmp.Or(r.Title, r.State), strong}, {"next", m.nextWords(keys), plain}}
	}
	var list []textLine
	operating := r.Phase == "operating"
	if w >= narrow || !operating && r.Asked == nil && r.Paused == nil {
		list = append(list, m.stateLine())
	}
	if r.Asked != nil {
		list = append(list, twoLines("QUESTION", strings.TrimSpace(r.Asked.Comment), w, warn)...)
	}
	var missing []textLine
	for _, c := range r.Missing {
		word := "not yet"
		if c.Verdict == "unknown" {
			word = "unknown"
		}
		missing = append(missing, textLine{word, c.That + ": " + c.Why, warn})
	}
	list = append(list, missing[:min(len(missing), 1)]...)
	if operating && len(r.Missing) > 0 && r.Missing[0].Fix != "" {
		list = append(list, twoLines("fix:", r.Missing[0].Fix, w, strong)...)
	}
	switch {
	case r.Paused != nil:
		list = append(list, textLine{"paused", "for " + output.Duration(m.now.Sub(r.Paused.Since).Truncate(time.Second)) + ", since " + m.clock(r.Paused.Since) + ": its clock stands still", warn})
	case !operating && !r.Ends.IsZero() && !r.Limit.IsZero():
		list = append(list, textLine{"waits", "until " + m.clock(r.Ends) + " at the earliest; a person is asked after " + m.clock(r.Limit), plain})
	}
	list = append(list, twoLines("next", m.nextWords(keys), w, plain)...)
	return append(list, missing[min(len(missing), 1):]...)
}

// narrow is the width below which words are left out.
const narrow = 60

// stateLine is the present state, where it comes from, and since when.
func (m *Model) stateLine() textLine {
	r := m.snap.Run
	line := textLine{r.State, r.Title, plain}
	if n := len(r.Visits); n > 0 {
		v := &r.Visits[n-1]
		if len(v.Source) > 0 {
			line.text += " [" + strings.Join(v.Source, ", ") + "]"
		}
		line.text += ", for " + output.Duration(m.now.Sub(v.Entered).Truncate(time.Second))
	}
	return line
}

// twoLines breaks a text into at most two lines, the second below the text of
// the first.
func twoLines(label, text string, w int, style screen.Style) []textLine {
	parts := screen.Wrap(text, max(w-screen.Width(label)-1, 1))
	if len(parts) < 2 {
		return []textLine{{label, text, style}}
	}
	rest := strings.Join(parts[1:], " ")
	return []textLine{{label, parts[0], style}, {strings.Repeat(" ", screen.Width(label)), rest, style}}
}

func (m *Model) gatewayLines() []textLine {
	c := &m.snap.Config
	if m.snap.Seen.IsZero() {
		return []textLine{{"", cmp.Or(m.snap.GatewayErr, "not seen yet"), warn}}
	}
	list := []textLine{
		{"listens", c.Listen + " as " + c.Hostname, plain},
		{"routes", fmt.Sprintf("%s, %s", output.Count(int64(len(c.Spaces)), "address space"), output.Count(int64(len(c.Sites)), "connected site")), plain},
		{"next", "no run is open: ims retire " + c.Name + " --dry-run", plain},
	}
	if m.snap.GatewayErr != "" {
		list = append(list, textLine{"gateway", m.snap.GatewayErr, bad})
	}
	return list
}

// nextWords is the next thing that a person has to do, by keys if there are any.
func (m *Model) nextWords(keys bool) string {
	r := m.snap.Run
	a := r.Action
	switch {
	case r.Ended():
	case r.Paused != nil:
		return either(keys, "p continues", a.Command)
	case r.Asked != nil:
		return either(keys, "a answers, x rejects", a.Command)
	case r.Phase == "operating":
		text := "c resumes, A aborts"
		if m.noAbort() != "" {
			text = "c resumes"
		}
		if len(r.Missing) > 0 && r.Missing[0].Fix != "" {
			text = "the fix, then " + text
		}
		return either(keys, text, a.Command)
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

// either is what keys do here, and the command that does it elsewhere.
func either(keys bool, here, command string) string {
	switch {
	case command == "":
		return here
	case !keys:
		return command
	}
	return here + "; or " + command
}
