package preflight

import (
	"slices"
	"time"
)

// Inbound is what was found out about cover of what the gateway takes in.
type Inbound struct {
	At   time.Time `json:"at"`
	Old  Host      `json:"gateway"`
	New  Host      `json:"successor"`
	Fix  string    `json:"fix"`                 // what makes the successor accept a domain
	Log  string    `json:"log_error,omitempty"` // why the log of the gateway could not be read
	MX   []Zone    `json:"zones"`               // that were searched for MX records that lead to the gateway
	List []Domain  `json:"domains"`
	// Named is whether the host name of the successor, as it is published, may
	// stand in an MX.
	Named Named `json:"successor_published"`
	// Bare are names without MX that lead to the gateway, which takes no mail for
	// them.
	Bare []string `json:"bare_names,omitempty"`
}

// Named is what was found of a host name.
type Named struct {
	Verdict Verdict `json:"verdict"`
	Why     string  `json:"why,omitempty"`
	Fix     string  `json:"fix,omitempty"`
}

// Zone is a DNS zone that was searched.
type Zone struct {
	Name string `json:"name"`
	Err  string `json:"error,omitempty"` // why not every record is known
	Fix  string `json:"fix,omitempty"`   // what helps, if the key of the zone does not
}

// Host is a listener, as a client on the Internet side sees it.
type Host struct {
	Name      string      `json:"hostname"`
	Address   string      `json:"address"`
	Err       string      `json:"error,omitempty"` // why nothing is known
	Closed    bool        `json:"closed"`
	Rejects   string      `json:"rejects,omitempty"` // what it said for good to whoever asked, before any recipient was named
	SizeKnown bool        `json:"size_known"`        // declared (RFC 1870), or known from its settings
	Size      int64       `json:"size"`              // bytes, 0 for no fixed limit
	TLS       Certificate `json:"tls"`
}

// Certificate is what a listener shows after STARTTLS.
type Certificate struct {
	Err       string    `json:"error,omitempty"` // why nothing is known
	Offered   bool      `json:"offered"`
	Failed    string    `json:"failed,omitempty"`
	Covers    bool      `json:"covers"`
	Why       string    `json:"why,omitempty"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
}

// Domain is a mail domain that the gateway takes mail for.
type Domain struct {
	Name     string   `json:"name"`
	From     []string `json:"from"` // configuration, reroute, domain-hosts, etrn, log, mx, address
	Rcpt     string   `json:"recipient"`
	Random   string   `json:"random"`
	Messages int64    `json:"messages"` // accepted, in the log
	Largest  int64    `json:"largest"`  // of those, in bytes
	Old      Answers  `json:"gateway"`
	New      Answers  `json:"successor"`

	// Outward says that only tables for mail that goes out name the domain: then
	// the gateway takes no mail for it from the Internet, and nobody was asked.
	Outward bool   `json:"outward,omitempty"`
	Fix     string `json:"fix,omitempty"` // what makes the successor accept it, if that is not what Inbound.Fix says

	Leads     []string `json:"leads,omitempty"`     // the records by which its mail comes to the gateway
	Otherwise bool     `json:"otherwise,omitempty"` // one of them names another name than the gateway's host name
	old       string   // why nothing that was found counts any more
}

// Answers are what a listener says to a known recipient and to a random one.
type Answers struct {
	Known  Answer `json:"known"`
	Random Answer `json:"random"`
}

// Answer is a word of fact gw.reply, or empty if there is none, and the reply
// or why there is none.
type Answer struct {
	Reply string `json:"reply,omitempty"`
	Words string `json:"words,omitempty"`
}

func (in Inbound) within(old func(time.Time) bool, why func(time.Time) string) Inbound {
	if !old(in.At) {
		return in
	}
	in.Named = Named{Verdict: Unknown, Why: why(in.At)}
	in.Old.Err, in.New.Err, in.New.TLS.Err, in.Log = why(in.At), why(in.At), why(in.At), why(in.At)
	in.MX = slices.Clone(in.MX)
	for i := range in.MX {
		in.MX[i].Err = why(in.At)
	}
	in.List = slices.Clone(in.List)
	for i := range in.List {
		in.List[i].Old, in.List[i].New, in.List[i].Outward = Answers{}, Answers{}, false
		in.List[i].old = why(in.At)
	}
	return in
}
