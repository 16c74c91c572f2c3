package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemas is where the schemas of foreign formats lie.
const schemas = "../../testdata/schema"

// schemaDir is that place, from wherever a script is.
func schemaDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(schemas)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// valid validates a file of a script against the schema of its format:
// `valid sarif stdout`, `valid junit report.xml`.
func valid(dir string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 2 {
			ts.Fatalf("usage: valid sarif|junit FILE")
		}
		data := []byte(ts.ReadFile(args[1]))
		check, ok := map[string]func(string, []byte) error{"sarif": validSARIF, "junit": validJUnit}[args[0]]
		if !ok {
			ts.Fatalf("valid: no format %q", args[0])
		}
		if err := check(dir, data); err != nil {
			ts.Fatalf("%s is no valid %s: %v\n%s", args[1], args[0], err, data)
		}
	}
}

func validSARIF(dir string, data []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(dir, "sarif-2.1.0.json"))
	if err != nil {
		return err
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4)
	c.AssertFormat()
	if err := c.AddResource("sarif.json", schema); err != nil {
		return err
	}
	s, err := c.Compile("sarif.json")
	if err != nil {
		return err
	}
	if err := s.Validate(doc); err != nil {
		return err
	}
	return fingerprints(data)
}

// fingerprints refuses two results of a run with the same fingerprint: whoever
// collects results would take them for one.
func fingerprints(data []byte) error {
	var log struct {
		Runs []struct {
			Results []struct{ PartialFingerprints map[string]string }
		}
	}
	if err := json.Unmarshal(data, &log); err != nil {
		return err
	}
	for _, run := range log.Runs {
		seen := map[string]bool{}
		for _, r := range run.Results {
			for name, print := range r.PartialFingerprints {
				if seen[name+" "+print] {
					return fmt.Errorf("two results have the fingerprint %s %q", name, print)
				}
				seen[name+" "+print] = true
			}
		}
	}
	return nil
}

// validJUnit checks the structure that Ant's reports have, and against the
// schema of Jenkins if xmllint is there; IMS_REQUIRE_SERVERS=1 wants it to be.
func validJUnit(dir string, data []byte) error {
	if err := antStructure(data); err != nil {
		return err
	}
	lint, err := exec.LookPath("xmllint")
	switch {
	case err != nil && os.Getenv("IMS_REQUIRE_SERVERS") == "1":
		return fmt.Errorf("xmllint is required (IMS_REQUIRE_SERVERS=1): %w", err)
	case err != nil:
		return nil
	}
	cmd := exec.Command(lint, "--noout", "--nonet", "--schema", filepath.Join(dir, "junit-jenkins.xsd"), "-")
	cmd.Stdin = bytes.NewReader(data)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// rule is what an element may have: all of its attributes, each matching a
// pattern, and children in this order.
type rule struct {
	attributes map[string]string
	optional   map[string]string
	children   []string // "name" once, "name?" at most once, "name*" any number
	text       bool
}

const anything, number, token = `(?s).*`, `\d+`, `\S.*`

// antRules are those of the reports of Ant's junitreport: every attribute of a
// suite is required, times have no zone, a case has one result at most.
var antRules = map[string]rule{
	"testsuites": {children: []string{"testsuite*"}},
	"testsuite": {
		attributes: map[string]string{
			"name": token, "package": token, "hostname": token, "id": number, "tests": number, "failures": number, "errors": number,
			"time": `\d+(\.\d+)?`, "timestamp": `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`,
		},
		optional: map[string]string{"skipped": number},
		children: []string{"properties", "testcase*", "system-out", "system-err"},
	},
	"properties": {children: []string{"property*"}},
	"property":   {attributes: map[string]string{"name": token, "value": anything}},
	"testcase": {
		attributes: map[string]string{"name": token, "classname": token, "time": `\d+(\.\d+)?`},
		children:   []string{"skipped?", "error?", "failure?"},
	},
	"skipped":    {text: true},
	"error":      {attributes: map[string]string{"type": anything}, optional: map[string]string{"message": anything}, text: true},
	"failure":    {attributes: map[string]string{"type": anything}, optional: map[string]string{"message": anything}, text: true},
	"system-out": {text: true},
	"system-err": {text: true},
}

// element is any element.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
	Text     string     `xml:",chardata"`
}

func antStructure(data []byte) error {
	var root element
	d := xml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&root); err != nil {
		return err
	}
	if t, err := d.Token(); !errors.Is(err, io.EOF) && strings.TrimSpace(fmt.Sprint(t)) != "" {
		if c, ok := t.(xml.CharData); !ok || len(bytes.TrimSpace(c)) > 0 {
			return fmt.Errorf("something follows the document: %v, %w", t, err)
		}
	}
	if root.XMLName.Local != "testsuites" {
		return fmt.Errorf("the document is a %s", root.XMLName.Local)
	}
	return root.obeys()
}

