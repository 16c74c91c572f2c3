// Package output is the one way in which a command speaks: data to stdout in
// the format that -o asked for, words to stderr, and an exit code that follows
// from the error. It refuses to send a control character to a terminal:
// subjects, addresses and banners come from strangers.
//
// A command builds one [Result], or a stream of them, and never asks which
// format was chosen:
//
//	p := output.New(out, err, output.Options{Format: output.JSON})
//	return p.Result("route-list", data, func(page *output.Page) {
//		page.Table(table)
//	})
//
// Every JSON object begins with `"schema": "ims/<name>/v1"`; readers should
// ignore fields that they do not know. Tables are laid out by
// github.com/olekukonko/tablewriter, behind one wrapper that turns its
// decorations off, because measuring the width of arbitrary text is its
// subject and not ours.
package output

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Format is a value of -o.
type Format string

// The formats. Each command offers those that make sense for it.
const (
	Text     Format = "text"     // for people
	JSON     Format = "json"     // one object
	JSONL    Format = "jsonl"    // one object a line, as things happen
	JUnit    Format = "junit"    // JUnit XML
	SARIF    Format = "sarif"    // SARIF 2.1.0
	GitHub   Format = "github"   // workflow commands
	Markdown Format = "markdown" // for a ticket
	Mermaid  Format = "mermaid"  // a diagram
)

// Options are what a Printer needs to know about where it writes.
type Options struct {
	Format   Format           // Text if empty
	Terminal bool             // stdout is a terminal: relative times, indented JSON
	Width    int              // columns of the terminal; 0 is 80
	Now      func() time.Time // for relative times; time.Now if nil
}

// Printer writes results and words. It is safe for concurrent use; what one
// call writes is not torn by another.
type Printer struct {
	mu       sync.Mutex
	out, err io.Writer
	opt      Options
}

// New returns a printer of data to out and words to err.
func New(out, err io.Writer, opt Options) *Printer {
	if opt.Format == "" {
		opt.Format = Text
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Printer{out: out, err: err, opt: opt}
}

// Format is the chosen format, for the few commands that render one of their
// own (JUnit, SARIF, Markdown, Mermaid) and pass it to Raw.
func (p *Printer) Format() Format { return p.opt.Format }

// Result prints the outcome of a command: data as one JSON object under its
// schema, or the page that text writes. Data must marshal to a JSON object.
func (p *Printer) Result(name string, data any, text func(*Page)) error {
	if p.opt.Format == Text {
		page := &Page{terminal: p.opt.Terminal, width: cmp.Or(p.opt.Width, defaultWidth), now: p.opt.Now()}
		text(page)
		if page.err != nil {
			return fmt.Errorf("print %s: %w", name, page.err)
		}
		return p.write(p.out, page.buf.Bytes())
	}
	line, err := object(name, data, p.opt.Terminal && p.opt.Format == JSON)
	if err != nil {
		return err
	}
	return p.write(p.out, line)
}

// Event prints something that happened on the way to a result: a line of text,
// or one JSON object in a stream. With JSON the result alone is printed, so
// that its last line is one object.
func (p *Printer) Event(name string, data any, format string, args ...any) error {
	switch p.opt.Format {
	case Text:
		return p.write(p.out, line(format, args...))
	case JSONL:
		b, err := object(name, data, false)
		if err != nil {
			return err
		}
		return p.write(p.out, b)
	case JSON, JUnit, SARIF, GitHub, Markdown, Mermaid:
	}
	return nil
}

// Raw prints bytes that a command rendered itself. The caller answers for
// what they do to a terminal.
func (p *Printer) Raw(b []byte) error { return p.write(p.out, b) }

// Note prints words for people on stderr: progress, how to go on.
func (p *Printer) Note(format string, args ...any) {
	// Words that cannot be written are lost without harm: data and exit code
	// are what counts.
	_ = p.write(p.err, line(format, args...))
}

// Error prints an error and its hint on stderr, in the form that every error
// of ims has. An error that says that its command has already spoken prints
// nothing.
func (p *Printer) Error(err error) {
	e := find(err)
	if e.Quiet {
		return
	}
	var b strings.Builder
	for text := range strings.SplitSeq(strings.TrimSuffix(err.Error(), "\n"), "\n") {
		fmt.Fprintf(&b, "ims: error: %s\n", Safe(text))
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "ims: hint: %s\n", Safe(e.Hint))
	}
	_ = p.write(p.err, []byte(b.String())) // as in Note
}

func (p *Printer) write(w io.Writer, b []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// Page is a text result in the making. Its methods remember the first error.
type Page struct {
	buf      bytes.Buffer
	terminal bool
	width    int
	now      time.Time
	err      error
}

// Line adds a line. Control characters in it are escaped; text from strangers
// that may contain line breaks goes through Safe first.
func (p *Page) Line(format string, args ...any) { p.buf.Write(line(format, args...)) }

// Words adds a line that a terminal shows folded between words; what follows is
// indented a little more than it. A command is no such line: it is pasted.
func (p *Page) Words(format string, args ...any) {
	b := line(format, args...)
	if p.terminal {
		b = foldLines(b, p.width, func(line string) int { return leading(line) + 2 })
	}
	p.buf.Write(b)
}

// Blank adds an empty line.
func (p *Page) Blank() { p.buf.WriteByte('\n') }

// Table adds a table.
func (p *Page) Table(t Table) {
	var left, below []string
	if p.terminal {
		t, below = t.hang(p.width)
		t, left = t.fit(p.width)
	}
	b, err := t.render()
	if err != nil && p.err == nil {
		p.err = err
	}
	if t.Fold && p.terminal && err == nil {
		b = t.fold(b, p.width)
	}
	if below != nil {
		b = weave(b, below, p.width)
	}
	p.buf.Write(b)
	if len(left) > 0 {
		p.Line("(no room for %s)", strings.Join(left, ", "))
	}
}

// Time is a moment for people: relative on a terminal, RFC 3339 elsewhere.
func (p *Page) Time(t time.Time) string {
	switch {
	case t.IsZero():
		return "never"
	case p.terminal:
		return Relative(p.now, t)
	}
	return t.UTC().Format(time.RFC3339)
}

// line formats one line and makes it safe; breaks in the format stay.
func line(format string, args ...any) []byte {
	text := fmt.Sprintf(format, args...)
	parts := strings.Split(text, "\n")
	for i := range parts {
		parts[i] = Safe(parts[i])
	}
	return []byte(strings.Join(parts, "\n") + "\n")
}
