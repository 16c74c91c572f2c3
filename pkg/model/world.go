package model

import "example.org/ims/pkg/facts"

// Forms of refusing, as stored and as in effect.
const (
	refuseUnsaid = iota // nobody said how
	refuseTemporary
	refuseClosed
)

// What the destination of outbound mail does.
const (
	DestUp        = iota // takes what it is offered
	DestDeferring        // answers 4xx, or not at all
	DestDead             // answers 5xx: the message is returned at once
)

// What is known of clients that do not follow MX.
const (
	LateNone      = iota
	LateUndecided // one came back after the old MX had expired
	LateDecided   // a decision names those that came
)

// World is one moment of the abstract world. It is comparable and of fixed
// size. Counts are of messages that are under way at once, up to 3; how many
// there are in all is not counted.
type World struct {
	Exists, Running   bool
	ModeSet, Mode     uint8 // as stored, as in effect
	RefuseSet, Refuse uint8
	ShortSet, Short   bool // flush time-outs

	Spaces, Sites bool // an address space, a connected site routes mail here
	Stale         bool // some copy of the table leads here although the configuration does not
	Other         bool // another gateway covers what this one does; never changes
	Dependents    bool // settings of other gateways name this one
	Differs       bool // the successor has not taken over a setting, and nobody said that it need not

	MXPrimary, MXSecondary, MXCached bool // names the gateway: at the primary, at a secondary, in a cache
	NamePrimary, NameSecondary       Name // of the gateway's public host name
	NameCached                       bool // a cache leads the name to the old machine
	Flags                            Flags
	Next                             bool // the successor accepts
	Covers                           bool // it accepts every domain; never changes

	Dest               uint8
	MTA, MTSOut, Out   uint8 // outbound mail
	Old                uint8 // outbound mail in mts-out older than release_max_age, which no decision names
	Hold               uint8 // mail in hold
	HoldNamed          bool  // a decision names what is in hold
	MTSRep, OutRep     uint8 // reports that this gateway made for the Internet
	In, MTSIn          uint8 // inbound mail
	NDR                uint8 // reports for local senders, on their way inward
	Side               uint8 // what could not be converted, or is held
	Absorbed           bool  // something was given up of which nobody could be told, and no decision names it
	Late               uint8
	LateCame           bool   // an undecided late client came since the last look
	Arrived            bool   // a message entered since the last look
	MayExpire, Expired uint8  // how many a decision allows to be returned early, how many were
	Digest             uint32 // config facts at the last decision
	Applied            bool   // the effect under work has happened
	Told               bool   // and its outcome came back, but is not recorded yet
	Init               uint32 // configuration at the start
	Images             uint32 // values before, side by side
}

// ImageBits is how many bits there are for the values before effects that are
// undone by writing a value back; see Width.
const ImageBits = 32

// Pack is a World in words, for keys.
type Pack [3]uint64

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// Pack writes the world into words. No two worlds have the same.
func (w *World) Pack() Pack {
	a := bit(w.Exists) | bit(w.Running)<<1 | uint64(w.ModeSet)<<2 | uint64(w.Mode)<<4 | uint64(w.RefuseSet)<<6 |
		uint64(w.Refuse)<<8 | bit(w.ShortSet)<<10 | bit(w.Short)<<11 | bit(w.Spaces)<<12 | bit(w.Sites)<<13 |
		bit(w.Stale)<<14 | bit(w.Other)<<15 | bit(w.Dependents)<<16 | bit(w.MXPrimary)<<17 | bit(w.MXSecondary)<<18 |
		bit(w.MXCached)<<19 | bit(w.Next)<<20 | bit(w.Covers)<<21 | uint64(w.Dest)<<22 | uint64(w.MTA)<<24 |
		uint64(w.MTSOut)<<26 | uint64(w.Out)<<28 | uint64(w.MTSRep)<<30 | uint64(w.OutRep)<<32 | uint64(w.In)<<34 |
		uint64(w.MTSIn)<<36 | uint64(w.NDR)<<38 | uint64(w.Side)<<40 | bit(w.Absorbed)<<42 | uint64(w.Late)<<43 |
		bit(w.LateCame)<<45 | bit(w.Arrived)<<46 | uint64(w.Old)<<47 | uint64(w.Hold)<<49 | bit(w.HoldNamed)<<51 | bit(w.Differs)<<52 |
		uint64(w.MayExpire)<<53 | uint64(w.Expired)<<55 | bit(w.Applied)<<57 | bit(w.Told)<<58 |
		uint64(w.NamePrimary)<<59 | uint64(w.NameSecondary)<<61 | bit(w.NameCached)<<63
	return Pack{a, uint64(w.Digest) | uint64(w.Init)<<32, uint64(w.Images) | uint64(w.Flags)<<32}
}

