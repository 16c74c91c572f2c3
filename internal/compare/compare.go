// Package compare says which settings of a gateway its successor has taken over
// (Q285090: "ensure that the previous Internet Mail Service settings have been
// transferred"), which differ, and which somebody has waived. It is pure:
// configurations in, a report out.
//
// Taken over means that the successor does at least as much: its mode includes
// the directions, its size limit is no smaller, its tables and lists have the
// entries; intervals and time-outs are the same. What the successor has beyond
// that is its own. The domains that are accepted are the organization's and no
// setting of a gateway, so they are not compared here.
package compare

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/setting"
	"example.org/ims/pkg/gateway"
)

// Prefix begins the id of a waiver of a setting: compare:retry.
const Prefix = "compare:"

// Verdict of a setting.
type Verdict string

// Verdicts.
const (
	Transferred Verdict = "transferred"
	Different   Verdict = "different"
	Waived      Verdict = "waived"
)

// IDs beside those of package setting.
const (
	Spaces setting.ID = "spaces"
	Sites  setting.ID = "sites"
)

// Side is one of the two gateways.
type Side struct {
	Config gateway.Config
	Site   string // where it stands
}

// Waiver accepts that a setting differs, until it expires.
type Waiver struct {
	ID      string    `json:"id"`
	Reason  string    `json:"reason"`
	By      string    `json:"by"`
	Expires time.Time `json:"expires"`
}

// Line is the verdict on one setting.
type Line struct {
	ID      setting.ID `json:"id"`
	Title   string     `json:"title"`
	Verdict Verdict    `json:"verdict"`
	Old     string     `json:"old"`
	New     string     `json:"new"`
	Why     string     `json:"why,omitempty"`    // what is missing, or why a difference does not matter
	Fix     []string   `json:"fix,omitempty"`    // commands that transfer it
	Waiver  *Waiver    `json:"waiver,omitempty"` // of a waived one, or one that expired
}

// Report is a comparison.
type Report struct {
	Old     string `json:"old"`
	New     string `json:"new"`
	Lines   []Line `json:"lines"`
	Differs int    `json:"differs"` // settings that differ and are not waived

	Unused []Unused `json:"unused,omitempty"` // waivers that waive nothing
}

// Unused is a waiver of a setting that waives nothing, and why.
type Unused struct {
	Waiver
	Why string `json:"why"`
}

// Differing names the settings that differ and are not waived.
func (r Report) Differing() []string {
	names := []string{}
	for _, l := range r.Lines {
		if l.Verdict == Different {
			names = append(names, string(l.ID))
		}
	}
	return names
}

// Compare compares what is stored of the old gateway with what is stored, and in
// effect, of the new one. Waivers are for this pair in this direction; those for
// other checks do not matter.
func Compare(old, next Side, waivers []Waiver, now time.Time) Report {
	r := Report{Old: old.Config.Name, New: next.Config.Name, Lines: []Line{}}
	p := pair{old: old, next: next, reason: "Q285090: as " + old.Config.Name + " has it"}
	for _, one := range setting.All() {
		r.Lines = append(r.Lines, p.setting(one))
	}
	r.Lines = append(r.Lines, p.spaces(), p.sites())
	for i := range r.Lines {
		l := &r.Lines[i]
		if l.Verdict != Different {
			continue
		}
		for _, w := range waivers {
			if w.ID == Prefix+string(l.ID) {
				l.Waiver = &w
			}
		}
		if l.Waiver != nil && now.Before(l.Waiver.Expires) {
			l.Verdict = Waived
			continue
		}
		r.Differs++
	}
	r.unused(waivers)
	return r
}

// unused names the waivers of settings that do not differ.
func (r *Report) unused(waivers []Waiver) {
	for _, w := range waivers {
		of := func(l Line) bool { return Prefix+string(l.ID) == w.ID }
		i := slices.IndexFunc(r.Lines, of)
		switch {
		case !strings.HasPrefix(w.ID, Prefix):
		case i < 0:
			r.Unused = append(r.Unused, Unused{w, "there is no such setting"})
		case r.Lines[i].Verdict == Transferred:
			r.Unused = append(r.Unused, Unused{w, "not needed: the setting does not differ"})
		}
	}
}

// pair is the two gateways under comparison.
type pair struct {
	old, next Side
	reason    string
}

// setting compares one setting of the pages. What is stored and not yet in
// effect is not taken over yet.
func (p pair) setting(one setting.Setting) Line {
	old, next := p.old.Config.Stored, p.next.Config.Stored
	l := Line{ID: one.ID, Title: one.Title, Verdict: Transferred, Old: one.Text(old), New: one.Text(next)}
	want, why := p.take(one, next)
	if one.Text(want) != one.Text(next) {
		l.Verdict, l.Why = Different, why
		l.Fix = []string{setting.Command(p.next.Config.Name, want, []setting.ID{one.ID}, p.reason)}
		return l
	}
	if l.Old != l.New {
		l.Why = why
	}
	if c := p.next.Config; c.Running {
		if want, _ := p.take(one, c.Effective); one.Text(want) != one.Text(c.Effective) {
			l.Verdict, l.Why = Different, fmt.Sprintf("stored, and not in effect before %s is restarted", c.Name)
			l.Fix = []string{fmt.Sprintf("ims gateway restart %s --reason %s", setting.Quote(c.Name), setting.Quote(p.reason))}
		}
	}
	return l
}
