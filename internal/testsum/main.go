// Command testsum reads the events of `go test -json` and prints what a person
// wants to know: a line for each package, the output of what failed, and at
// the end what took longest, and every skipped test with its reason, so that a
// suite whose server is not installed cannot pass for one that ran. It ends 1
// if anything failed or nothing ran. It runs no test itself.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	ok, err := summarize(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum: error:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// event is one line of `go test -json` (go doc test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string // of a build event
	Test       string
	Output     string
	Elapsed    float64
}

type counts struct{ passed, failed, skipped int }

type summary struct {
	out    io.Writer
	output map[[2]string][]string // by package and test, until its result is known
	counts map[string]*counts     // by package, until its result is known
	total  counts
	broken int // packages that failed to build, or failed outside of a test
	skips  []string
	took   []event // the results of tests that took long
}

// Tests are worth naming from this many seconds on, and at most so many of
// them.
const (
	slow     = 10
	mostSlow = 10
)

// summarize copies a digest of the events to out. It reports whether at least
// one test passed and nothing failed.
func summarize(in io.Reader, out io.Writer) (bool, error) {
	s := &summary{out: out, output: map[[2]string][]string{}, counts: map[string]*counts{}}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Action == "" {
			s.print("%s\n", lines.Text()) // the go command's own words
			continue
		}
		s.add(e)
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("read events: %w", err)
	}
	slices.SortFunc(s.took, func(a, b event) int { return cmp.Compare(b.Elapsed, a.Elapsed) })
	for _, e := range s.took[:min(mostSlow, len(s.took))] {
		s.print("SLOW %s %s: %.0fs\n", e.Package, e.Test, e.Elapsed)
	}
	slices.Sort(s.skips)
	for _, skip := range s.skips {
		s.print("SKIP %s\n", skip)
	}
	if s.broken > 0 {
		s.print("broken packages: %d\n", s.broken)
	}
	s.print("%d passed, %d failed, %d skipped\n", s.total.passed, s.total.failed+s.broken, s.total.skipped)
	return s.total.failed == 0 && s.broken == 0 && s.total.passed > 0, nil
}

// print writes to standard output, where an error has nobody to be told.
func (s *summary) print(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format, args...) }

func (s *summary) add(e event) {
	key := [2]string{e.Package, e.Test}
	c := s.counts[e.Package]
	if c == nil {
		c = &counts{}
		s.counts[e.Package] = c
	}
	switch e.Action {
	case "output":
		s.output[key] = append(s.output[key], e.Output)
	case "build-output":
		s.print("%s", e.Output)
	case "build-fail":
		s.broken++
		s.print("FAIL %s: does not build\n", e.ImportPath)
	case "pass", "fail", "skip":
		if e.Test == "" {
			s.closePackage(e, c)
			return
		}
		s.closeTest(e, c)
	}
}

func (s *summary) closeTest(e event, c *counts) {
	key := [2]string{e.Package, e.Test}
	if e.Elapsed >= slow && !strings.Contains(e.Test, "/") {
		s.took = append(s.took, e)
	}
	switch e.Action {
	case "pass":
		c.passed++
	case "fail":
		c.failed++
		s.print("FAIL %s %s\n%s", e.Package, e.Test, words(s.output[key]))
	case "skip":
		c.skipped++
		s.skips = append(s.skips, fmt.Sprintf("%s %s: %s", e.Package, e.Test, reason(s.output[key])))
	}
	delete(s.output, key)
}

// reason finds what t.Skip said: "    x_test.go:12: named is not installed".
func reason(output []string) string {
	for _, line := range output {
		if _, text, ok := strings.Cut(line, ".go:"); ok {
			if _, text, ok = strings.Cut(text, ": "); ok {
				return strings.TrimSpace(text)
			}
		}
	}
	return "no reason given"
}

// words is what a test or package said, without the marks of the test runner.
func words(output []string) string {
	said := slices.DeleteFunc(output, func(line string) bool {
		return strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "FAIL")
	})
	return strings.Join(said, "")
}

func (s *summary) closePackage(e event, c *counts) {
	s.total.passed += c.passed
	s.total.failed += c.failed
	s.total.skipped += c.skipped
	switch {
	case e.Action == "fail":
		if c.failed == 0 {
			s.broken++
		}
		// A panic or a time-out is said by the package, or by a test that has
		// no result.
		for key, lines := range s.output {
			if key[0] == e.Package {
				s.print("%s", words(lines))
			}
		}
		s.print("FAIL %s  %.1fs\n", e.Package, e.Elapsed)
	case *c != counts{}:
		s.print("ok   %s  %.1fs  %d passed, %d skipped\n", e.Package, e.Elapsed, c.passed, c.skipped)
	}
	for key := range s.output {
		if key[0] == e.Package {
			delete(s.output, key)
		}
	}
	delete(s.counts, e.Package)
}
