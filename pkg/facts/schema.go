package facts

// Class says what a change of a fact means. A plan binds to config facts, and
// only a change of those is drift; measures and clocks move by themselves.
type Class uint8

// Classes.
const (
	Config Class = iota
	Measure
	Clock
)

func (c Class) String() string { return [...]string{"config", "measure", "clock"}[c] }

// Type is the type of a fact's value.
type Type uint8

// Types.
const (
	TypeBool Type = iota
	TypeInt
	TypeEnum
	TypeDuration
)

// Definition describes a fact.
type Definition struct {
	Name  string
	Type  Type
	Class Class
	Enum  []string
	Doc   string
}

// The facts.
const (
	GwExists ID = iota
	GwRunning
	GwAccepts
	GwReply
	GwModeSet
	GwMode
	GwSessions
	GwArrivals
	GwUnaccounted
	GwOldest
	GwExpiring
	GwAged
	GwQMTA
	GwQMTSOut
	GwQOut
	GwQIn
	GwQMTSIn
	GwQTotal
	GwSideBad
	GwSideHold
	GwSideCorrupt
	RouteHere
	RouteUncovered
	RouteSwallowed
	RouteOthers
	RouteStale
	RouteSites
	RouteDependents
	MxHere
	MxWanted
	MxPrimaryWanted
	MxAgree
	MxExpired
	MxNull
	SpfNone
	NameHere
	NameWanted
	NameAgree
	NameExpired
	DrainNamed
	NextAccepts
	NextSends
	NextCoversIn
	NextCoversOut
	NextDiffers
	NextNamed
	NextLimited
	NextSplit
	LateClients
	LateNeverFollow
	LateQuiet
	LedgerUnaccounted
	LedgerAbsorbed
	LedgerPresent
	RunExported
	RunMayExpire
	RunGrantedNoRoute
	RunGrantedExpired
	RunGrantedInboundLoss
	Count // how many facts there are
)

// Reply values of gw.reply: what a client on the Internet side is told.
const (
	ReplyAccept    Value = iota // 250 to a known recipient
	ReplyTemporary              // 4xx at greeting, MAIL or RCPT
	ReplyClosed                 // nothing listens
	ReplyPermanent              // 5xx: makes senders give up
)

var modes = []string{"inbound-outbound", "inbound-only", "outbound-only", "none"}

