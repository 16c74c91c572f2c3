package monitor

import "strings"

func (m *Model) noRun() string {
	if m.snap.Run == nil {
		return "there is no run"
	}
	return ""
}

// noTelling says why the run cannot be told anything.
func (m *Model) noTelling() string {
	r := m.snap.Run
	switch {
	case r == nil:
		return "there is no run"
	case r.Ended():
		return "the run has ended"
	case !m.snap.Gone.IsZero():
		return "no runner is alive"
	case r.Problem != "":
		return "the run is not performed"
	}
	return ""
}

func (m *Model) noQuestion() string {
	if why := m.noTelling(); why != "" {
		return why
	}
	if m.snap.Run.Asked == nil {
		return "the run asks nothing"
	}
	return ""
}

func (m *Model) pauseWord() string {
	if r := m.snap.Run; r != nil && r.Paused != nil {
		return "continue"
	}
	return "pause"
}

func (m *Model) noPause() string {
	if why := m.noTelling(); why != "" {
		return why
	}
	if !m.opt.Pauses {
		return "this runner cannot pause a run"
	}
	return ""
}

func (m *Model) noResume() string {
	if why := m.noTelling(); why != "" {
		return why
	}
	if m.snap.Run.Phase != "operating" {
		return "the run does not wait for an operator"
	}
	return ""
}

func (m *Model) noAbort() string {
	if why := m.noTelling(); why != "" {
		return why
	}
	r := m.snap.Run
	switch {
	case r.Undo.Beyond != "":
		return r.Undo.Beyond + " was the point of no return"
	case r.Undoing:
		return "it is being undone already"
	case !r.Undo.Possible:
		return "it is about to end"
	}
	return ""
}

// approve asks for the answer, and shows what it is about.
func (m *Model) approve() []Effect {
	r := m.snap.Run
	d := &dialog{title: "Answer the question of " + r.State, text: []string{strings.TrimSpace(r.Asked.Comment)}, fields: []field{{label: "comment", optional: true}}}
	d.text = append(d.text, r.Asked.Evidence...)
	names := []string{}
	for _, c := range r.Choices {
		d.choices, names = append(d.choices, strings.TrimSuffix(c.Name+": "+c.Title, ": ")), append(names, c.Name)
	}
	d.submit = func(d *dialog) []Effect {
		t := Tell{Verb: "approve", State: r.State, Reason: strings.TrimSpace(d.fields[0].value)}
		if d.choice < len(names) {
			t.Choice = names[d.choice]
		}
		return []Effect{t}
	}
	m.dialog = d
	return nil
}

func (m *Model) reject() []Effect {
	m.dialog = m.telling("Reject what "+m.snap.Run.State+" asks", "reject", "The run then waits for an operator. Nothing is undone.")
	return nil
}

func (m *Model) pause() []Effect {
	if m.snap.Run.Paused != nil {
		m.dialog = m.telling("Let the run go on", "continue", "It was paused by "+m.snap.Run.Paused.Actor+": "+m.snap.Run.Paused.Reason)
		return nil
	}
	m.dialog = m.telling("Pause the run", "pause", "The run stays where it is. The gateway goes on sending.")
	return nil
}

func (m *Model) resume() []Effect {
	m.dialog = m.telling("Resume the run", "resume", "It looks again, and goes on if it may.")
	return nil
}

// abort asks for the name of the run, as ims abort does.
func (m *Model) abort() []Effect {
	r := m.snap.Run
	var text []string
	for _, u := range r.Undo.Undone {
		text = append(text, "will be undone: "+u)
	}
	for _, u := range r.Undo.Remains {
		text = append(text, "will not be undone: "+u)
	}
	if len(text) == 0 {
		text = []string{"Nothing was changed yet, so nothing will be undone."}
	}
	d := m.telling("Abort run "+r.Run, "abort", text...)
	d.fields = append(d.fields, field{label: "type " + r.Run + " to confirm", must: r.Run})
	m.dialog = d
	return nil
}

func (m *Model) telling(title, verb string, text ...string) *dialog {
	state := m.snap.Run.State
	return &dialog{title: title, text: text, fields: []field{reason()}, submit: func(d *dialog) []Effect {
		return []Effect{Tell{Verb: verb, State: state, Reason: strings.TrimSpace(d.fields[0].value)}}
	}}
}
