package preflight

import (
	"slices"
	"strings"
	"time"

	"example.org/ims/pkg/facts"
)

// Setting is one that the successor has not taken over, whether or not that is
// waived.
type Setting struct {
	ID    string `json:"id"` // as waivers name it: compare:retry
	Title string `json:"title"`
	Why   string `json:"why,omitempty"`
}

func (s Setting) String() string {
	if s.Why == "" {
		return s.Title
	}
	return s.Title + ", " + s.Why
}

// waived is the snapshot under these waivers: what was observed counts settings
// less those that the configuration of then waived. Facts of another version do
// not say which they are, and stay as they are.
func (s *Snapshot) waived(all []Waiver, now time.Time) *Snapshot {
	i := slices.IndexFunc(s.Facts, func(f Fact) bool { return f.Name == facts.NextDiffers.String() })
	if s.Compared == nil || i < 0 || s.Facts[i].Provenance == facts.NotKnown {
		return s
	}
	c := *s
	notTaken := s.Successor + " has not taken over: "
	c.Notes = slices.DeleteFunc(slices.Clone(s.Notes), func(n string) bool { return strings.HasPrefix(n, notTaken) })
	open := s.open(all, now)
	for _, one := range open {
		c.Notes = append(c.Notes, notTaken+one.String())
	}
	c.Facts = slices.Clone(s.Facts)
	c.Facts[i].Value = facts.NextDiffers.Format(facts.Int(int64(len(open))))
	return &c
}

// settled says what a waiver of a setting does.
func (r *Report) settled(w Waiver, s *Snapshot) (used bool, note string) {
	if r.Removed != nil {
		return false, "not needed: the gateway was removed already"
	}
	for _, one := range s.Compared {
		if one.ID == w.ID {
			return true, "waives that " + s.Successor + " has not taken over: " + one.String()
		}
	}
	if s.Compared == nil {
		return false, "of a setting: ims compare says what it does"
	}
	return false, "not needed: the setting does not differ"
}
