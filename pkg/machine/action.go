package machine

import "time"

// ActionName is what a do-state does to the world. The list is closed: shells
// switch over it exhaustively.
type ActionName string

// Actions. Those of kind Ensure have a wanted value: performing one is
// observe, compare, change, read back.
const (
	GatewayMode       ActionName = "gateway.mode"
	GatewayConfig     ActionName = "gateway.config"
	GatewayRunning    ActionName = "gateway.running"
	GatewayAbsent     ActionName = "gateway.absent"
	GatewayDependents ActionName = "gateway.dependents" // what names this gateway elsewhere names the successor
	RouteSpaces       ActionName = "route.spaces"
	RouteSites        ActionName = "route.sites"
	DNSRRset          ActionName = "dns.rrset"
	QueueHold         ActionName = "queue.hold"    // moves to hold what is old; undone by releasing it
	QueueRelease      ActionName = "queue.release" // moves what the run holds back to where it was
	QueueReturn       ActionName = "queue.return"
	QueueRedirect     ActionName = "queue.redirect"
	QueueExport       ActionName = "queue.export"
	QueueRetry        ActionName = "queue.retry"
	ProbeSend         ActionName = "probe.send"
	RunRestore        ActionName = "run.restore" // the machine's own: everything is undone, and the run goes on
)

// Nature says what repeating an action does.
type Nature uint8

// Natures: an Ensure leaves the same world however often it is applied; a Once
// needs dedupe by key at the receiver, or its unknown outcome waits for a
// person; a Nudge is harmless to repeat.
const (
	Ensure Nature = iota
	Once
	Nudge
)

// Nature returns an action's nature; ok is false for a name that is none.
func (a ActionName) Nature() (n Nature, ok bool) {
	switch a {
	case GatewayMode, GatewayConfig, GatewayRunning, GatewayAbsent, GatewayDependents, RouteSpaces, RouteSites, DNSRRset,
		QueueHold, QueueRelease, RunRestore:
		return Ensure, true
	case QueueReturn, QueueRedirect, QueueExport, ProbeSend:
		return Once, true
	case QueueRetry:
		return Nudge, true
	}
	return 0, false
}

// ActionNames lists every action that a runbook may use. QueueRedirect and
// ProbeSend are not among them, because no world can do them: they stand for
// what must not happen twice (S7) and what may lead back (S9), and show that a
// checker would see it.
func ActionNames() []ActionName {
	return []ActionName{
		GatewayMode, GatewayConfig, GatewayRunning, GatewayAbsent, GatewayDependents, RouteSpaces, RouteSites, DNSRRset,
		QueueHold, QueueRelease, QueueReturn, QueueExport, QueueRetry, RunRestore,
	}
}

// Args are the arguments of an action; each action uses its own.
type Args struct {
	Gateway   string          `json:"gateway,omitempty"`
	Mode      string          `json:"mode,omitempty"`
	Refuse    string          `json:"refuse,omitempty"`
	Retry     []time.Duration `json:"retry,omitempty"`
	Timeouts  time.Duration   `json:"timeouts,omitempty"` // urgent, normal and non-urgent; reports keep theirs
	Restart   bool            `json:"restart,omitempty"`
	Running   string          `json:"running,omitempty"` // stopped, started, restarted
	Empty     bool            `json:"empty,omitempty"`   // route.*: the wanted list is empty
	Type      string          `json:"type,omitempty"`    // dns.rrset: MX, A, AAAA, PTR or TXT
	Successor string          `json:"successor,omitempty"`
	Select    string          `json:"select,omitempty"`  // queue.*: SelectHeld, or "" for all
	Discard   bool            `json:"discard,omitempty"` // gateway.absent: remove even what holds mail

	OnSuccessor bool          `json:"on_successor,omitempty"` // the effect is one on the successor, which Gateway names
	NullMX      bool          `json:"null_mx,omitempty"`      // dns.rrset MX: the null MX of RFC 7505
	SPF         string        `json:"spf,omitempty"`          // dns.rrset TXT: "none" is v=spf1 -all
	Drain       bool          `json:"drain,omitempty"`        // dns.rrset A, AAAA, PTR, TXT: of the drain name
	Also        bool          `json:"also,omitempty"`         // dns.rrset MX: the successor beside the gateway
	OlderThan   time.Duration `json:"older_than,omitempty"`   // queue.hold: messages accepted longer ago
	MaxInbound  int           `json:"max_inbound,omitempty"`  // gateway.config: SMTP sessions at once
	MaxOutbound int           `json:"max_outbound,omitempty"` // gateway.config: SMTP sessions at once
	Spaces      []string      `json:"spaces,omitempty"`       // route.spaces: the wanted list, "TYPE:PATTERN COST" each
}

// SelectHeld is the Select of what a queue.hold of the same run moved to hold.
const SelectHeld = "held"

// Action is what the machine asks its shell to do next.
type Action struct {
	Kind   ActionKind
	Guard  uint8 // Judge
	State  uint8 // Intend, Perform, Reobserve, Ask, Close
	Target uint8 // Intend, Perform, Reobserve: index of the do's target
	Undo   bool  // Intend, Perform, Reobserve: write the value from before back
	Timer  Timer // Arm
}

// ActionKind is a kind of Action.
type ActionKind uint8

// Kinds of actions.
const (
	Judge ActionKind = iota
	Intend
	Perform
	Reobserve
	Ask
	Arm
	Operate // nothing moves until a person resumes or aborts
	Close
)

var actionKindNames = [...]string{"judge", "intend", "perform", "reobserve", "ask", "arm", "operate", "close"}

func (k ActionKind) String() string { return actionKindNames[k] }

// Timer names a timer of the current state.
type Timer uint8

// Timers. HoldTimer earns only time that was observed; StallTimer starts again
// whenever its metric moves; the others follow the wall clock.
const (
	HoldTimer Timer = iota
	TimeoutTimer
	StallTimer
	ExpiryTimer
	BackoffTimer
	NumTimers
)

var timerNames = [...]string{"hold", "timeout", "stall", "expiry", "backoff"}

func (t Timer) String() string { return timerNames[t] }

// Duration is how long a timer runs in state s.
func (d *Def) Duration(s State, t Timer) time.Duration {
	st := &d.States[s.Cur]
	switch t {
	case HoldTimer:
		return st.Wait.For
	case TimeoutTimer:
		return st.Wait.For + st.Wait.Timeout
	case StallTimer:
		return st.Wait.Stall
	case ExpiryTimer:
		return st.Approve.Expires
	case BackoffTimer:
		return st.Do.Retry.Delay(max(s.Attempt, s.Looks))
	case NumTimers:
	}
	return 0
}
