package cli

import (
	"encoding/xml"
	"fmt"

	"example.org/ims/internal/output"
)

// JUnit XML has no standard. This is what both common schemas admit, that of
// Ant's reports and that of Jenkins: no attribute on testsuites, every
// attribute on testsuite, properties first.

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Hostname   string          `xml:"hostname,attr"`
	ID         int             `xml:"id,attr"`
	Package    string          `xml:"package,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
	Out        string          `xml:"system-out"`
	Err        string          `xml:"system-err"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name    string      `xml:"name,attr"`
	Class   string      `xml:"classname,attr"`
	Time    string      `xml:"time,attr"`
	Skipped *string     `xml:"skipped,omitempty"`
	Error   *junitWords `xml:"error,omitempty"`
	Failure *junitWords `xml:"failure,omitempty"`
}

type junitWords struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// junit is JUnit XML: a suite for each thing that was checked, a failure for
// what is wrong, an error for what could not be found out; what does not count
// is skipped, and what is worth a look is said in the suite's output.
func (s findingSet) junit() ([]byte, error) {
	var doc junitSuites
	for _, f := range s.all {
		if n := len(doc.Suites); n == 0 || doc.Suites[n-1].Name != f.suite {
			doc.Suites = append(doc.Suites, junitSuite{
				Name: f.suite, Time: "0", Timestamp: s.at.UTC().Format("2006-01-02T15:04:05"), Hostname: "localhost",
				ID: n, Package: "ims", Properties: []junitProperty{{"ims", s.version}},
			})
		}
		doc.Suites[len(doc.Suites)-1].add(f)
	}
	b, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode JUnit: %w", err)
	}
	return append([]byte(xml.Header), append(b, '\n')...), nil
}

func (s *junitSuite) add(f finding) {
	if f.note {
		s.Out += f.story()
		return
	}
	c := junitCase{Name: output.Safe(f.id + " " + f.title), Class: f.suite, Time: "0"}
	words := &junitWords{Message: output.Safe(f.text), Type: f.id, Text: f.story()}
	switch {
	case f.kind == output.Done:
	case !f.counts():
		c.Skipped = new(string)
		*c.Skipped = f.story()
		s.Skipped++
	case f.kind == output.Unknown:
		c.Error = words
		s.Errors++
	default:
		c.Failure = words
		s.Failures++
	}
	s.Cases = append(s.Cases, c)
	s.Tests++
}
