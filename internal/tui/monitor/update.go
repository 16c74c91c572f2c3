package monitor

import (
	"time"

	"example.org/ims/internal/runner"
)

// Limits of what is kept.
const (
	maxLines  = 1000
	flashTime = 6 * time.Second
)

// Update folds one message and returns what is to be done, in order.
func (m *Model) Update(msg Message) []Effect {
	switch msg := msg.(type) {
	case Tick:
		m.now = later(m.now, msg.Now)
	case Size:
		m.w, m.h = msg.W, msg.H
	case Snapshot:
		return m.see(msg)
	case Key:
		return m.key(msg.Name)
	case Letters:
		if msg.Of == m.letters.Of {
			m.letters, m.line = msg, min(m.line, max(len(msg.Items)-1, 0))
		}
	case Letter:
		if msg.Entry == m.letter.Entry {
			m.letter = msg
		}
	case Done:
		m.say(msg.Text)
		if msg.Err != "" {
			m.say(msg.Err)
		}
		if m.pane == lettersPane {
			return []Effect{Ask{m.query}, FetchLetters{m.letters.Of}}
		}
		return []Effect{Ask{m.query}}
	case Said:
		m.said = keep(append(m.said, runner.Line{At: msg.At, Kind: "said", Text: msg.Text}))
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func keep(lines []runner.Line) []runner.Line { return lines[max(0, len(lines)-maxLines):] }

// say shows words in place of the keys for a moment.
func (m *Model) say(text string) {
	if text != "" {
		m.flash, m.flashEnd = text, m.now.Add(flashTime)
	}
}

// see folds a snapshot.
func (m *Model) see(s Snapshot) []Effect {
	m.now = later(m.now, s.At)
	if s.Run != nil {
		for _, l := range s.Run.Lines {
			if n := len(m.lines); n == 0 || l.Seq > m.lines[n-1].Seq {
				m.lines = append(m.lines, l)
			}
		}
		m.lines = keep(m.lines)
	}
	if !s.Seen.IsZero() && s.Seen.After(m.snap.Seen) {
		m.past.add(s.Seen, &s.Census)
	}
	first := !m.fresh
	m.snap, m.fresh = s, true
	m.shutting()
	m.closeDialog()
	if m.opt.Ends && s.Run != nil && s.Run.Ended() {
		return m.leave()
	}
	if s.Summary != nil {
		m.cursor = min(m.cursor, max(s.Summary.Found-1, 0))
	}
	if first && s.Run != nil && s.Run.Asked != nil {
		m.say("the run asks: a answers it")
	}
	return m.ask(false)
}

// ask asks for another window of rows, if the cursor left the one that is
// there, the estimate moved, or it must.
func (m *Model) ask(must bool) []Effect {
	q := m.query
	if q.Offset > m.cursor || m.cursor >= q.Offset+window || (m.cursor < q.Offset+window/4 && q.Offset > 0) || m.cursor >= q.Offset+window*3/4 {
		q.Offset = max(0, m.cursor-window/2)
	}
	if at := m.estimate().at; at.Sub(q.Before).Abs() > 10*time.Second || at.IsZero() != q.Before.IsZero() {
		q.Before = at
	}
	if q == m.query && !must {
		return nil
	}
	m.query = q
	return []Effect{Ask{q}}
}

// leave quits, once.
func (m *Model) leave() []Effect {
	if m.quit {
		return nil
	}
	m.quit = true
	return []Effect{Quit{}}
}
