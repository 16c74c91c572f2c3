package gateway

import (
	"fmt"
	"strings"
)

var modeNames = [...]string{"inbound-outbound", "inbound-only", "outbound-only", "none"}

func (m Mode) String() string { return name(modeNames[:], uint8(m)) }

// Title is the mode as a person reads it: None says that it flushes queues.
func (m Mode) Title() string {
	if m == None {
		return "none (flush queues)"
	}
	return m.String()
}

// MarshalText writes the mode's name.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a mode's name.
func (m *Mode) UnmarshalText(b []byte) error {
	i, err := index("transfer mode", modeNames[:], string(b))
	*m = Mode(i)
	return err
}

var storeNames = [...]string{"mta", "mts-out", "out", "in", "mts-in", "bad", "hold", "corrupt"}

var storeTitles = [...]string{
	"MTA queue for this gateway",
	"Outbound messages awaiting conversion",
	"Outbound messages awaiting delivery",
	"Inbound messages awaiting conversion",
	"Inbound messages awaiting delivery",
	"Bad", "Hold", "Corrupt",
}

func (s Store) String() string { return name(storeNames[:], uint8(s)) }

// Title is the store's name on the Queues page.
func (s Store) Title() string { return name(storeTitles[:], uint8(s)) }

// MarshalText writes the store's name.
func (s Store) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a store's name.
func (s *Store) UnmarshalText(b []byte) error {
	i, err := index("store", storeNames[:], string(b))
	*s = Store(i)
	return err
}

var refuseNames = [...]string{"rcpt", "connect", "closed"}

func (r Refuse) String() string { return name(refuseNames[:], uint8(r)) }

// MarshalText writes the way's name.
func (r Refuse) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a way's name.
func (r *Refuse) UnmarshalText(b []byte) error {
	i, err := index("way to refuse", refuseNames[:], string(b))
	*r = Refuse(i)
	return err
}

var scopeNames = [...]string{"organization", "site", "location"}

func (s Scope) String() string { return name(scopeNames[:], uint8(s)) }

// MarshalText writes the scope's name.
func (s Scope) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a scope's name.
func (s *Scope) UnmarshalText(b []byte) error {
	i, err := index("scope", scopeNames[:], string(b))
	*s = Scope(i)
	return err
}

var knownNames = [...]string{"unknown", "counted", "empty-by-design"}

func (k Known) String() string { return name(knownNames[:], uint8(k)) }

// MarshalText writes the word.
func (k Known) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the word.
func (k *Known) UnmarshalText(b []byte) error {
	i, err := index("kind of count", knownNames[:], string(b))
	*k = Known(i)
	return err
}

var runNames = [...]string{"stopped", "started", "restarted", "paused"}

func (r RunState) String() string { return name(runNames[:], uint8(r)) }

// MarshalText writes the state's name.
func (r RunState) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a state's name.
func (r *RunState) UnmarshalText(b []byte) error {
	i, err := index("run state", runNames[:], string(b))
	*r = RunState(i)
	return err
}

func name(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return fmt.Sprintf("invalid(%d)", i)
}

func index(what string, names []string, s string) (uint8, error) {
	for i, n := range names {
		if n == s {
			return uint8(i), nil
		}
	}
	return 0, fmt.Errorf("unknown %s %q: want one of %s", what, s, strings.Join(names, ", "))
}
