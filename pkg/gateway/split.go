package gateway

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ParseSpaces reads address spaces as a runbook writes them, "TYPE:PATTERN COST"
// each. Their scope is not said: see [Scoped]. The error names the first text
// that is none.
func ParseSpaces(list []string) ([]Space, error) {
	spaces := []Space{}
	for _, s := range list {
		name, costText, _ := strings.Cut(s, " ")
		kind, pattern, ok := strings.Cut(name, ":")
		cost, err := strconv.Atoi(costText)
		if !ok || err != nil {
			return nil, fmt.Errorf("read address space %q: want TYPE:PATTERN COST", s)
		}
		spaces = append(spaces, Space{Type: kind, Pattern: pattern, Cost: cost})
	}
	return spaces, nil
}

// Scoped gives wanted address spaces the scope that they have now: that of the
// space which has the same pattern, or out of which they are split; of several
// the first. Without one a space is for the whole organization. Who shares the
// work of a gateway is to be seen by nobody who did not see the gateway
// (Q279404). The lists stay as they are.
func Scoped(list, now []Space) []Space {
	list = slices.Clone(list)
	for i := range list {
		best := -1
		for _, s := range now {
			if n := s.within(list[i]); n > best {
				best, list[i].Scope = n, s.Scope
			}
		}
	}
	return list
}

// within is how much of its pattern an address space has in common with another
// that lies within it, or -1.
func (s Space) within(of Space) int {
	has, pattern := strings.ToLower(s.Pattern), strings.ToLower(of.Pattern)
	rest, wild := strings.CutPrefix(has, "*")
	switch {
	case !strings.EqualFold(s.Type, of.Type):
	case has == pattern:
		return len(has) + 1 // more than any that is only within it
	case wild && strings.HasSuffix(pattern, rest):
		return len(rest)
	}
	return -1
}
