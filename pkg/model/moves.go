package model

// Move is something that the world does by itself.
type Move uint8

// The moves.
const (
	UserSends Move = iota
	UserSendsNowhere
	Routed
	BecomesOld
	PickedUp
	OldPickedUp
	ReportPickedUp
	Unconvertible
	Delivered
	ReportDelivered
	Returned
	Expired
	ExpiredEarly
	ReportGivenUp
	MailArrives
	StrangerArrives
	Converted
	ConvertedWithReport
	Inward
	NDRInward
	SideHandled
	HoldHandled
	DestDefers
	DestReturns
	DestDies
	SecondaryFollows
	CachesExpire
	NameExpires
	TablesFollow
	SuccessorFails
	SuccessorBack
	DependentsMoved
	SettingsTaken
	OtherIdles
	OtherCarries
	OtherGoes
	OtherComes
	SuccessorMute
	SuccessorSends

	SpacesBack // these happen only in a world that is marked for them
	MXBack
	NameBack
	RecordsGone
	SettingsBack
	StoppedByHand
	StartedByHand
	ModeBack
	HarshNow
	Damage
	HeldByHand
	OldTurnsUp
	MailTurnsUp
	OutTurnsUp
	OtherChanges
	NamedAgain
	DiffersAgain
	NumMoves
)

// Class says who answers for a move.
type Class uint8

// Classes. A Fair move happens in the end if it can go on happening; a Maybe
// move is a fault or a choice that is never relied on; a Person move is one
// that somebody can be asked for.
const (
	Fair Class = iota
	Person
	Maybe
)

var moves = [NumMoves]struct {
	words string
	class Class
}{
	UserSends:           {"a user sends a message to the Internet, and it is routed here", Maybe},
	UserSendsNowhere:    {"a user sends a message to the Internet; nothing routes it, and it is returned", Maybe},
	Routed:              {"a message that was routed here reaches mts-out", Fair},
	BecomesOld:          {"a message waits in mts-out for longer than release_max_age", Maybe},
	PickedUp:            {"the service picks a message up from mts-out and converts it to out", Fair},
	OldPickedUp:         {"the service picks an old message up from mts-out and converts it to out", Fair},
	ReportPickedUp:      {"the service picks a report up from mts-out and converts it to out", Fair},
	Unconvertible:       {"a message in mts-out cannot be converted and goes to Bad", Maybe},
	Delivered:           {"a message in out is delivered", Fair},
	ReportDelivered:     {"a report in out is delivered", Fair},
	Returned:            {"the destination answers 5xx, and the message is returned to its sender", Fair},
	Expired:             {"a message in out reaches its normal time-out and is returned to its sender", Fair},
	ExpiredEarly:        {"a message in out reaches the short time-out and is returned to its sender", Fair},
	ReportGivenUp:       {"a report in out is given up; nobody may be told of that", Fair},
	MailArrives:         {"a host on the Internet follows an MX that it knows, and delivers a message here", Maybe},
	StrangerArrives:     {"a client that does not follow MX delivers a message here", Maybe},
	Converted:           {"an inbound message is converted to mts-in", Fair},
	ConvertedWithReport: {"an inbound message is converted, and a report for its sender is put into the gateway's own mts-out", Maybe},
	Inward:              {"an inbound message is delivered to the mail host", Fair},
	NDRInward:           {"a report for a local sender is delivered to the mail host", Fair},
	SideHandled:         {"somebody repairs or returns the message in Bad", Person},
	HoldHandled:         {"somebody releases or returns the held message by name", Person},
	DestDefers:          {"the destination stops taking mail", Maybe},
	DestReturns:         {"the destination takes mail again", Maybe},
	DestDies:            {"the destination refuses for good", Maybe},
	SecondaryFollows:    {"the secondary name server gets the primary's records", Fair},
	CachesExpire:        {"the old MX leaves the last cache", Fair},
	NameExpires:         {"the old address leaves the last cache", Fair},
	TablesFollow:        {"every site's routing table follows the configuration", Fair},
	SuccessorFails:      {"the successor stops accepting", Maybe},
	SuccessorBack:       {"somebody brings the successor back", Person},
	DependentsMoved:     {"somebody points the other gateways' settings elsewhere", Person},
	SettingsTaken:       {"somebody gives the successor the settings that it lacks", Person},
	OtherIdles:          {"the other gateway stops carrying mail, and its routes stay", Maybe},
	OtherCarries:        {"somebody lets the other gateway carry mail again", Person},
	OtherGoes:           {"somebody takes the other gateway's routes away", Person},
	OtherComes:          {"somebody gives another gateway a route, and it carries mail", Maybe},
	SuccessorMute:       {"the successor sends no more, though it accepts: Inbound Only", Maybe},
	SuccessorSends:      {"somebody lets the successor send again", Person},

	SpacesBack:    {"somebody puts the address space back", Maybe},
	MXBack:        {"somebody puts the old MX back", Maybe},
	NameBack:      {"somebody puts the old address back", Maybe},
	RecordsGone:   {"somebody withdraws the records that the run published", Maybe},
	SettingsBack:  {"somebody changes the session limits and the address spaces back", Maybe},
	StoppedByHand: {"somebody stops the service", Maybe},
	StartedByHand: {"somebody starts the service", Maybe},
	ModeBack:      {"somebody sets Inbound & Outbound, and restarts the service", Maybe},
	HarshNow:      {"the gateway begins to answer 5xx", Maybe},
	Damage:        {"an entry of the spool is damaged", Maybe},
	HeldByHand:    {"somebody holds a message", Maybe},
	OldTurnsUp:    {"an old message turns up in mts-out", Maybe},
	MailTurnsUp:   {"a message turns up in mts-out", Maybe},
	OutTurnsUp:    {"a message turns up in out", Maybe},
	OtherChanges:  {"the routes of the other gateway change", Maybe},
	NamedAgain:    {"another gateway's settings name this one again", Maybe},
	DiffersAgain:  {"a setting is made here that the successor lacks", Maybe},
}