func (e element) obeys() error {
	name := e.XMLName.Local
	r, ok := antRules[name]
	if !ok {
		return fmt.Errorf("there is no element %s", name)
	}
	seen := map[string]bool{}
	for _, a := range e.Attrs {
		pattern, required := r.attributes[a.Name.Local]
		if !required {
			pattern, ok = r.optional[a.Name.Local]
			if !ok {
				return fmt.Errorf("%s has no attribute %s", name, a.Name.Local)
			}
		}
		if !regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(a.Value) {
			return fmt.Errorf("%s %s=%q does not match %s", name, a.Name.Local, a.Value, pattern)
		}
		seen[a.Name.Local] = true
	}
	for want := range r.attributes {
		if !seen[want] {
			return fmt.Errorf("%s lacks attribute %s", name, want)
		}
	}
	if !r.text && strings.TrimSpace(e.Text) != "" {
		return fmt.Errorf("%s has text %q", name, e.Text)
	}
	return e.order(r)
}

// order checks the children, and each of them; a case has one result at most,
// and a suite counts what it has.
func (e element) order(r rule) error {
	var order strings.Builder
	for _, c := range e.Children {
		order.WriteString(c.XMLName.Local + " ")
		if err := c.obeys(); err != nil {
			return err
		}
	}
	pattern := "^"
	for _, c := range r.children {
		bare := strings.TrimRight(c, "?*")
		pattern += "(?:" + regexp.QuoteMeta(bare) + " )" + c[len(bare):]
	}
	if !regexp.MustCompile(pattern + "$").MatchString(order.String()) {
		return fmt.Errorf("%s has %q, want %v", e.XMLName.Local, order.String(), r.children)
	}
	switch e.XMLName.Local {
	case "testcase":
		if len(e.Children) > 1 {
			return fmt.Errorf("a case has %d results", len(e.Children))
		}
	case "testsuite":
		return e.counts()
	}
	return nil
}

func (e element) counts() error {
	have := map[string]int{}
	for _, c := range e.Children {
		if c.XMLName.Local != "testcase" {
			continue
		}
		have["tests"]++
		for _, result := range c.Children {
			have[map[string]string{"failure": "failures", "error": "errors", "skipped": "skipped"}[result.XMLName.Local]]++
		}
	}
	for _, a := range e.Attrs {
		if slices.Contains([]string{"tests", "failures", "errors", "skipped"}, a.Name.Local) && a.Value != strconv.Itoa(have[a.Name.Local]) {
			return fmt.Errorf("suite says %s=%s and has %d", a.Name.Local, a.Value, have[a.Name.Local])
		}
	}
	return nil
}

// TestValidRefuses proves that the validation can fail.
func TestValidRefuses(t *testing.T) {
	const good = `<testsuites><testsuite name="a" tests="1" failures="1" errors="0" skipped="0" time="0" timestamp="2026-11-22T08:00:00" hostname="h" id="0" package="p">` +
		`<properties><property name="a" value=""/></properties><testcase name="a" classname="b" time="0"><failure message="m" type="t">x</failure></testcase><system-out/><system-err/></testsuite></testsuites>`
	if err := validJUnit(schemas, []byte(good)); err != nil {
		t.Errorf("good JUnit: %v", err)
	}
	for _, change := range [][2]string{
		{`timestamp="2026-11-22T08:00:00"`, `timestamp="2026-11-22T08:00:00Z"`},
		{` hostname="h"`, ``},
		{`failures="1"`, `failures="2"`},
		{`<testsuites>`, `<testsuites tests="1">`},
		{`<failure message="m" type="t">x</failure>`, `<skipped/><failure type="t"/>`},
		{`<system-err/>`, ``},
		{`</testsuites>`, ``},
	} {
		if err := validJUnit(schemas, []byte(strings.Replace(good, change[0], change[1], 1))); err == nil {
			t.Errorf("JUnit with %q for %q is valid", change[1], change[0])
		}
	}
	const twice = `{"ruleId":"a","message":{"text":"m"},"partialFingerprints":{"ims/v1":"a"}}`
	for _, bad := range []string{`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"ims"}},"results":[` + twice + `,` + twice + `]}]}`, `{}`, `{"version":"2.1.0","runs":[{"results":[]}]}`, `{"version":"2.1.0","runs":[],"more":1}`, `[`} {
		if err := validSARIF(schemas, []byte(bad)); err == nil {
			t.Errorf("SARIF %s is valid", bad)
		}
	}
	if err := validSARIF(schemas, []byte(`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"ims"}},"results":[]}]}`)); err != nil {
		t.Errorf("good SARIF: %v", err)
	}
}
