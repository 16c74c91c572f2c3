package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/check"
)

// checkBoard shows on a terminal how far the checks are that are under way, a
// line for each, written over once a second. On a terminal that cannot do that
// the lines are written anew, more seldom. Nil shows nothing.
type checkBoard struct {
	p     *output.Printer
	w     io.Writer // the terminal
	over  bool      // it can go back to a line
	width int
	limit int64  // of memory
	hint  string // how to be faster, said once
	now   func() time.Time

	mu    sync.Mutex
	lines []*checkLine
	drawn int // lines that are on the terminal, above the cursor
}

// checkLine is what is known of one check.
type checkLine struct {
	name   string
	begun  time.Time
	last   check.Progress
	rate   int64 // states a second, lately
	at     time.Time
	states int // when the rate was taken
}

// How often the board is drawn, where it is drawn over and where it is not; the
// hint is given to those who have waited for so long.
const (
	drawnOver  = time.Second
	drawnAnew  = 30 * time.Second
	hintedFrom = 5 * time.Second
)

// board is one for a terminal that somebody reads, else nil.
func (s *session) board(p *output.Printer, opts runbookCheckOptions, limit int64) *checkBoard {
	if !s.io.ErrTerminal || p.Format() != output.Text {
		return nil
	}
	b := &checkBoard{p: p, w: s.io.Err, over: !s.io.Dumb, width: cmp.Or(s.io.Width, 80), limit: limit, now: time.Now}
	if quick := check.BoundNames(); opts.bounds.Name == quick[0] {
		b.hint = fmt.Sprintf("--bounds %s takes seconds", quick[len(quick)-1])
	}
	return b
}

// show draws the board until what it returns is called, which takes it away.
func (b *checkBoard) show() (end func()) {
	if b == nil {
		return func() {}
	}
	every := drawnOver
	if !b.over {
		every = drawnAnew
	}
	enough, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				b.draw()
			case <-enough:
				return
			}
		}
	}()
	return func() {
		close(enough)
		<-ended
		b.mu.Lock()
		defer b.mu.Unlock()
		b.clear()
	}
}

// begin adds a line for a check, and returns what is told how far it is.
func (b *checkBoard) begin(name string) (tell func(check.Progress), end func()) {
	if b == nil {
		return nil, func() {}
	}
	l := &checkLine{name: name, begun: b.now(), at: b.now()}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	b.lines = append(b.lines, l)
	tell = func(p check.Progress) {
		b.mu.Lock()
		defer b.mu.Unlock()
		l.last = p
	}
	return tell, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.lines = slices.DeleteFunc(b.lines, func(o *checkLine) bool { return o == l })
	}
}

// note says something above the lines.
func (b *checkBoard) note(p *output.Printer, format string, args ...any) {
	if b != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.clear()
	}
	p.Note(format, args...)
}

// draw writes the lines. What cannot be written is lost without harm.
func (b *checkBoard) draw() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	now := b.now()
	for _, l := range b.lines {
		if b.hint != "" && now.Sub(l.begun) >= hintedFrom {
			b.p.Note("  %s", b.hint)
			b.hint = ""
		}
	}
	var text strings.Builder
	for _, l := range b.lines {
		line := []rune(output.Safe(l.text(now, b.limit)))
		if b.over {
			line = line[:min(len(line), b.width-1)] // one that is folded would be two to go back
			b.drawn++
		}
		text.WriteString(string(line) + "\n")
	}
	_, _ = io.WriteString(b.w, text.String())
}

// clear takes the lines away that were drawn; mu is held.
func (b *checkBoard) clear() {
	if b.drawn > 0 {
		const up, erase = "\r\x1b[%dA", "\x1b[J" // to the first of them, and all below it
		_, _ = fmt.Fprintf(b.w, up+erase, b.drawn)
	}
	b.drawn = 0
}

// text is how far a check is.
func (l *checkLine) text(now time.Time, limit int64) string {
	p := l.last
	if since := now.Sub(l.at); since > 0 {
		l.rate = int64(float64(max(p.States-l.states, 0)) / since.Seconds())
		l.at, l.states = now, p.States
	}
	doing := fmt.Sprintf("%d/s, depth %d", l.rate, p.Depth)
	switch {
	case p.Waiting:
		doing = "waits for memory"
	case p.Judging:
		doing = "all known; what follows from them"
	}
	return fmt.Sprintf("  %s: %d states, %s, %s of %s, %s", l.name, p.States, doing, output.Bytes(p.Bytes), output.Bytes(limit), output.Duration(now.Sub(l.begun).Round(time.Second)))
}
