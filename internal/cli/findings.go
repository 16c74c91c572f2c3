package cli

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"example.org/ims/internal/output"
)

// finding is one verdict of a check, for machines that collect verdicts.
type finding struct {
	suite string // what was checked
	id    string // of the rule, stable
	title string
	kind  output.Kind // Done, Blocked, Unknown, or Waiting for an answer
	text  string      // what is wrong, in one line
	fix   string      // what helps, or nothing
	steps []step      // how it comes about
	place

	mark   string // what tells it from others of the same suite and id
	note   bool   // it is worth a look, and never counts
	waived string // why it does not count although it is wrong
	known  bool   // it was there before, and does not count
}

// step is one step on the way to a finding.
type step struct {
	text string
	place
}

// place is where in a file something is said; no file is nowhere.
type place struct {
	file      string
	line, col int // counted from 1; no column is the whole line
}

// counts reports whether a finding stands in the way.
func (f finding) counts() bool { return f.kind != output.Done && !f.note && f.waived == "" && !f.known }

// findingSet is what a check found.
type findingSet struct {
	version  string // of this program
	at       time.Time
	all      []finding
	compared bool // with an earlier one
}

// renderFindings renders findings of now in one of the formats for machines.
func renderFindings(f output.Format, version string, all []finding) ([]byte, error) {
	return findingSet{version: version, at: time.Now(), all: all}.render(f)
}

// render renders findings in one of the formats for machines.
func (s findingSet) render(f output.Format) ([]byte, error) {
	switch f {
	case output.JUnit:
		return s.junit()
	case output.SARIF:
		return s.sarif()
	case output.GitHub:
		return s.github(), nil
	case output.Text, output.JSON, output.JSONL, output.Markdown, output.Mermaid:
	}
	return nil, fmt.Errorf("render findings: no format %q", f)
}

// story is a finding in full.
func (f finding) story() string {
	var b strings.Builder
	b.WriteString(output.Safe(f.text) + "\n")
	if f.fix != "" {
		b.WriteString("fix: " + output.Safe(f.fix) + "\n")
	}
	if why := f.excuse(); why != "" {
		b.WriteString(output.Safe(why) + "\n")
	}
	for i, s := range f.steps {
		fmt.Fprintf(&b, "%3d. %s\n", i+1, output.Safe(s.text))
	}
	return b.String()
}

// excuse says why a finding that is wrong does not count.
func (f finding) excuse() string {
	switch {
	case f.waived != "":
		return "waived: " + f.waived
	case f.known:
		return "in the baseline"
	}
	return ""
}

// path is the file as seen from the working folder, which is where readers of
// findings look for it, if it lies in there.
func (p place) path() string {
	if filepath.IsAbs(p.file) {
		if here, err := os.Getwd(); err == nil {
			if rel, err := filepath.Rel(here, p.file); err == nil && filepath.IsLocal(rel) {
				return rel
			}
		}
	}
	return strings.TrimPrefix(p.file, "./")
}

// uri is the path as a relative reference (RFC 3986), or as an absolute one.
func (p place) uri() string { return (&url.URL{Path: filepath.ToSlash(p.path())}).String() }

// here reports whether readers of findings have the file: it lies in the working
// folder. A runbook of this program does not, and neither does what lies
// elsewhere.
func (p place) here() bool {
	path := p.path()
	if !filepath.IsLocal(path) {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// github are workflow commands: an annotation for each finding, of a file that
// the repository may have, or of none.
func (s findingSet) github() []byte {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	prop := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	var b strings.Builder
	for _, f := range s.all {
		level := "error"
		switch {
		case f.kind == output.Done:
			continue
		case f.note:
			level = "warning"
		case !f.counts():
			level = "notice"
		case f.kind == output.Unknown, f.kind == output.Waiting:
			level = "warning"
		}
		where := ""
		if f.file != "" && f.here() {
			where = fmt.Sprintf("file=%s,line=%d,", prop.Replace(f.path()), max(f.line, 1))
			if f.col > 0 {
				where += fmt.Sprintf("col=%d,", f.col)
			}
		}
		fmt.Fprintf(&b, "::%s %stitle=%s::%s\n", level, where, prop.Replace(output.Safe(f.suite+" "+f.id)), data.Replace(strings.TrimSuffix(f.story(), "\n")))
	}
	return []byte(b.String())
}
