// Package facts is the vocabulary in which a runbook speaks about the world:
// a closed, typed list of what can be observed of a gateway, its routes, its
// MX records, its successor and its ledger.
//
// A fact that could not be observed is Unknown, which is never the same as
// false or zero. The package has no opinion on how a fact is observed.
package facts

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ID names a fact. The order is stable within a version only: persistent forms
// use the names.
type ID uint8

// Value is a fact's value: 0 or 1 for a bool, an index for an enumeration,
// whole seconds for a duration, saturated at MaxInt32. Unknown says that it
// could not be observed.
type Value int32

// Unknown is the value of what could not be observed.
const Unknown Value = -1 << 31

// Bool makes the value of a bool fact.
func Bool(b bool) Value {
	if b {
		return 1
	}
	return 0
}

// Int makes the value of an int fact; it saturates.
func Int(n int64) Value {
	const limit = 1<<31 - 1
	return Value(max(-limit, min(n, limit)))
}

// Seconds makes the value of a duration fact, rounded up to whole seconds.
func Seconds(d time.Duration) Value {
	return Int(int64((d + time.Second - 1) / time.Second))
}

// Vector holds one value for every fact. It is comparable; its zero value is
// a world of zeroes, not an unknown one: see [UnknownVector].
type Vector [Count]Value

// UnknownVector is the vector in which nothing was observed.
func UnknownVector() Vector {
	var v Vector
	for i := range v {
		v[i] = Unknown
	}
	return v
}

// Provenance says how a fact came to be known.
type Provenance string

// Provenances.
const (
	Live      Provenance = "live"
	Simulated Provenance = "simulated"
	Recorded  Provenance = "recorded"
	Attested  Provenance = "attested"
	NotKnown  Provenance = "unknown"
)

// Fact is one observation. It holds for the interval From..At: a count since
// the last observation covers the time in between, a state seen once has From
// equal to At.
type Fact struct {
	ID         ID
	Value      Value
	At         time.Time
	From       time.Time
	Source     string // who said so: "gateway east", "ns 127.0.0.1:53"
	Provenance Provenance
	Why        string // why it is unknown, or a detail worth showing
}

// Set is one observation of everything: a Fact for each ID.
type Set [Count]Fact

// Vector drops all but the values.
func (s *Set) Vector() Vector {
	var v Vector
	for i := range s {
		v[i] = s[i].Value
	}
	return v
}

// NewSet is a set in which nothing is known yet.
func NewSet() *Set {
	var s Set
	for i := range s {
		s[i] = Fact{ID: ID(i), Value: Unknown, Provenance: NotKnown, Why: "not observed"}
	}
	return &s
}

// Put records an observation.
func (s *Set) Put(f Fact) { s[f.ID] = f }

// Format prints a value in the words of its fact.
func (id ID) Format(v Value) string {
	if v == Unknown {
		return "unknown"
	}
	d := schema[id]
	switch d.Type {
	case TypeBool:
		return strconv.FormatBool(v != 0)
	case TypeEnum:
		if int(v) < len(d.Enum) {
			return d.Enum[v]
		}
		return fmt.Sprintf("invalid(%d)", v)
	case TypeDuration:
		return (time.Duration(v) * time.Second).String()
	case TypeInt:
	}
	return strconv.Itoa(int(v))
}

// Parse reads a value in the words of its fact, as Format prints it.
func (id ID) Parse(text string) (Value, error) {
	if text == "unknown" {
		return Unknown, nil
	}
	d := schema[id]
	switch d.Type {
	case TypeBool:
		b, err := strconv.ParseBool(text)
		return Bool(b), err
	case TypeEnum:
		for i, e := range d.Enum {
			if e == text {
				return Value(i), nil
			}
		}
		return Unknown, fmt.Errorf("fact %s is %q: want one of %s", d.Name, text, strings.Join(d.Enum, ", "))
	case TypeDuration:
		dur, err := time.ParseDuration(text)
		return Seconds(dur), err
	case TypeInt:
	}
	n, err := strconv.ParseInt(text, 10, 32)
	return Value(n), err
}