// String is the move in plain words.
func (m Move) String() string { return moves[m].words }

// Class says who answers for the move.
func (m Move) Class() Class { return moves[m].class }

// Step is a move and where it leads.
type Step struct {
	Move Move
	To   World
}

// Rules are what moves depend on beside the world.
type Rules struct {
	Params
	Bounds
}

// AppendMoves appends every move that the world can make next, in a fixed
// order. It allocates only if buf is too small.
func (r *Rules) AppendMoves(buf []Step, w *World) []Step {
	buf = r.outbound(buf, w)
	buf = r.inbound(buf, w)
	if w.Flags&Meddle != 0 {
		buf = meddle(buf, w)
	}
	if w.Flags&(Wavers|Alone|Mutes) != 0 {
		buf = other(buf, w)
	}
	return r.around(buf, w)
}

func (r *Rules) outbound(buf []Step, w *World) []Step {
	add := func(m Move) *World {
		buf = append(buf, Step{m, *w})
		return &buf[len(buf)-1].To
	}
	if w.Flags&Calm == 0 && w.MTA+w.MTSOut+w.Old+w.Out+w.Side+w.Hold < r.Out {
		switch {
		case w.Led():
			t := add(UserSends)
			t.MTA++
			t.Arrived = true
		case !w.Other:
			add(UserSendsNowhere)
		}
	}
	if w.MTA > 0 && w.Exists {
		t := add(Routed)
		t.MTA--
		t.MTSOut++
	}
	if w.MTSOut > 0 && !w.picksUp(r.Params) {
		t := add(BecomesOld)
		t.MTSOut--
		t.Old++
	}
	if w.picksUp(r.Params) {
		if w.MTSOut > 0 {
			t := add(PickedUp)
			t.MTSOut--
			t.Out++
		}
		if w.Old > 0 {
			t := add(OldPickedUp)
			t.Old--
			t.Out++
		}
		if w.MTSRep > 0 {
			t := add(ReportPickedUp)
			t.MTSRep--
			t.OutRep++
		}
		if w.MTSOut > 0 && r.Bad && w.Flags&Lean == 0 {
			t := add(Unconvertible)
			t.MTSOut--
			t.Side++
		}
	}
	if w.Out+w.OutRep > 0 && w.delivers() {
		buf = r.deliveries(buf, w)
	}
	return buf
}

