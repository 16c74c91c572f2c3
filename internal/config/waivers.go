package config

import (
	"fmt"
	"os"
	"strings"
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

	// Gateway and Successor are the pair that it is for; "" is for any. A waiver of
	// a setting that names no gateway is for the pair of retire, and without one
	// for none: what one gateway may lack is not what the other may.
	Gateway, Successor string
}

// settings begins the ids of settings that ims compare judges.
const settings = "compare:"

// Aside says why a waiver does not count when a gateway is retired in favour of a
// successor, or "" if it does.
func (w Waiver) Aside(gateway, successor string) string {
	named := w.Gateway == "" || w.Gateway == gateway
	switch {
	case w.Gateway == "" && strings.HasPrefix(w.ID, settings):
		return "it does not say whose setting may be lost: add gateway: NAME to it, or set retire.default"
	case named && (w.Successor == "" || w.Successor == successor):
		return ""
	case w.Successor == "":
		return "it is for " + w.Gateway
	case w.Gateway == "":
		return "it is for the successor " + w.Successor
	}
	return "it is for " + w.Gateway + " -> " + w.Successor
}

// paired gives the waivers of settings that name no gateway to the pair of
// retire.
func paired(all []Waiver, gateway, successor string) []Waiver {
	for i := range all {
		if w := &all[i]; w.Gateway == "" && w.Successor == "" && strings.HasPrefix(w.ID, settings) && gateway != "" {
			w.Gateway, w.Successor = gateway, successor
		}
	}
	return all
}

type waiverDoc struct {
	strictyaml.At
	ID      *text `yaml:"id"`
	Reason  *text `yaml:"reason"`
	By      *text `yaml:"by"`
	Expires *text `yaml:"expires"`

	Gateway   *text `yaml:"gateway"`
	Successor *text `yaml:"successor"`
}

func (r *reader) waivers(list []waiverDoc) []Waiver {
	var out []Waiver
	taken := map[string]bool{}
	for i := range list {
		d := &list[i]
		w := Waiver{Line: d.Pos.Line, Gateway: value(d.Gateway, ""), Successor: value(d.Successor, "")}
		if id, ok := r.need(d.ID, d.Pos, "waivers.id"); ok {
			w.ID = id.Value
			one := strings.Join([]string{w.ID, w.Gateway, w.Successor}, " ")
			if taken[one] {
				r.add(id.Pos, "duplicate", "check %q is waived twice", w.ID)
			}
			taken[one] = true
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

// waived wants the gateways that waivers name to be there.
func (r *reader) waived(list []waiverDoc, c *Config) {
	var names []string
	for _, g := range c.Gateways {
		names = append(names, g.Name)
	}
	for i := range list {
		for _, t := range []*text{list[i].Gateway, list[i].Successor} {
			if t != nil && t.Value != "" {
				r.known(*t, "gateway", names)
			}
		}
	}
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
	all := paired(r.waivers(doc.Waivers), value(doc.Retire.Default, ""), value(doc.Retire.Successor, ""))
	return all, r.mistakes.Err()
}
