package monitor

import "strings"

func (m *Model) noRun() string {
	if m.snap.Run == nil {
		return "there is no run"
	}
	return ""
}

// dryRun says why nothing is changed.
const dryRun = "this is a dry run: nothing is changed"

// noTelling says why the run cannot be told anything.
func (m *Model) noTelling() string {
	r := m.snap.Run
	switch {
	case r == nil:
		return "there is no run"
	case m.snap.DryRun:
		return dryRun
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
	switch r := m.snap.Run; {
	case r.Asked == nil:
		return "the run asks nothing"
	case r.Paused != nil:
		return pausedFirst
	}
	return ""
}

// pausedFirst says why a paused run is not told anything else.
const pausedFirst = "the run is paused: p continues it"

func (m *Model) paused() bool { return m.snap.Run != nil && m.snap.Run.Paused != nil }

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
	switch r := m.snap.Run; {
	case r.Phase != "operating":
		return "the run does not wait for an operator"
	case r.Paused != nil:
		return pausedFirst
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

// over says why the run cannot be told anything any more. A runner that died
// may come back.
func (m *Model) over() string {
	switch r := m.snap.Run; {
	case r == nil:
		return "there is no run"
	case r.Ended():
		return "the run has ended: " + r.Outcome
	}
	return ""
}

// answered says why what was asked needs no answer any more, or another one.
func (m *Model) answered(state, digest string) func() string {
	return func() string {
		switch r := m.snap.Run; {
		case m.over() != "":
			return m.over()
		case r.Asked == nil || r.State != state:
			return "the question of " + state + " was answered, or is over"
		case r.Asked.Digest != digest:
			return state + " asks anew, with other evidence: a shows it"
		case r.Paused != nil:
			return r.Paused.Actor + " paused the run: " + r.Paused.Reason
		}
		return ""
	}
}

// approve asks for the answer, and shows what it is about, to its end.
func (m *Model) approve() []Effect {
	r := m.snap.Run
	d := &dialog{
		title: "Answer the question of " + r.State, text: []string{strings.TrimSpace(r.Asked.Comment)}, must: true,
		choice: unchosen, fields: []field{{label: "comment", optional: true}}, over: m.answered(r.State, r.Asked.Digest),
	}
	d.text = append(d.text, r.Asked.Evidence...)
	names := []string{}
	for _, c := range r.Choices {
		d.choices, names = append(d.choices, strings.TrimSuffix(c.Name+": "+c.Title, ": ")), append(names, c.Name)
	}
	if len(names) == 1 {
		d.choice = 0 // nothing else can be chosen
	}
	d.submit = func(d *dialog) []Effect {
		t := Tell{Verb: "approve", State: r.State, Reason: strings.TrimSpace(d.fields[0].value)}
		if d.choice != unchosen {
			t.Choice = names[d.choice]
		}
		return []Effect{t}
	}
	m.dialog = d
	return nil
}

func (m *Model) reject() []Effect {
	r := m.snap.Run
	m.dialog = m.telling("Reject what "+r.State+" asks", "reject", "The run then waits for an operator. Nothing is undone.")
	m.dialog.over = m.answered(r.State, r.Asked.Digest)
	return nil
}

func (m *Model) pause() []Effect {
	m.dialog = m.telling("Pause the run", "pause", "The run stays where it is. The gateway goes on sending.")
	m.dialog.over = func() string {
		if why := m.over(); why != "" || m.snap.Run.Paused == nil {
			return why
		}
		return m.snap.Run.Paused.Actor + " paused the run: " + m.snap.Run.Paused.Reason
	}
	return nil
}

func (m *Model) goOn() []Effect {
	p := m.snap.Run.Paused
	m.dialog = m.telling("Let the run go on", "continue", "It was paused by "+p.Actor+": "+p.Reason)
	m.dialog.fields[0].optional = true
	m.dialog.over = func() string {
		if why := m.over(); why != "" || m.snap.Run.Paused != nil {
			return why
		}
		return "the run goes on already"
	}
	return nil
}

func (m *Model) resume() []Effect {
	text := []string{"It looks again, and goes on if it may."}
	if c := m.snap.Run.Cause; c != nil {
		text = append(text, "It waits because: "+c.Words())
	}
	m.dialog = m.telling("Resume the run", "resume", text...)
	m.dialog.fields[0].optional = true
	m.dialog.over = func() string {
		switch r := m.snap.Run; {
		case m.over() != "":
			return m.over()
		case r.Phase != "operating":
			return "the run waits for no operator any more"
		case r.Paused != nil:
			return r.Paused.Actor + " paused the run: " + r.Paused.Reason
		}
		return ""
	}
	return nil
}

// abort asks for the name of the run, as ims abort does, once all that will and
// will not be undone was seen.
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
	d.must = true
	d.fields = append(d.fields, field{label: "type " + r.Run + " to confirm", must: r.Run})
	d.over = func() string {
		if why := m.over(); why != "" || m.snap.Run.Undo.Possible && !m.snap.Run.Undoing {
			return why
		}
		return m.noAbort()
	}
	m.dialog = d
	return nil
}

func (m *Model) telling(title, verb string, text ...string) *dialog {
	state := m.snap.Run.State
	return &dialog{title: title, text: text, choice: unchosen, fields: []field{reason()}, submit: func(d *dialog) []Effect {
		return []Effect{Tell{Verb: verb, State: state, Reason: strings.TrimSpace(d.fields[0].value)}}
	}}
}