// Unpack reads what Pack wrote.
func (p *Pack) Unpack() World {
	a := p[0]
	return World{
		Exists: a&1 == 1, Running: a>>1&1 == 1, ModeSet: uint8(a >> 2 & 3), Mode: uint8(a >> 4 & 3),
		RefuseSet: uint8(a >> 6 & 3), Refuse: uint8(a >> 8 & 3), ShortSet: a>>10&1 == 1, Short: a>>11&1 == 1,
		Spaces: a>>12&1 == 1, Sites: a>>13&1 == 1, Stale: a>>14&1 == 1, Other: a>>15&1 == 1,
		Dependents: a>>16&1 == 1, MXPrimary: a>>17&1 == 1, MXSecondary: a>>18&1 == 1, MXCached: a>>19&1 == 1,
		Next: a>>20&1 == 1, Covers: a>>21&1 == 1, Dest: uint8(a >> 22 & 3), MTA: uint8(a >> 24 & 3),
		MTSOut: uint8(a >> 26 & 3), Out: uint8(a >> 28 & 3), MTSRep: uint8(a >> 30 & 3), OutRep: uint8(a >> 32 & 3),
		In: uint8(a >> 34 & 3), MTSIn: uint8(a >> 36 & 3), NDR: uint8(a >> 38 & 3), Side: uint8(a >> 40 & 3),
		Absorbed: a>>42&1 == 1, Late: uint8(a >> 43 & 3), LateCame: a>>45&1 == 1, Arrived: a>>46&1 == 1,
		Old: uint8(a >> 47 & 3), Hold: uint8(a >> 49 & 3), HoldNamed: a>>51&1 == 1, Differs: a>>52&1 == 1, MayExpire: uint8(a >> 53 & 3),
		Expired: uint8(a >> 55 & 3), Applied: a>>57&1 == 1, Told: a>>58&1 == 1,
		NamePrimary: Name(a >> 59 & 3), NameSecondary: Name(a >> 61 & 3), NameCached: a>>63 == 1,
		Digest: uint32(p[1]), Init: uint32(p[1] >> 32), Images: uint32(p[2]), Flags: Flags(p[2] >> 32),
	}
}

// Held is how many messages are in the gateway's custody: routed to it, in its
// stores, or in its side stores.
func (w *World) Held() int {
	return int(w.MTA + w.MTSOut + w.Old + w.Out + w.MTSRep + w.OutRep + w.In + w.MTSIn + w.NDR + w.Side + w.Hold)
}

// Outward is how many messages are still to be sent to the Internet, reports
// left out.
func (w *World) Outward() int { return int(w.MTA + w.MTSOut + w.Old + w.Out) }

// queued is what gw.q.total counts.
func (w *World) queued() int { return w.Held() - int(w.Side) - int(w.Hold) }

// Accepts reports whether a client on the Internet side is told 250.
func (w *World) Accepts() bool {
	return w.Exists && w.Running && (w.Mode == inboundOutbound || w.Mode == inboundOnly)
}

// Sends reports whether mail in mts-out is on its way to the Internet.
func (w *World) Sends(p Params) bool { return w.picksUp(p) }

// picksUp reports whether the service picks up mts-out.
func (w *World) picksUp(p Params) bool {
	return w.Exists && w.Running && (w.Mode == inboundOutbound || w.Mode == outboundOnly || (w.Mode == none && p.NonePicksUp))
}

// delivers reports whether the service works on out.
func (w *World) delivers() bool { return w.Exists && w.Running && w.Mode != inboundOnly }

// Led reports whether a table, as configured or as copied, leads mail here.
func (w *World) Led() bool { return w.Spaces || w.Sites || w.Stale }

// MXHere reports whether an authoritative server names the gateway.
func (w *World) MXHere() bool { return w.MXPrimary || w.MXSecondary }

// Leads reports whether an authoritative MX leads to the old machine; May,
// whether an answer that some cache may hold does.
func (w *World) Leads() bool { return w.MXHere() && w.NameHere() }

// May reports whether an MX that some cache may hold leads to the old machine.
func (w *World) May() bool { return (w.MXCached || w.MXHere()) && (w.NameCached || w.NameHere()) }

// uncovered is how many address spaces and sites no other gateway covers.
func (w *World) uncovered() int {
	if w.Other {
		return 0
	}
	return int(bit(w.Spaces) + bit(w.Sites))
}

// Torn reports whether the gateway gave an address space to the successor that
// the successor does not have. No fact tells that: it is none of the gateway's
// any more, so nobody asks who covers it.
func (w *World) Torn() bool { return w.Flags&(SplitHere|SplitNext) == SplitHere }

// Reply is what a client on the Internet side is told.
func (w *World) Reply(p Params) facts.Value {
	switch {
	case !w.Exists || !w.Running:
		return facts.ReplyClosed
	case w.Flags&Harsh != 0:
		return facts.ReplyPermanent
	case w.Accepts():
		return facts.ReplyAccept
	case w.Refuse == refuseClosed:
		return facts.ReplyClosed
	case w.Refuse == refuseUnsaid && p.Hard:
		return facts.ReplyPermanent
	}
	return facts.ReplyTemporary
}

// Bits of Config.
const (
	ConfigMode       = 3
	ConfigSettings   = 31
	ConfigRunning    = 1 << 5
	ConfigSpaces     = 1 << 6
	ConfigSites      = 1 << 7
	ConfigDependents = 1 << 10
)

// Config is the configuration that effects change.
func (w *World) Config() uint32 {
	return uint32(w.settings()) | uint32(bit(w.Running))*ConfigRunning | uint32(bit(w.Spaces))*ConfigSpaces | uint32(bit(w.Sites))*ConfigSites |
		uint32(bit(w.MXPrimary))<<8 | uint32(bit(w.Exists))<<9 | uint32(bit(w.Dependents))*ConfigDependents |
		uint32(w.NamePrimary)<<11 | uint32(w.Flags&configFlags)<<13
}

// settings are the stored settings in five bits.
func (w *World) settings() uint8 { return w.ModeSet | (w.RefuseSet*2+uint8(bit(w.ShortSet)))<<2 }

func (w *World) setSettings(v uint8) {
	w.ModeSet, w.RefuseSet, w.ShortSet = v&3, v>>2/2, v>>2&1 == 1
}
