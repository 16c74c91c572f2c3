package monitor

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"example.org/ims/internal/tui/screen"
)

// detailLines are all that the overview says, with nothing cut: how it stands
// and what to do, the conditions of the present state with the facts that they
// were judged on, what is asked, and what was noticed.
func (m *Model) detailLines(w int) []textLine {
	text, style := m.status()
	list := hang(" status", text, w, style)
	list = append(list, hang("       ", m.brief(1<<10), w, plain)...)
	if m.snap.Run != nil {
		list = append(list, m.actionLines(w)...)
	}
	text, word, command := m.verdictText(true, false)
	list = append(list, hang("verdict", text, w, word.style())...)
	list = append(list, commandLines("    fix", command, w)...)
	list = append(list, hang("  empty", m.etaLine(), w, plain)...)
	if d := m.row(); d != nil {
		list = append(list, hang(" cursor", m.rowWords(d, nil), w, plain)...)
		list = append(list, commandLines("    fix", m.judge(d).command, w)...)
	}
	list = append(list, textLine{"", "", plain})
	if m.snap.Run != nil {
		list = append(list, m.evidenceLines(w)...)
		list = append(list, textLine{"", "", plain})
	}
	return append(list, m.noticedLines(w)...)
}

// actionLines are what the run waits for, and who has to do what.
func (m *Model) actionLines(w int) []textLine {
	r := m.snap.Run
	var list []textLine
	if r.Problem != "" {
		list = hang("problem", r.Problem, w, bad)
	}
	if r.Paused != nil {
		list = append(list, hang(" paused", "since "+m.clock(r.Paused.Since)+": "+r.Paused.Reason, w, warn)...)
	}
	if c := r.Because(); c != nil {
		list = append(list, hang("because", c.Words(), w, warn)...)
		list = append(list, commandLines("    fix", c.Fix, w)...)
	}
	if !r.Ends.IsZero() && !r.Limit.IsZero() {
		list = append(list, hang("  waits", "until "+m.clock(r.Ends)+" at the earliest; a person is asked after "+m.clock(r.Limit), w, plain)...)
	}
	list = append(list, hang("   next", m.nextWords(true), w, strong)...)
	for _, c := range m.nextCommands() {
		list = append(list, commandLines("       ", c, w)...)
	}
	return list
}

// evidenceLines are the conditions of the present state, each with the facts
// that it was judged on, and what is asked.
func (m *Model) evidenceLines(w int) []textLine {
	r := m.snap.Run
	list := hang("  state", r.State+": "+r.Title, w, strong)
	list = append(list, textLine{"   seen", m.clock(r.Seen), plain})
	for i := range r.Conditions {
		c := &r.Conditions[i]
		style := map[string]textLine{"pass": {style: good}, "fail": {style: bad}}[c.Verdict].style
		list = append(list, hang(strings.Repeat(" ", max(7-len(c.Verdict), 0))+strings.ToUpper(c.Verdict), c.That, w, style)...)
		for _, k := range slices.Sorted(maps.Keys(c.Facts)) {
			list = wrapped(list, "   fact", k+" = "+cmp.Or(c.Facts[k], "unknown"), w)
		}
		list = wrapped(list, "    why", c.Why, w)
		if c.Verdict != "pass" {
			list = append(list, commandLines("    fix", c.Fix, w)...)
		}
	}
	if len(r.Conditions) == 0 {
		list = append(list, textLine{"", "the present state has no condition", faint})
	}
	if r.Asked != nil {
		list = wrapped(list, "  asked", strings.TrimSpace(r.Asked.Comment), w)
		for _, e := range r.Asked.Evidence {
			list = wrapped(list, "  shown", e, w)
		}
		list = append(list, textLine{"journal", "head " + r.Asked.Head, plain})
	}
	return list
}

// noticedLines are the account, DNS, who connects and who watches.
func (m *Model) noticedLines(w int) []textLine {
	list := m.clientLines(w)
	r := m.snap.Run
	if r == nil {
		return list
	}
	list = append(m.sumLines(max(w, narrow)), list...)
	if w < narrow {
		list = nil
		for _, l := range append(m.sumLines(1<<10), m.clientLines(1<<10)...) {
			list = append(list, hang(l.label, l.text, w, l.style)...)
		}
	}
	for i := range r.Authorities {
		a := &r.Authorities[i]
		list = wrapped(list, "server", a.Domain+" by "+a.Server+": "+strings.TrimSuffix(cmp.Or(a.Answer, "no MX"), ".")+", "+short(m.now.Sub(a.At))+" ago"+map[bool]string{true: ", before DNS was changed"}[a.Stale], w)
	}
	return wrapped(list, "watch ", strings.Join(r.Viewers, ", "), w)
}

// commandLines are a command in lines of at most w cells that a shell takes as
// one when they are pasted. A word of it that is wider stays whole.
func commandLines(label, command string, w int) []textLine {
	if command == "" {
		return nil
	}
	room := w - screen.Width(label) - 1
	var list []textLine
	line := ""
	for i, part := range strings.Split(command, " --") {
		if i > 0 {
			part = "--" + part
		}
		if line != "" && screen.Width(line+" "+part+" \\") > room {
			list = append(list, textLine{label, line + " \\", strong})
			label, line = strings.Repeat(" ", len(label)), ""
		}
		line = strings.TrimPrefix(line+" "+part, " ")
	}
	return append(list, textLine{label, line, strong})
}
