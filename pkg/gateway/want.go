package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Check says what is wrong with a change before anything is touched. Its
// errors wrap [ErrRefused].
func (c Change) Check() error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("check change %q: %s: %w", c.Key, fmt.Sprintf(format, args...), ErrRefused)
	}
	if c.Key == "" {
		return refuse("it has no key")
	}
	if n := c.Want.fields(); n != 1 {
		return refuse("it wants %d things, not one", n)
	}
	switch w := c.Want; {
	case w.Settings != nil:
		if why := w.Settings.wrong(); why != "" {
			return refuse("%s", why)
		}
	case w.Running != nil && *w.Running > PausedState:
		return refuse("unknown run state %d", *w.Running)
	case w.Spaces != nil:
		for _, s := range *w.Spaces {
			if s.Type == "" || s.Cost < 1 || s.Cost > 100 || s.Scope > ScopeLocation {
				return refuse("address space %q: wants a type, a cost within 1 and 100, a known scope", s.Pattern)
			}
		}
	case w.Sites != nil:
		for _, s := range *w.Sites {
			if s.Name == "" || s.Cost < 1 || s.Cost > 100 {
				return refuse("connected site %q: wants a name and a cost within 1 and 100", s.Name)
			}
		}
	}
	return nil
}

// MarshalJSON writes a wanted list that is nil as an empty one: null would be
// read back as nothing wanted.
func (w Want) MarshalJSON() ([]byte, error) {
	type plain Want
	if w.Spaces != nil && *w.Spaces == nil {
		w.Spaces = &[]Space{}
	}
	if w.Sites != nil && *w.Sites == nil {
		w.Sites = &[]Site{}
	}
	return json.Marshal(plain(w))
}

func (w Want) fields() int {
	n := 0
	for _, set := range []bool{w.Settings != nil, w.Running != nil, w.Spaces != nil, w.Sites != nil, w.Absent != nil} {
		if set {
			n++
		}
	}
	return n
}

// wrong says what no gateway can be set to, or "".
func (p SettingsPatch) wrong() string {
	negative := func(d time.Duration) bool { return d < 0 }
	switch {
	case p.Mode != nil && *p.Mode > None:
		return fmt.Sprintf("unknown transfer mode %d", *p.Mode)
	case p.Refuse != nil && *p.Refuse > RefuseClosed:
		return fmt.Sprintf("unknown way to refuse %d", *p.Refuse)
	case p.Retry != nil && slices.ContainsFunc(*p.Retry, negative):
		return "a retry interval is negative"
	case p.Timeouts != nil && min(p.Timeouts.Urgent, p.Timeouts.Normal, p.Timeouts.NonUrgent, p.Timeouts.Report) < 0:
		return "a time-out is negative"
	case p.MaxSize != nil && *p.MaxSize < 0:
		return "the largest size is negative"
	case p.MaxInbound != nil && *p.MaxInbound < 0, p.MaxOutbound != nil && *p.MaxOutbound < 0:
		return "a number of sessions is negative"
	}
	return p.wrongLists()
}

