package monitor

import (
	"slices"
	"strings"

	"example.org/ims/pkg/gateway"
)

// binding is what a key does where it counts. why says why it does nothing
// now, "" if it does.
type binding struct {
	keys []string
	show string // how the key is written
	what string
	why  func(*Model) string
	act  func(*Model) []Effect
}

// bindings are those of the part of the screen that has the keys, then those
// that count everywhere.
func (m *Model) bindings() []binding {
	return append(m.local(), m.global()...)
}

func (m *Model) local() []binding {
	switch m.pane {
	case lettersPane:
		return append([]binding{move("messages"), enter("read it", (*Model).openLetter), back()}, m.verbs()...)
	case letterPane:
		return append([]binding{move("lines"), back()}, m.verbs()...)
	case journalPane, detailsPane, helpPane:
		return []binding{move("lines"), back()}
	case overview:
	}
	switch m.focused() {
	case onSteps:
		return []binding{enter("details", (*Model).openDetails)}
	case onEvents:
		return []binding{enter("the journal", (*Model).openJournal)}
	case onMatrix, numFocus:
	}
	return append([]binding{
		move("destinations"), enter("messages", (*Model).openLetters),
		{keys: []string{"s"}, show: "s", what: "sort: " + string(m.query.Sort), act: (*Model).resort},
		{keys: []string{"/"}, show: "/", what: "filter", act: func(m *Model) []Effect { m.filter = new(string); return nil }},
	}, m.verbs()...)
}

func move(what string) binding {
	keys := []string{"up", "down", "pgup", "pgdown", "home", "end", "k", "ctrl+p", "ctrl+n"}
	return binding{keys: keys, show: "↑↓", what: what}
}

func enter(what string, act func(*Model) []Effect) binding {
	return binding{keys: []string{"enter"}, show: "⏎", what: what, act: act}
}

func back() binding {
	return binding{keys: []string{"esc", "q", "left"}, show: "q", what: "back", act: func(m *Model) []Effect { m.close(); return nil }}
}

func (m *Model) global() []binding {
	list := []binding{
		{keys: []string{"a"}, show: "a", what: "answer", why: (*Model).noQuestion, act: (*Model).approve},
		{keys: []string{"x"}, show: "x", what: "reject", why: (*Model).noQuestion, act: (*Model).reject},
		{keys: []string{"p"}, show: "p", what: "pause", why: (*Model).noPause, act: (*Model).pause},
		{keys: []string{"c"}, show: "c", what: "resume", why: (*Model).noResume, act: (*Model).resume},
		{keys: []string{"A"}, show: "A", what: "abort", why: (*Model).noAbort, act: (*Model).abort},
		{keys: []string{"g"}, show: "g", what: "details", act: (*Model).openDetails},
		{keys: []string{"j"}, show: "j", what: "journal", why: (*Model).noRun, act: (*Model).openJournal},
	}
	if m.paused() { // then p and c mean the same
		list = slices.DeleteFunc(list, func(b binding) bool { return b.show == "c" })
		i := slices.IndexFunc(list, func(b binding) bool { return b.show == "p" })
		list[i] = binding{keys: []string{"p", "c"}, show: "p", what: "continue", why: (*Model).noPause, act: (*Model).goOn}
	}
	if m.pane == overview {
		list = append(list, binding{keys: []string{"tab", "shift+tab"}, show: "tab", what: "other part", why: (*Model).noOther, act: nil})
	}
	list = append(list,
		binding{keys: []string{"?"}, show: "?", what: "help", act: func(m *Model) []Effect { m.open(helpPane); return nil }},
		binding{keys: []string{"q", "ctrl+c"}, show: "q", what: "leave", act: (*Model).leave})
	return list
}

// noOther says why the keys cannot go to another part of the overview.
func (m *Model) noOther() string {
	if m.shown(onSteps) || m.shown(onEvents) {
		return ""
	}
	return "no other part that takes keys is on the screen"
}

// key is one key pressed.
func (m *Model) key(name string) []Effect {
	switch {
	case name == "ctrl+c":
		return m.leave()
	case m.dialog != nil:
		return m.inDialog(name)
	case m.filter != nil:
		return m.inFilter(name)
	case name == "esc" && m.pane == overview:
		return nil // it was meant for what is closed already
	}
	m.flash = ""
	for _, b := range m.bindings() {
		if !slices.Contains(b.keys, name) {
			continue
		}
		if b.why != nil {
			if why := b.why(m); why != "" {
				m.say(b.show + " " + b.what + ": not now: " + why)
				return nil
			}
		}
		if b.act != nil {
			return b.act(m)
		}
		return m.wander(name)
	}
	m.say("no key " + name + " here: ? lists those that there are")
	return nil
}