func (r *Rules) deliveries(buf []Step, w *World) []Step {
	add := func(m Move) *World {
		buf = append(buf, Step{m, *w})
		return &buf[len(buf)-1].To
	}
	if w.Out > 0 {
		switch w.Dest {
		case DestUp:
			add(Delivered).Out--
		case DestDead:
			t := add(Returned)
			t.Out--
			t.NDR = min(t.NDR+1, r.Out)
		case DestDeferring:
			m := Expired
			if w.Short {
				m = ExpiredEarly
			}
			t := add(m)
			t.Out--
			t.NDR = min(t.NDR+1, r.Out)
			if w.Short && t.Expired < 3 {
				t.Expired++
			}
		}
	}
	if w.OutRep > 0 {
		if w.Dest == DestUp {
			add(ReportDelivered).OutRep--
		} else {
			t := add(ReportGivenUp)
			t.OutRep--
			t.Absorbed = true
		}
	}
	return buf
}

func (r *Rules) inbound(buf []Step, w *World) []Step {
	add := func(m Move) *World {
		buf = append(buf, Step{m, *w})
		return &buf[len(buf)-1].To
	}
	if w.In+w.MTSIn < r.In && w.Accepts() {
		if w.May() {
			t := add(MailArrives)
			t.In++
			t.Arrived = true
			t.LateCame = t.LateCame || !w.Leads()
		} else {
			t := add(StrangerArrives)
			t.In++
			t.Arrived = true
			t.LateCame, t.Late = true, LateUndecided
		}
	}
	if !w.Exists || !w.Running {
		return buf
	}
	if w.In > 0 {
		t := add(Converted)
		t.In--
		t.MTSIn++
		if w.MTSRep+w.OutRep < r.Reports && w.Flags&Lean == 0 {
			t := add(ConvertedWithReport)
			t.In--
			t.MTSRep++
		}
	}
	if w.MTSIn > 0 {
		add(Inward).MTSIn--
	}
	if w.NDR > 0 {
		add(NDRInward).NDR--
	}
	return buf
}

func (r *Rules) around(buf []Step, w *World) []Step {
	add := func(m Move) *World {
		buf = append(buf, Step{m, *w})
		return &buf[len(buf)-1].To
	}
	if w.Side > 0 && w.Exists {
		add(SideHandled).Side--
	}
	if w.Hold > 0 && w.Exists {
		add(HoldHandled).Hold--
	}
	switch w.Dest {
	case DestUp:
		add(DestDefers).Dest = DestDeferring
	case DestDeferring:
		add(DestReturns).Dest = DestUp
		if r.Dying {
			add(DestDies).Dest = DestDead
		}
	}
	if w.lags() {
		add(SecondaryFollows).transfer()
	}
	if w.MXCached && !w.MXHere() {
		add(CachesExpire).MXCached = false
	}
	if w.NameCached && !w.NameHere() {
		add(NameExpires).NameCached = false
	}
	if w.Stale && !w.Spaces && !w.Sites {
		add(TablesFollow).Stale = false
	}
	switch {
	case w.Flags&Alone != 0:
	case w.Next:
		add(SuccessorFails).Next = false
	default:
		add(SuccessorBack).Next = true
	}
	if w.Dependents {
		t := add(DependentsMoved)
		t.Dependents = false
		t.Init &^= ConfigDependents // what people change is not the run's to restore
	}
	if w.Differs {
		add(SettingsTaken).Differs = false
	}
	return buf
}
