package preflight

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/ims/pkg/facts"
)

// open are the settings that count as not taken over under some waivers.
func (s *Snapshot) open(all []Waiver, now time.Time) []Setting {
	waived := func(one Setting) bool {
		return slices.ContainsFunc(all, func(w Waiver) bool { return w.ID == one.ID && w.Aside == "" && now.Before(w.Expires) })
	}
	return slices.DeleteFunc(slices.Clone(s.Compared), waived)
}

// members are what a fact counts, or is about, by name: settings, domains, address
// spaces and connected sites. It is nil if the snapshot does not name them.
func (s *Snapshot) members(id facts.ID) []string {
	var out []string
	switch id {
	case facts.NextDiffers:
		for _, one := range s.differs {
			out = append(out, one.ID)
		}
	case facts.NextCoversIn:
		for i := range s.Inbound.List {
			d := &s.Inbound.List[i]
			if said := d.New.Known.Reply; said != "" && said != accepts && slices.Contains(s.Domains, d.Name) {
				out = append(out, d.Name)
			}
		}
	case facts.RouteUncovered, facts.RouteSwallowed:
		for _, p := range s.Outbound.Parts {
			if p.Verdict != "covered" && (id == facts.RouteUncovered || p.Blackhole != "") {
				out = append(out, strings.TrimSuffix(p.Name+"@"+p.From, "@"))
			}
		}
	case facts.RouteDependents:
		for _, d := range s.Dependents {
			for _, n := range d.Names {
				out = append(out, d.Gateway+": "+n.What)
			}
		}
	default:
	}
	return out
}

// worse says what a check has that it had not in an earlier report: something that
// it names, or a greater count of something configured. Counts of mail move from
// one minute to the next, and are not compared. It is "" if there is nothing.
func (c *Check) worse(was *Check) string {
	if len(c.Members) > 0 && len(was.Members) > 0 {
		added := slices.DeleteFunc(slices.Clone(c.Members), func(m string) bool { return slices.Contains(was.Members, m) })
		if len(added) > 0 {
			return "not in the baseline: " + strings.Join(added, ", ")
		}
	}
	for _, words := range c.Facts {
		name, n, ok := counted(words)
		if !ok {
			continue
		}
		for _, before := range was.Facts {
			if same, m, ok := counted(before); ok && same == name && n > m {
				return fmt.Sprintf("%s was %d in the baseline", name, m)
			}
		}
	}
	return ""
}

// counted reads the words of a fact that counts something configured.
func counted(words string) (name string, n int64, ok bool) {
	name, value, _ := strings.Cut(words, " = ")
	id, known := facts.Lookup(name)
	if !known || id.Definition().Class != facts.Config || id.Definition().Type != facts.TypeInt {
		return name, 0, false
	}
	n, err := strconv.ParseInt(value, 10, 64)
	return name, n, err == nil
}