var schema = [Count]Definition{
	GwExists:      {"gw.exists", TypeBool, Config, nil, "the gateway is configured and was not removed"},
	GwRunning:     {"gw.running", TypeBool, Config, nil, "its service is started"},
	GwAccepts:     {"gw.accepts", TypeBool, Measure, nil, "a probe from the Internet side was told 250 for a known recipient"},
	GwReply:       {"gw.reply", TypeEnum, Measure, []string{"accept", "temporary", "closed", "permanent"}, "what a probe from the Internet side was told"},
	GwModeSet:     {"gw.mode_set", TypeEnum, Config, modes, "transfer mode as stored"},
	GwMode:        {"gw.mode", TypeEnum, Config, modes, "transfer mode in effect; settings take effect at service start"},
	GwSessions:    {"gw.sessions", TypeInt, Measure, nil, "open inbound SMTP sessions"},
	GwArrivals:    {"gw.arrivals", TypeInt, Measure, nil, "messages that entered the gateway, from either side, since the last observation"},
	GwUnaccounted: {"gw.unaccounted", TypeInt, Measure, nil, "messages the spool holds and the tracking log does not know, or the reverse"},
	GwOldest:      {"gw.oldest", TypeDuration, Clock, nil, "age of the oldest message in a store"},
	GwExpiring:    {"gw.expiring", TypeInt, Measure, nil, "recipients that would be returned at once under the flush time-outs"},
	GwAged:        {"gw.aged", TypeInt, Measure, nil, "messages in mta, mts-out or out that were older than release_max_age when this run first held any, and that no decision names"},
	GwQMTA:        {"gw.q.mta", TypeInt, Measure, nil, "messages in the MTA queue for this gateway"},
	GwQMTSOut:     {"gw.q.mts_out", TypeInt, Measure, nil, "outbound messages awaiting conversion"},
	GwQOut:        {"gw.q.out", TypeInt, Measure, nil, "outbound messages awaiting delivery"},
	GwQIn:         {"gw.q.in", TypeInt, Measure, nil, "inbound messages awaiting conversion"},
	GwQMTSIn:      {"gw.q.mts_in", TypeInt, Measure, nil, "inbound messages awaiting delivery"},
	GwQTotal:      {"gw.q.total", TypeInt, Measure, nil, "messages in all five stores and in flight"},
	GwSideBad:     {"gw.side.bad", TypeInt, Measure, nil, "messages in Bad"},
	GwSideHold:    {"gw.side.hold", TypeInt, Measure, nil, "messages held by an operator"},
	GwSideCorrupt: {"gw.side.corrupt", TypeInt, Measure, nil, "unreadable spool entries"},

	RouteHere:       {"route.here", TypeBool, Config, nil, "an address space or connected site routes mail here"},
	RouteUncovered:  {"route.uncovered", TypeInt, Config, nil, "address spaces and sites to which, without this gateway, some mail finds no route"},
	RouteSwallowed:  {"route.swallowed", TypeInt, Config, nil, "address spaces and sites of which, without this gateway, some mail goes to one that carries nothing"},
	RouteOthers:     {"route.others", TypeInt, Config, nil, "other gateways that an address space or connected site routes mail to"},
	RouteStale:      {"route.stale", TypeBool, Measure, nil, "some site's copy of the routing table still routes mail here although the configuration does not"},
	RouteSites:      {"route.sites", TypeInt, Config, nil, "connected sites of this gateway"},
	RouteDependents: {"route.dependents", TypeInt, Config, nil, "settings of other gateways that name this one"},

	MxHere:          {"mx.here", TypeBool, Config, nil, "some authoritative MX of an accepted domain leads to the gateway"},
	MxWanted:        {"mx.wanted", TypeBool, Config, nil, "every authority serves the wanted MX RRsets"},
	MxPrimaryWanted: {"mx.primary_wanted", TypeBool, Config, nil, "the server that takes updates has the wanted MX RRsets"},
	MxAgree:         {"mx.agree", TypeBool, Measure, nil, "every address of every authority answers, and alike"},
	MxExpired:       {"mx.expired", TypeBool, Clock, nil, "no cache that obeys published TTLs can still hold an MX that leads to the gateway"},

	MxNull:  {"mx.null", TypeBool, Config, nil, "every authority serves the null MX of RFC 7505 for every accepted domain"},
	SpfNone: {"spf.none", TypeBool, Config, nil, "every authority serves the SPF record v=spf1 -all for every accepted domain"},

	NameHere:    {"name.here", TypeBool, Config, nil, "some authority's A or AAAA of the gateway's public host name leads to the old machine"},
	NameWanted:  {"name.wanted", TypeBool, Config, nil, "every authority serves the wanted A and AAAA of the gateway's public host name"},
	NameAgree:   {"name.agree", TypeBool, Measure, nil, "every address of every authority answers for the host name, and alike"},
	NameExpired: {"name.expired", TypeBool, Clock, nil, "no cache that obeys published TTLs can still hold an address of the old machine under the host name"},
	DrainNamed:  {"drain.named", TypeBool, Config, nil, "the old machine's drain name has its address, the address has a PTR that names it, and its SPF and that of every accepted domain let it send, at every authority"},

	NextAccepts:   {"next.accepts", TypeBool, Config, nil, "the successor takes inbound mail, and an MX may name it as it is published"},
	NextSends:     {"next.sends", TypeBool, Config, nil, "the successor runs in a mode that sends: what is routed to it leaves"},
	NextCoversIn:  {"next.covers_in", TypeBool, Config, nil, "the successor accepts every domain the gateway accepts"},
	NextCoversOut: {"next.covers_out", TypeBool, Config, nil, "other gateways cover every address space of this one"},

	NextDiffers: {"next.differs", TypeInt, Config, nil, "settings of the gateway that the successor has not taken over, and that no waiver and no decision names"},
	NextNamed:   {"next.named", TypeBool, Config, nil, "every authority's MX of every accepted domain names the successor, too"},
	NextLimited: {"next.limited", TypeBool, Config, nil, "the session limits of the gateway and of the successor are those wanted, in effect"},
	NextSplit:   {"next.split", TypeBool, Config, nil, "the address spaces of the gateway and of the successor are as the split wants them"},

	LateClients:     {"late.clients", TypeInt, Measure, nil, "hosts that named a valid recipient here after the MX switch"},
	LateNeverFollow: {"late.never_follow", TypeInt, Measure, nil, "late clients that came back after the old MX expired, without a decision that names them"},
	LateQuiet:       {"late.quiet", TypeBool, Measure, nil, "no late client without a decision since the last observation"},

	LedgerUnaccounted: {"ledger.unaccounted", TypeInt, Measure, nil, "message and recipient pairs that were seen and are in no set of the ledger"},
	LedgerAbsorbed:    {"ledger.absorbed", TypeInt, Measure, nil, "pairs given up of which nobody could be told, not yet acknowledged by a decision"},
	LedgerPresent:     {"ledger.present", TypeInt, Measure, nil, "pairs still in a store"},

	RunExported:           {"run.exported", TypeBool, Measure, nil, "the run exported the remaining queue and verified the export"},
	RunMayExpire:          {"run.may_expire", TypeInt, Config, nil, "recipients that a decision allows to be returned by short time-outs"},
	RunGrantedNoRoute:     {"run.granted.ndr_no_route", TypeBool, Config, nil, "a decision accepts reports for mail without a route"},
	RunGrantedExpired:     {"run.granted.ndr_expired", TypeBool, Config, nil, "a decision accepts reports for mail that expires early"},
	RunGrantedInboundLoss: {"run.granted.inbound_loss", TypeBool, Config, nil, "a decision accepts that named clients lose inbound mail"},
}

// Definition returns a fact's description.
func (id ID) Definition() Definition { return schema[id] }

func (id ID) String() string { return schema[id].Name }

// Lookup finds a fact by name.
func Lookup(name string) (ID, bool) {
	for i := range schema {
		if schema[i].Name == name {
			return ID(i), true
		}
	}
	return 0, false
}

// All lists every fact in order.
func All() []ID {
	ids := make([]ID, Count)
	for i := range ids {
		ids[i] = ID(i)
	}
	return ids
}

// Grants are the kinds of consent, in the order of State.Grants bits, with the
// fact that shows each.
var grantKinds = [...]struct {
	name string
	id   ID
}{
	{"ndr_no_route", RunGrantedNoRoute},
	{"ndr_expired", RunGrantedExpired},
	{"inbound_loss", RunGrantedInboundLoss},
}

// GrantNames lists the kinds of consent.
func GrantNames() []string {
	names := make([]string, len(grantKinds))
	for i, g := range grantKinds {
		names[i] = g.name
	}
	return names
}

// GrantIndex finds a kind of consent.
func GrantIndex(name string) (int, bool) {
	for i, g := range grantKinds {
		if g.name == name {
			return i, true
		}
	}
	return 0, false
}

// GrantFact is the fact that shows a kind of consent.
func GrantFact(i int) ID { return grantKinds[i].id }