// wander moves a cursor, or the focus.
func (m *Model) wander(name string) []Effect {
	page := max(m.h/2, 1)
	step := map[string]int{
		"up": -1, "k": -1, "ctrl+p": -1, "down": 1, "ctrl+n": 1, "pgup": -page, "pgdown": page, "home": -1 << 30, "end": 1 << 30,
	}[name]
	switch name {
	case "tab", "shift+tab":
		turn := map[string]focus{"tab": 1, "shift+tab": numFocus - 1}[name]
		m.focus = (m.focused() + turn) % numFocus
		for !m.shown(m.focus) { // the matrix always is
			m.focus = (m.focus + turn) % numFocus
		}
		return nil
	}
	switch m.pane {
	case overview:
		found := 0
		if m.snap.Summary != nil {
			found = m.snap.Summary.Found
		}
		m.cursor = min(max(m.cursor+step, 0), max(found-1, 0))
		return m.ask(false)
	case lettersPane:
		m.line = min(max(m.line+step, 0), max(len(m.letters.Items)-1, 0))
	case letterPane, journalPane, detailsPane, helpPane:
		m.scroll = max(m.scroll+step, 0)
	}
	return nil
}

func (m *Model) resort() []Effect {
	i := slices.Index(gateway.Sorts, m.query.Sort)
	m.query.Sort, m.query.Offset, m.cursor = gateway.Sorts[(i+1)%len(gateway.Sorts)], 0, 0
	return []Effect{Ask{m.query}}
}

// inFilter edits the filter. Every letter narrows at once.
func (m *Model) inFilter(name string) []Effect {
	text := *m.filter
	switch name {
	case "enter":
		m.filter = nil
		return nil
	case "esc":
		m.filter, text = nil, ""
	default:
		text = edit(text, name)
		m.filter = &text
	}
	if text == m.query.Match {
		return nil
	}
	m.query.Match, m.query.Offset, m.cursor = text, 0, 0
	return []Effect{Ask{m.query}}
}

// maxInput bounds what is typed, in runes.
const maxInput = 200

// edit is a text after a key.
func edit(text, key string) string {
	runes := []rune(text)
	switch {
	case key == "backspace" && len(runes) > 0:
		return string(runes[:len(runes)-1])
	case key == "ctrl+u":
		return ""
	case key == "space":
		key = " "
	}
	if r := []rune(key); len(r) == 1 && r[0] >= ' ' && len(runes) < maxInput {
		return text + key
	}
	return text
}

// open shows a pane in front of what is shown.
func (m *Model) open(p pane) {
	if m.pane != p {
		m.behind = append(m.behind, m.pane)
	}
	m.pane, m.scroll = p, 0
}

// close goes back to what was behind a pane.
func (m *Model) close() {
	m.scroll = 0
	if n := len(m.behind); n > 0 {
		m.pane, m.behind = m.behind[n-1], m.behind[:n-1]
		return
	}
	m.pane = overview
}

func (m *Model) openLetters() []Effect {
	d := m.row()
	if d == nil {
		m.say("there is no row")
		return nil
	}
	of := Place{d.Store, d.Dest}
	if m.letters.Of != of {
		m.letters, m.line = Letters{Of: of}, 0
	}
	m.open(lettersPane)
	return []Effect{FetchLetters{of}}
}

func (m *Model) openLetter() []Effect {
	it := m.item()
	if it == nil {
		m.say("there is no message")
		return nil
	}
	if m.letter.Entry != it.Entry {
		m.letter = Letter{Entry: it.Entry}
	}
	m.open(letterPane)
	return []Effect{FetchLetter{it.Entry}}
}

func (m *Model) openJournal() []Effect {
	m.open(journalPane)
	m.scroll = 1 << 30 // its end
	return nil
}

func (m *Model) openDetails() []Effect {
	m.open(detailsPane)
	return nil
}

// row is the row of the matrix at the cursor, nil if it is not there.
func (m *Model) row() *gateway.Destination {
	sum := m.snap.Summary
	if sum == nil {
		return nil
	}
	if i := m.cursor - m.query.Offset; i >= 0 && i < len(sum.Rows) {
		return &sum.Rows[i]
	}
	return nil
}

// item is the message at the cursor of the pane.
func (m *Model) item() *gateway.Item {
	if m.line >= 0 && m.line < len(m.letters.Items) {
		return &m.letters.Items[m.line]
	}
	return nil
}

// urgent are the keys that the run waits for.
func (m *Model) urgent() []binding {
	var list []binding
	for _, k := range m.global() {
		asked := (k.show == "a" || k.show == "x") && m.noQuestion() == ""
		stands := k.show == "c" && m.noResume() == ""
		held := k.show == "p" && m.paused() && m.noPause() == ""
		if asked || stands || held {
			list = append(list, k)
		}
	}
	return list
}

// keyLine lists what the keys do, the local ones first, as far as w cells go.
func (m *Model) keyLine(w int) string {
	var b strings.Builder
	used := 0
	tail := "  g details  ? help  q leave"
	if m.pane != overview {
		tail = "  ? help"
	}
	list := m.bindings()
	if m.pane == overview { // what the run waits for comes first
		list = append(m.urgent(), list...)
	}
	seen := map[string]bool{}
	for _, k := range list {
		if seen[k.show] || k.show == "?" || (k.show == "g" || k.show == "q") && m.pane == overview || k.why != nil && k.why(m) != "" {
			continue
		}
		seen[k.show] = true
		part := k.show + " " + k.what
		if used+len([]rune(part))+2+len(tail) > w {
			continue
		}
		if used > 0 {
			b.WriteString("  ")
			used += 2
		}
		b.WriteString(part)
		used += len([]rune(part))
	}
	return b.String() + tail
}
