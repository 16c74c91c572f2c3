// Package notify tells people what happens in runs that last for weeks: by a
// program, an HTTP request, or a mail. It never holds a run up. What is to be
// told is derived from the run's journal and kept in a file of its own until
// each target has taken it, so that a crash loses nothing.
//
// Each notification has an id that says what happened, and is given to a target
// once. Only if this process dies between a target's taking it and the note of
// that, the target is told again, with the same id and a higher attempt.
//
// It decides nothing, knows no gateway, and shows nothing that the journal does
// not hold.
package notify

import (
	"fmt"
	"strings"
	"text/template"
	"time"
)

// Kind is why people are told.
type Kind string

// The kinds.
const (
	Approval   Kind = "approval"    // a question is put to people
	Operator   Kind = "operator"    // the run waits for its operator
	Stalled    Kind = "stalled"     // a count does not fall, or a wait takes too long
	Drift      Kind = "drift"       // somebody changed what the run had set
	LateClient Kind = "late-client" // a client does not follow MX
	Finished   Kind = "finished"    // the run has ended
	Digest     Kind = "digest"      // where a run stands that soaks
	Test       Kind = "test"        // somebody tries the targets
)

// Kinds lists every kind that a target can choose.
func Kinds() []Kind {
	return []Kind{Approval, Operator, Stalled, Drift, LateClient, Finished, Digest}
}

// Notification is one thing that people are told, and what a template sees.
type Notification struct {
	ID        string    `json:"id"` // RUN/KIND/NUMBER, the same over attempts
	Kind      Kind      `json:"kind"`
	Run       string    `json:"run"`
	Runbook   string    `json:"runbook"`
	Gateway   string    `json:"gateway"`
	Successor string    `json:"successor,omitempty"`
	State     string    `json:"state"`
	Title     string    `json:"title"` // of the state
	At        time.Time `json:"at"`    // when it happened
	Text      string    `json:"text"`  // what happened, in a sentence
	Command   string    `json:"command,omitempty"`
	Lines     []string  `json:"lines,omitempty"`   // evidence
	Attempt   int       `json:"attempt,omitempty"` // above 1, it may be a repetition
}

// DefaultText is the template of a target that has none.
const DefaultText = `ims: {{.Run}}: {{.Text}}{{if .Command}}; {{.Command}}{{end}}`

// Template reads a template and tries it on an example.
func Template(text string) (*template.Template, error) {
	t, err := template.New("notify").Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, err
	}
	return t, t.Execute(&strings.Builder{}, example("test"))
}

// example is a notification to try a target with.
func example(id string) Notification {
	return Notification{
		ID: id, Kind: Test, Run: "test", Runbook: "q285090", Gateway: "east", Successor: "west", State: "confirm",
		Title: "Somebody says that the gateway may go", At: time.Now(), Text: "this is a test, nothing happened",
		Command: "ims status", Lines: []string{"nothing is queued"},
	}
}

// render fills a template in.
func render(t *template.Template, n Notification) (string, error) {
	var b strings.Builder
	if err := t.Execute(&b, n); err != nil {
		return "", fmt.Errorf("fill in template: %w", err)
	}
	return b.String(), nil
}
