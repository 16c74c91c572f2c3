// Package report makes the evidence of a run: a bundle of files that machines
// read (the journal with its hash chain, the tracking log, the account of every
// message, facts, status, plan and comparison), and one page that people read,
// with the bundle inside it, so that the page alone is the evidence. Verify
// checks either without ims.yaml, a journal or a network.
//
// The page loads nothing and tells nobody that it was opened. What comes from
// strangers, such as addresses and replies, is escaped by html/template, and is
// data, never markup, to its script.
//
// The chain shows damage, omissions and careless edits. Whoever can rewrite all
// of it can forge it; against that, compare its head with one that was written
// down elsewhere: questions to people carry it.
package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"example.org/ims/internal/journal"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/ledger"
	"example.org/ims/pkg/machine"
)

// Input is what a report is made from.
type Input struct {
	Evidence runner.Evidence
	// Events is the whole tracking log, or the part of it about the run's
	// gateway; Present is what the gateway's stores held once the log had been
	// read up to Taken.
	Events  []ledger.Event
	Present []ledger.Item
	Taken   uint64
	// Untracked says why there is no tracking log; "" if there is one.
	Untracked string
	Version   string // of this program
}

// File is a file of the bundle.
type File struct {
	Name string
	Data []byte
}

// Names of the bundle's files.
const (
	journalName  = "journal.jsonl"
	trackingName = "tracking.jsonl"
	presentName  = "present.json"
	ledgerName   = "ledger.csv"
	factsName    = "facts.json"
	statusName   = "status.json"
	planName     = "plan.json"
	compareName  = "compare.json"
	manifestName = "manifest.json"
)

// Report is a finished report.
type Report struct {
	Files []File // of the bundle, the manifest last
	HTML  []byte
}

// Message is what became of one message for one recipient.
type Message struct {
	ID, Rcpt, From, Fate, Why, Report, Peer string
	Entered, Ended                          time.Time // zero if unknown
	Inbound, Generated                      bool
}

// Make makes the report of a run.
func Make(in Input) (*Report, error) {
	verified, err := journal.VerifyExport(bytes.NewReader(in.Evidence.Export))
	if err != nil {
		return nil, err
	}
	s := &in.Evidence.Status
	book := ledger.NewBook(s.Gateway)
	book.Add(in.Events...)
	all := messages(book, in.Events, s.Gateway)
	files := []File{{journalName, in.Evidence.Export}}
	add := func(name string, v any) {
		raw, encErr := json.MarshalIndent(v, "", "  ")
		if encErr != nil {
			err = fmt.Errorf("encode %s: %w", name, encErr)
		}
		files = append(files, File{name, append(raw, '\n')})
	}
	if in.Untracked == "" {
		var track bytes.Buffer
		for _, e := range in.Events {
			if e.Gateway != s.Gateway {
				continue
			}
			raw, encErr := json.Marshal(e)
			if encErr != nil {
				return nil, fmt.Errorf("encode tracking log: %w", encErr)
			}
			track.Write(append(raw, '\n'))
		}
		files = append(files, File{trackingName, track.Bytes()}, File{ledgerName, ledgerCSV(all)})
		if in.Present == nil {
			in.Present = []ledger.Item{}
		}
		add(presentName, in.Present)
	}
	add(factsName, s.Facts)
	add(statusName, s)
	files = append(files, kept(in.Evidence)...)
	if err != nil {
		return nil, err
	}
	manifest, err := newManifest(in, verified, files)
	if err != nil {
		return nil, err
	}
	files = append(files, manifest)
	archive, err := Zip(files)
	if err != nil {
		return nil, err
	}
	html, err := page(in, verified, book.Ledger(in.Present, in.Taken), all, archive)
	return &Report{Files: files, HTML: html}, err
}

// kept are the files that are in the bundle as the journal has them.
func kept(e runner.Evidence) []File {
	var files []File
	for _, f := range []File{{planName, e.Plan}, {compareName, e.Compared}} {
		if f.Data != nil {
			files = append(files, f)
		}
	}
	return files
}

// messages lists every pair that the gateway took, with what the log says of it.
func messages(book *ledger.Book, events []ledger.Event, gateway string) []Message {
	type key struct{ id, rcpt string }
	seen := map[key]*Message{}
	for _, e := range events {
		if e.Gateway != gateway {
			continue
		}
		for _, rcpt := range e.Rcpts {
			k := key{e.Message, rcpt}
			m := seen[k]
			if m == nil {
				m = &Message{ID: e.Message, Rcpt: rcpt}
				seen[k] = m
			}
			switch e.Kind {
			case ledger.Accepted, ledger.Generated:
				m.Entered, m.From, m.Inbound, m.Generated = e.At, e.From, e.Inbound, e.Kind == ledger.Generated
			case ledger.Delivered, ledger.Failed, ledger.Absorbed, ledger.Deleted, ledger.Redirected:
				m.Ended, m.Peer = e.At, e.Peer
			case ledger.Moved, ledger.Attempted, ledger.Operated:
			}
		}
	}
	fates := book.Fates()
	all := make([]Message, len(fates))
	for i, f := range fates {
		all[i] = *seen[key{f.Message, f.Rcpt}]
		all[i].Fate, all[i].Why, all[i].Report = f.End, f.Why, f.Report
		if f.End == "here" {
			all[i].Fate, all[i].Peer = "present", f.Store
		}
	}
	return all
}

// csvHead are the columns of ledger.csv.
func csvHead() []string {
	return []string{"message", "recipient", "from", "direction", "entered", "fate", "ended", "peer", "report", "why"}
}

func (m *Message) row() []string {
	direction := "outbound"
	switch {
	case m.Generated:
		direction = "report"
	case m.Inbound:
		direction = "inbound"
	}
	return []string{m.ID, m.Rcpt, m.From, direction, stamp(m.Entered), m.Fate, stamp(m.Ended), m.Peer, m.Report, m.Why}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// ledgerCSV is the account as a spreadsheet reads it. A cell that it would take
// for a formula begins with an apostrophe.
func ledgerCSV(all []Message) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(csvHead()) // a buffer takes everything
	for i := range all {
		row := all[i].row()
		for j, cell := range row {
			if strings.ContainsAny(cell[:min(len(cell), 1)], "=+-@\t\r") {
				row[j] = "'" + cell
			}
		}
		_ = w.Write(row)
	}
	w.Flush()
	return b.Bytes()
}

// decisions are what people were asked and answered.
type decision struct {
	At                                 time.Time
	State, Actor, What, Comment, Names string
}

func decisions(records []machine.Record) []decision {
	var all []decision
	for _, r := range records {
		d := decision{At: r.At, State: r.Detail.State, Actor: r.Detail.Actor, Comment: r.Detail.Comment}
		switch {
		case r.Kind == machine.Voted:
			d.What = "approved, one of several: " + r.Detail.Choice
		case r.Kind == machine.Answered.String() && r.Event.Answer == machine.Granted:
			d.What = "approved: " + r.Detail.Choice
		case r.Kind == machine.Answered.String():
			d.What = "rejected"
		case r.Kind == machine.Continue.String(), r.Kind == machine.Abort.String(), r.Kind == machine.Paused, r.Kind == machine.Unpaused, r.Kind == machine.Noted:
			d.What = r.Kind
		default:
			continue
		}
		if n := len(r.Detail.Names); n > 0 {
			d.Names = strconv.Itoa(n) + " by name: " + strings.Join(r.Detail.Names[:min(n, 20)], ", ")
		}
		all = append(all, d)
	}
	return all
}
