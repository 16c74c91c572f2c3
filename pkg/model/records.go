package model

// Name says where the addresses of a host name lead: bits of A and AAAA.
type Name uint8

// Bits of Name: each is set while that record leads to the old machine.
const (
	NameA Name = 1 << iota
	NameAAAA
)

// NameHere reports whether an authority leads the public host name to the old
// machine.
func (w *World) NameHere() bool { return w.NamePrimary|w.NameSecondary != 0 }

// Flipped reports whether an authority leads it elsewhere.
func (w *World) Flipped() bool { return w.NamePrimary&w.NameSecondary != NameA|NameAAAA }

// Flags are records and settings around the gateway that only some runbooks
// touch.
type Flags uint32

// Flags. Those of records are of the primary; seen shifts them to what a
// secondary gives.
const (
	Null       Flags = 1 << iota // the null MX of RFC 7505
	SPFNone                      // v=spf1 -all
	DrainAddr                    // IPv4 address of the drain name
	DrainAddr6                   // its IPv6 address
	DrainPTR                     // the PTR of both
	DrainSPF                     // SPF that lets it send
	Also                         // the MX names the successor, too
	LimitHere                    // the gateway's session limits are those wanted
	LimitNext                    // the successor's are
	SplitHere                    // the gateway's address spaces are as the split wants
	SplitNext                    // the successor's are
	records    = Null | SPFNone | Drain | Also
	seen       = 16
	Damaged    = 1 << 26 // an entry of the spool cannot be read
	Harsh      = 1 << 27 // the gateway answers 5xx
	Meddle     = 1 << 28 // somebody else may change something, once
	Lean       = 1 << 29 // no report for the Internet is made, and everything can be converted; never changes
	Calm       = 1 << 30 // no user sends to the Internet; never changes
	Alone      = 1 << 31 // there is no successor; never changes

	Drain       = DrainAddr | DrainAddr6 | DrainPTR | DrainSPF
	settings    = LimitHere | LimitNext | SplitHere | SplitNext
	configFlags = records | settings
)

// Consistent reports whether at each authority a name that leads elsewhere
// stands beside a drain name.
func (w *World) Consistent() bool {
	const all = NameA | NameAAAA
	return (w.NamePrimary == all || w.Flags&Drain == Drain) && (w.NameSecondary == all || w.Flags>>seen&Drain == Drain)
}

// Published reports whether every authority gives all of some records.
func (w *World) Published(f Flags) bool { return w.Flags&(f|f<<seen) == f|f<<seen }

// Publish lets every authority give some records; of a setting, it is made.
func (w *World) Publish(f Flags) { w.Flags |= f | f&records<<seen }

// Anywhere reports whether some authority gives one of some records.
func (w *World) Anywhere(f Flags) bool { return w.Flags&(f|f<<seen) != 0 }

// lags reports whether a secondary differs from the primary.
func (w *World) lags() bool {
	return w.MXPrimary != w.MXSecondary || w.NamePrimary != w.NameSecondary || w.Flags&records != w.Flags>>seen&records
}

func (w *World) transfer() {
	w.MXSecondary, w.NameSecondary = w.MXPrimary, w.NamePrimary
	w.Flags = w.Flags&^(records<<seen) | w.Flags&records<<seen
}

func (w *World) flag(f Flags, on bool) {
	w.Flags &^= f
	if on {
		w.Flags |= f
	}
}
