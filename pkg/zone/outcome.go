package zone

import (
	"fmt"
	"time"
)

// Kind says what became of a change. The zero value is Unknown, because that
// is what is true before anything else is known.
type Kind uint8

// Kinds of outcome. Only Applied and AlreadyApplied say that the data is New;
// every kind but those and Unknown says that this call changed nothing.
const (
	Unknown        Kind = iota // sent, fate not known; read, or apply again
	Ready                      // preflight only: the server would do it
	Applied                    // done by this call and read back
	AlreadyApplied             // the data was New before this call
	Conflict                   // the data is neither Old nor New; see Got
	Denied                     // the key is good but has not the right, or the zone is frozen
	BadKey                     // the server does not know the key, or not with this algorithm
	BadSig                     // the secrets differ
	ClockSkew                  // the clocks differ by more than the fudge; see Skew
	NotAuthZone                // the server is not a primary of the zone
	NotInZone                  // the name lies outside the zone: a planning error
	Rejected                   // not acceptable as it stands, or accepted and ignored
	Unreachable                // nothing was sent
	Unsupported                // the server or this writer cannot do it
)

var kindNames = [...]string{
	"unknown", "ready", "applied", "already applied", "conflict", "denied", "bad key",
	"bad signature", "clock skew", "not authoritative for the zone", "not in zone", "rejected", "unreachable", "unsupported",
}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// MarshalText writes the name of k.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the name of a kind.
func (k *Kind) UnmarshalText(b []byte) error {
	for i, n := range kindNames {
		if n == string(b) {
			*k = Kind(i)
			return nil
		}
	}
	return fmt.Errorf("read outcome kind %q: no such kind", b)
}

// Outcome is what Preflight or Apply found.
type Outcome struct {
	Kind    Kind          `json:"kind"`
	Rcode   int           `json:"rcode"`    // of the last reply; -1 if there was none
	TSIGErr int           `json:"tsig_err"` // RFC 8945 error of the last reply; -1 if it had no TSIG
	Got     RRset         `json:"got"`      // the data last read; Name is empty if none could be read
	Skew    time.Duration `json:"skew"`     // ClockSkew: server clock minus ours
	Detail  string        `json:"detail"`   // for people: what to look at
	RTT     time.Duration `json:"rtt"`      // of the last exchange
}

// Done reports whether the data is New.
func (o Outcome) Done() bool { return o.Kind == Applied || o.Kind == AlreadyApplied }

func (o Outcome) String() string {
	s := o.Kind.String()
	if o.Detail != "" {
		s += ": " + o.Detail
	}
	if o.Kind == Conflict {
		s += "; found " + o.Got.String()
	}
	return s
}
