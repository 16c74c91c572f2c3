package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/compare"
	"example.org/ims/internal/journal"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/ledger"
	"example.org/ims/pkg/machine"
)

//go:embed page.html
var pageText string

// visit is one stay in a state, with what people said meanwhile.
type visit struct {
	runner.Visit
	Took      string
	Decisions []decision
}

// term is one number of the conservation law.
type term struct {
	Name string
	N    int
}

// fact is a fact as it was observed last.
type fact struct{ Name, Value, Doc string }

// view is what the page shows.
type view struct {
	Status            *runner.Status
	Runbook           string // title
	Origin            string
	Made              time.Time
	Version, Head     string
	Records           int64
	Verdict           string
	Good              bool
	Drain, Timeline   template.HTML
	Visits            []visit
	Other             []decision // in no visit
	In, Out           []term
	Unaccounted       int
	Absorbed, Strayed []string
	Untracked         string
	Facts             []fact
	Plan              *planned
	Compare           *compare.Report
	Undo              runner.Undo
	Messages          template.JS // rows, as csvHead has the columns
	Count             int
	Bundle            template.HTML
}

func page(in Input, v journal.Verified, l ledger.Ledger, all []Message, archive []byte) ([]byte, error) {
	s := &in.Evidence.Status
	rows := make([][]string, len(all))
	for i := range all {
		rows[i] = all[i].row()
	}
	raw, err := json.Marshal(rows) // escapes <, > and &, so nothing ends the script
	if err != nil {
		return nil, fmt.Errorf("encode messages: %w", err)
	}
	a := axis{s.Opened, in.Evidence.At}
	if s.Closed != nil {
		a.to = *s.Closed
	}
	samples := series(in.Evidence.Records, silence(in.Evidence.Book), a.to)
	w := view{
		Status: s, Runbook: in.Evidence.Book.Doc.Metadata.Title.Value, Origin: in.Evidence.Book.Doc.Metadata.Origin.Value,
		Made: in.Evidence.At, Version: in.Version, Head: v.Head.String(), Records: v.Seq, Untracked: in.Untracked,
		Undo: s.Undo, Messages: template.JS(raw), Count: len(all), //nolint:gosec // JSON
		Unaccounted: l.Unaccounted + len(l.Conflicts), Facts: factsOf(s.Facts),
	}
	if err := w.beside(in.Evidence); err != nil {
		return nil, err
	}
	w.Visits, w.Other = visits(s, in.Evidence.Records)
	w.Drain, w.Timeline = drainChart(samples, a), timeline(samples, w.Visits, a)
	w.In = []term{{"accepted", l.Accepted}, {"generated", l.Generated}}
	w.Out = []term{
		{"delivered", l.Delivered},
		{"returned", l.Returned},
		{"absorbed", l.Absorbed},
		{"deleted", l.Deleted},
		{"redirected", l.Redirected},
		{"present", l.Present},
	}
	w.Absorbed, w.Strayed = findings(l.AbsorbedPairs), findings(append(l.UnaccountedPairs, l.Conflicts...))
	w.Verdict, w.Good = verdict(s, in.Untracked, w.Unaccounted)
	w.Bundle = template.HTML(bundleBegin + base64.StdEncoding.EncodeToString(archive) + bundleEnd) //nolint:gosec // base64
	t, err := template.New("page").Funcs(template.FuncMap{"time": when, "join": strings.Join}).Parse(pageText)
	if err != nil {
		return nil, fmt.Errorf("read page: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, w); err != nil {
		return nil, fmt.Errorf("write page: %w", err)
	}
	return b.Bytes(), nil
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// verdict is the report in a sentence.
func verdict(s *runner.Status, untracked string, unaccounted int) (string, bool) {
	switch {
	case !s.Ended():
		return "The run has not ended: it is in " + s.State + ".", false
	case untracked != "":
		return "The run ended: " + s.Outcome + ". Whether every message is accounted for cannot be said: " + untracked + ".", false
	case unaccounted > 0:
		return fmt.Sprintf("The run ended: %s. %d messages are unaccounted for.", s.Outcome, unaccounted), false
	}
	return "The run ended: " + s.Outcome + ". Every message is accounted for.", s.Outcome != machine.FailedRun.String()
}

// visits are the stays with the decisions that fell in each.
func visits(s *runner.Status, records []machine.Record) (all []visit, other []decision) {
	for _, v := range s.Visits {
		one := visit{Visit: v}
		if !v.Left.IsZero() {
			one.Took = v.Left.Sub(v.Entered).Round(time.Millisecond).String()
		}
		all = append(all, one)
	}
	for _, d := range decisions(records) {
		i := len(all) - 1
		for i >= 0 && (all[i].Entered.After(d.At) || d.State != "" && all[i].State != d.State) {
			i--
		}
		if i < 0 {
			other = append(other, d)
			continue
		}
		all[i].Decisions = append(all[i].Decisions, d)
	}
	return all, other
}

func findings(list []ledger.Finding) []string {
	var words []string
	for _, f := range list {
		words = append(words, f.String())
	}
	return words
}

func factsOf(values map[string]string) []fact {
	var all []fact
	for _, name := range slices.Sorted(maps.Keys(values)) {
		id, ok := facts.Lookup(name)
		if !ok {
			continue
		}
		all = append(all, fact{name, values[name], id.Definition().Doc})
	}
	return all
}
