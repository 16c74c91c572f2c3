package config

import (
	"fmt"
	"os"
	"time"

	"example.org/ims/internal/strictyaml"
)

// Waiver accepts that a check of ims preflight does not pass, until it expires.
// Whether there is such a check is not known here.
type Waiver struct {
	ID      string // of the check
	Reason  string
	By      string    // who answers for it
	Expires time.Time // a date means the beginning of that day, UTC
	Line    int       // of the file
}

type waiverDoc struct {
	strictyaml.At
	ID      *text `yaml:"id"`
	Reason  *text `yaml:"reason"`
	By      *text `yaml:"by"`
	Expires *text `yaml:"expires"`
}

func (r *reader) waivers(list []waiverDoc) []Waiver {
	var out []Waiver
	taken := map[string]bool{}
	for i := range list {
		d := &list[i]
		w := Waiver{Line: d.Pos.Line}
		if id, ok := r.need(d.ID, d.Pos, "waivers.id"); ok {
			if w.ID = id.Value; taken[w.ID] {
				r.add(id.Pos, "duplicate", "check %q is waived twice", w.ID)
			}
			taken[w.ID] = true
		}
		if t, ok := r.need(d.Reason, d.Pos, "waivers.reason"); ok {
			w.Reason = t.Value
		}
		if t, ok := r.need(d.By, d.Pos, "waivers.by"); ok {
			w.By = t.Value
		}
		if t, ok := r.need(d.Expires, d.Pos, "waivers.expires"); ok {
			w.Expires = r.date(t, "expires")
		}
		out = append(out, w)
	}
	return out
}

// date is a day, or a moment.
func (r *reader) date(t text, what string) time.Time {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, t.Value); err == nil {
			return at
		}
	}
	r.add(t.Pos, "type", "%s wants a date such as 2027-01-31, or a moment as in RFC 3339, this is %q", what, t.Value)
	return time.Time{}
}

// LoadWaivers reads nothing but the waivers of a configuration, for somebody
// who judges saved facts on a machine that has neither the key files nor the
// users that the rest speaks of. What is no configuration at all, or may be
// written to by others, is refused as by Load.
func LoadWaivers(path string) ([]Waiver, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	var doc document
	r := &reader{file: path, sys: system{os.Stat, lookup}}
	r.mistakes = strictyaml.Decode(path, data, &doc)
	r.writable(strictyaml.Pos{File: path, Line: 1, Col: 1}, path)
	all := r.waivers(doc.Waivers)
	return all, r.mistakes.Err()
}
