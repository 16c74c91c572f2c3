package cli

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"

	"example.org/ims/internal/output"
)

// finding is one verdict of a check, for machines that collect verdicts.
type finding struct {
	suite string // what was checked
	id    string // of the rule, stable
	title string
	kind  output.Kind // Done, Blocked or Unknown
	text  string      // what is wrong, in one line
	steps []step      // how it comes about
	place
}

// step is one step on the way to a finding.
type step struct {
	text string
	place
}

// place is where in a file something is said; line 0 is nowhere.
type place struct {
	file string
	line int
}

// renderFindings renders findings in one of the formats for machines.
func renderFindings(f output.Format, version string, all []finding) ([]byte, error) {
	switch f {
	case output.JUnit:
		return junit(all)
	case output.SARIF:
		return sarif(version, all)
	case output.GitHub:
		return github(all), nil
	case output.Text, output.JSON, output.JSONL, output.Markdown, output.Mermaid:
	}
	return nil, fmt.Errorf("render findings: no format %q", f)
}

func (f finding) story() string {
	var b strings.Builder
	b.WriteString(f.text + "\n")
	for i, s := range f.steps {
		fmt.Fprintf(&b, "%3d. %s\n", i+1, s.text)
	}
	return b.String()
}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string      `xml:"name,attr"`
	Class   string      `xml:"classname,attr"`
	Failure *junitWords `xml:"failure,omitempty"`
	Error   *junitWords `xml:"error,omitempty"`
}

type junitWords struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// junit is JUnit XML: a suite for each thing that was checked, a failure for
// what is wrong, an error for what could not be found out.
func junit(all []finding) ([]byte, error) {
	var doc junitSuites
	for _, f := range all {
		if n := len(doc.Suites); n == 0 || doc.Suites[n-1].Name != f.suite {
			doc.Suites = append(doc.Suites, junitSuite{Name: f.suite})
		}
		s := &doc.Suites[len(doc.Suites)-1]
		c := junitCase{Name: f.id + " " + f.title, Class: f.suite}
		words := &junitWords{f.text, f.story()}
		switch f.kind {
		case output.Done:
		case output.Unknown:
			c.Error = words
			s.Errors++
			doc.Errors++
		default:
			c.Failure = words
			s.Failures++
			doc.Failures++
		}
		s.Cases = append(s.Cases, c)
		s.Tests++
		doc.Tests++
	}
	b, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode JUnit: %w", err)
	}
	return append([]byte(xml.Header), append(b, '\n')...), nil
}

type object map[string]any

// sarif is SARIF 2.1.0: a rule for each property, a result for each that is
// not proved, its trace a code flow through the file.
func sarif(version string, all []finding) ([]byte, error) {
	rules, known, results := []object{}, map[string]bool{}, []object{}
	for _, f := range all {
		if !known[f.id] {
			known[f.id] = true
			rules = append(rules, object{"id": f.id, "shortDescription": object{"text": f.title}})
		}
		if f.kind == output.Done {
			continue
		}
		level := "error"
		if f.kind == output.Unknown {
			level = "warning"
		}
		r := object{
			"ruleId": f.id, "level": level, "message": object{"text": f.suite + ": " + f.text},
			"locations":           []object{f.sarif("")},
			"partialFingerprints": object{"ims/v1": f.suite + "/" + f.id},
		}
		if len(f.steps) > 0 {
			flow := []object{}
			for _, s := range f.steps {
				flow = append(flow, object{"location": s.sarif(s.text)})
			}
			r["codeFlows"] = []object{{"threadFlows": []object{{"locations": flow}}}}
		}
		results = append(results, r)
	}
	b, err := json.MarshalIndent(object{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
		"runs": []object{{"tool": object{"driver": object{"name": "ims", "version": version, "rules": rules}}, "results": results}},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode SARIF: %w", err)
	}
	return append(b, '\n'), nil
}

func (p place) sarif(text string) object {
	loc := object{"physicalLocation": object{
		"artifactLocation": object{"uri": strings.TrimPrefix(p.file, "./")},
		"region":           object{"startLine": max(p.line, 1)},
	}}
	if text != "" {
		loc["message"] = object{"text": text}
	}
	return loc
}

// github are workflow commands: an annotation for each finding.
func github(all []finding) []byte {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	prop := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	var b strings.Builder
	for _, f := range all {
		if f.kind == output.Done {
			continue
		}
		level := "error"
		if f.kind == output.Unknown {
			level = "warning"
		}
		fmt.Fprintf(&b, "::%s file=%s,line=%d,title=%s::%s\n", level, prop.Replace(f.file), max(f.line, 1),
			prop.Replace(f.suite+" "+f.id), data.Replace(strings.TrimSuffix(f.story(), "\n")))
	}
	return []byte(b.String())
}