// Patch returns s with what p names. Neither is modified, nothing is shared.
func (s Settings) Patch(p SettingsPatch) Settings {
	set(&s.Mode, p.Mode)
	set(&s.Refuse, p.Refuse)
	set(&s.Retry, p.Retry)
	set(&s.Timeouts, p.Timeouts)
	set(&s.ForwardHost, p.ForwardHost)
	set(&s.DomainHosts, p.DomainHosts)
	set(&s.MaxSize, p.MaxSize)
	set(&s.MaxInbound, p.MaxInbound)
	set(&s.MaxOutbound, p.MaxOutbound)
	set(&s.Reroute, p.Reroute)
	set(&s.Accept, p.Accept)
	set(&s.Relay, p.Relay)
	set(&s.ETRN, p.ETRN)
	s.Retry, s.DomainHosts = slices.Clone(s.Retry), maps.Clone(s.DomainHosts)
	s.Reroute, s.ETRN = maps.Clone(s.Reroute), maps.Clone(s.ETRN)
	s.Accept, s.Relay = slices.Clone(s.Accept), slices.Clone(s.Relay)
	return s
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// Equal reports whether s and o mean the same: an empty list is a nil one.
func (s Settings) Equal(o Settings) bool {
	return s.Mode == o.Mode && s.Refuse == o.Refuse && slices.Equal(s.Retry, o.Retry) &&
		s.Timeouts == o.Timeouts && s.ForwardHost == o.ForwardHost &&
		maps.Equal(s.DomainHosts, o.DomainHosts) && s.MaxSize == o.MaxSize &&
		s.MaxInbound == o.MaxInbound && s.MaxOutbound == o.MaxOutbound &&
		maps.Equal(s.Reroute, o.Reroute) && slices.Equal(s.Accept, o.Accept) &&
		slices.Equal(s.Relay, o.Relay) && maps.Equal(s.ETRN, o.ETRN)
}

// Words are the part of c that w is about, for Op.Before and Op.After.
func (w Want) Words(c Config) string {
	switch {
	case !c.Exists:
		return "absent"
	case w.Settings != nil:
		s := w.Settings.words(c.Stored)
		if e := w.Settings.words(c.Effective); c.Running && e != s {
			s += " (in effect: " + e + ")"
		}
		return s
	case w.Spaces != nil:
		list := make([]string, len(c.Spaces))
		for i, s := range c.Spaces {
			list[i] = fmt.Sprintf("%s:%s cost %d scope %s", s.Type, s.Pattern, s.Cost, s.Scope)
		}
		return words(list)
	case w.Sites != nil:
		list := make([]string, len(c.Sites))
		for i, s := range c.Sites {
			list[i] = fmt.Sprintf("%s cost %d via %s", s.Name, s.Cost, s.RoutingAddress)
		}
		return words(list)
	case w.Absent != nil:
		return "present"
	case c.Paused:
		return PausedState.String()
	case c.Running:
		return Started.String()
	}
	return Stopped.String()
}

// words are those settings of s that p names.
func (p SettingsPatch) words(s Settings) string {
	var list []string
	add := func(asked bool, name string, value any) {
		if asked {
			list = append(list, fmt.Sprintf("%s %v", name, value))
		}
	}
	t := s.Timeouts
	add(p.Mode != nil, "mode", s.Mode)
	add(p.Refuse != nil, "refuse", s.Refuse)
	add(p.Retry != nil, "retry", s.Retry)
	add(p.Timeouts != nil, "time-outs",
		fmt.Sprintf("urgent %v normal %v non-urgent %v report %v", t.Urgent, t.Normal, t.NonUrgent, t.Report))
	add(p.ForwardHost != nil, "forward host", orNone(s.ForwardHost))
	add(p.DomainHosts != nil, "domain hosts", tableWords(s.DomainHosts))
	add(p.MaxSize != nil, "largest size", s.MaxSize)
	add(p.MaxInbound != nil, "sessions in", s.MaxInbound)
	add(p.MaxOutbound != nil, "sessions out", s.MaxOutbound)
	add(p.Reroute != nil, "rerouted domains", tableWords(s.Reroute))
	add(p.Accept != nil, "hosts that may connect", s.Accept)
	add(p.Relay != nil, "networks that may relay", s.Relay)
	add(p.ETRN != nil, "sent on demand", tableWords(s.ETRN))
	return words(list)
}

// tableWords is a table in order of its keys.
func tableWords(t map[string]string) string {
	list := make([]string, 0, len(t))
	for _, k := range slices.Sorted(maps.Keys(t)) {
		list = append(list, k+"="+t[k])
	}
	return "[" + strings.Join(list, " ") + "]"
}

func words(list []string) string { return orNone(strings.Join(list, ", ")) }

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
