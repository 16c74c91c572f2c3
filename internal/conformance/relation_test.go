package conformance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/model"
)

// account is what a ledger says besides what is present: pairs, by how they
// came and went.
type account struct{ Accepted, Generated, Delivered, Returned, Absorbed, Deleted uint8 }

// maxEffects is how many effects of a sequence can be undone.
const maxEffects = 8

// state is a world with the account of how it came about, and with what the
// model leaves out because no guard can tell it: mail grows old in out, too, and
// what was held there goes back there; of a decision about what has no route,
// which entries it named.
type state struct {
	w       model.World
	a       account
	oldOut  uint8             // of what is in out, how much is old
	heldOut uint8             // of what is held, how much was in out
	named   [2]bool           // the address space, the connected site
	images  [maxEffects]uint8 // values before
}

// relation holds every abstract state that the real gateway may be in, as far
// as it was observed. An observation that leaves none is one that the model
// does not allow.
type relation struct {
	*family
	rules  model.Rules
	now    map[state]bool
	growth growth
	late   int  // hosts that came since what leads to the successor was seen everywhere
	flaps  bool // a route was taken away and put back: each copy of the table follows both, one after the other
}

// growth says whether mail has grown old that was not at the beginning, as far
// as the clock tells.
type growth uint8

const (
	young  growth = iota
	partly        // what came first may be old now
	wholly        // and what was there before time passed is
)

// byItself are the moves that the world makes without being asked.
var byItself = []model.Move{
	model.Routed, model.PickedUp, model.OldPickedUp, model.ReportPickedUp, model.Delivered, model.ReportDelivered, model.Returned, model.Expired,
	model.ExpiredEarly, model.ReportGivenUp, model.Converted, model.ConvertedWithReport, model.Inward, model.NDRInward,
	model.SecondaryFollows, model.CachesExpire, model.NameExpires, model.TablesFollow,
}

// Moves that are over after a minute, some hours and some days. What is left to
// happen then is not that the gateway was slow: it is something that it does
// not do.
var (
	promptly = []model.Move{
		model.Routed, model.PickedUp, model.OldPickedUp, model.ReportPickedUp, model.Converted, model.Inward, model.NDRInward,
		model.SecondaryFollows,
	}
	inHours = append([]model.Move{
		model.Delivered, model.ReportDelivered, model.Returned, model.ExpiredEarly, model.TablesFollow,
	}, promptly...)
	inDays = append([]model.Move{model.Expired, model.ReportGivenUp, model.CachesExpire, model.NameExpires}, inHours...)
)

// counts is how a move changes the account.
func (a account) counts(m model.Move) account {
	switch m {
	case model.UserSends, model.MailArrives, model.StrangerArrives:
		a.Accepted++
	case model.Returned, model.Expired, model.ExpiredEarly, model.ConvertedWithReport:
		a.Generated++
	case model.Delivered, model.Inward:
		a.Delivered++
	case model.ReportDelivered, model.NDRInward: // and what it reports on has come back
		a.Delivered++
		a.Returned++
	case model.ReportGivenUp:
		a.Absorbed += 2
	}
	return a
}

// after are the states after a move: of what leaves out, it may be the old or
// another.
func (s state) after(m model.Step) []state {
	to := s
	to.w, to.a = m.To, s.a.counts(m.Move)
	if m.Move == model.OldPickedUp {
		to.oldOut++
	}
	if m.To.Out >= s.w.Out || s.oldOut == 0 {
		return []state{to}
	}
	older := to
	older.oldOut--
	if s.oldOut == s.w.Out {
		return []state{older}
	}
	return []state{to, older}
}

// older are the states in which one more message is old.
func (s state) older() (list []state) {
	if s.w.MTSOut > 0 {
		to := s
		to.w.MTSOut, to.w.Old = s.w.MTSOut-1, s.w.Old+1
		list = append(list, to)
	}
	if s.oldOut < s.w.Out {
		to := s
		to.oldOut++
		list = append(list, to)
	}
	return list
}

// take lets one of some moves happen, or none if may is true.
func (r *relation) take(may bool, moves ...model.Move) {
	next := map[state]bool{}
	for s := range r.now {
		if may {
			next[s] = true
		}
		for _, st := range r.rules.AppendMoves(nil, &s.w) {
			if !slices.Contains(moves, st.Move) {
				continue
			}
			for _, to := range s.after(st) {
				next[to] = true
			}
		}
	}
	r.now = next
}

// each changes every state; keep says whether it is still possible.
func (r *relation) each(change func(*state) (keep bool)) {
	next := map[state]bool{}
	for s := range r.now {
		if change(&s) {
			next[s] = true
		}
	}
	r.now = next
}

// settle lets the world do what it does by itself, until nothing of over is
// left to do.
func (r *relation) settle(over []model.Move) {
	var buf []model.Step
	todo := make([]state, 0, len(r.now))
	for s := range r.now {
		todo = append(todo, s)
	}
	rest := map[state]bool{}
	reach := func(to state) {
		if !r.now[to] {
			r.now[to] = true
			todo = append(todo, to)
		}
	}
	for ; len(todo) > 0; todo = todo[1:] {
		s := todo[0]
		grown := s.older()
		idle := r.growth != wholly || len(grown) == 0
		if r.growth != young {
			for _, to := range grown {
				reach(to)
			}
		}
		buf = r.rules.AppendMoves(buf[:0], &s.w)
		for _, st := range buf {
			idle = idle && !slices.Contains(over, st.Move)
			if slices.Contains(byItself, st.Move) {
				for _, to := range s.after(st) {
					reach(to)
				}
			}
		}
		if idle {
			rest[s] = true
		}
	}
	r.now = rest
}

// see keeps the states in which an observation would say what this one says.
func (r *relation) see(o *engine.Observation, first bool) error {
	next := map[state]bool{}
	var nearest []string
	for s := range r.now {
		wrong := r.differences(&s, o, first)
		if len(wrong) == 0 {
			s.w.Arrived, s.w.LateCame = false, false
			next[s] = true
		} else if nearest == nil || len(wrong) < len(nearest) {
			nearest = wrong
		}
	}
	if len(next) == 0 {
		return fmt.Errorf("no abstract state of %d allows this; in the nearest, %s", len(r.now), strings.Join(nearest, "; "))
	}
	r.now = next
	return nil
}

// left reports whether a fact is left out, because the model does not have it.
// What the successor gets of a split is no route to the model: it does not say
// who has which address space. So it is none of the other gateways, and what it
// would swallow is not counted.
func (r *relation) left(id facts.ID, s *state) bool {
	const swallows = model.SplitNext | model.Mute
	switch id {
	case facts.RouteOthers:
		return r.joining()
	case facts.RouteSwallowed, facts.RouteUncovered, facts.NextCoversOut:
		return r.joining() && s.w.Flags&swallows == swallows
	}
	return strings.HasPrefix(id.String(), "run.") || (id != facts.RouteOthers && unasked(id, &s.w))
}

// flags are the counts of which the model says only whether they are zero.
var flags = []facts.ID{
	facts.GwArrivals, facts.RouteSites, facts.RouteDependents, facts.NextDiffers, facts.LateNeverFollow, facts.LedgerAbsorbed,
	facts.LedgerPresent,
}

// fact is what an observation of s would say.
func (r *relation) fact(id facts.ID, s *state) facts.Value {
	switch id {
	case facts.GwExists: // an entry in some site's table is a part that was left behind
		return facts.Bool(s.w.Exists || s.w.Stale)
	case facts.GwAged:
		return facts.Value(s.w.Old + s.oldOut)
	case facts.GwOldest: // at least
		if s.w.Old+s.oldOut > 0 {
			return facts.Seconds(48 * time.Hour)
		}
		return facts.Bool(s.w.Held() > 0)
	case facts.LateClients: // the model has those that came after the old MX had expired, this is all since the switch
		return facts.Value(r.late)
	case facts.MxWanted:
		return facts.Bool(r.wish.everywhere(&s.w))
	case facts.MxPrimaryWanted:
		return facts.Bool(r.wish.primary(&s.w))
	}
	return s.w.Fact(id, r.rules.Params)
}

// differences are the facts that an observation of s would tell otherwise.
func (r *relation) differences(s *state, o *engine.Observation, first bool) (wrong []string) {
	for _, id := range facts.All() {
		if r.left(id, s) || (first && id == facts.GwArrivals) || !r.observed(id) {
			continue
		}
		want, got := r.fact(id, s), o.Facts[id].Value
		if id == facts.GwOldest && want <= got && (want > 0) == (got > 0) { // of ages the model has these
			continue
		}
		if id == facts.RouteStale && r.flaps {
			continue
		}
		if id == facts.GwAged { // reports grow old, too; to the model none is
			want = max(want, min(got, want+facts.Value(s.w.MTSRep+s.w.OutRep)))
		}
		if slices.Contains(flags, id) {
			want, got = min(want, 1), min(got, 1)
		}
		if want != got {
			wrong = append(wrong, fmt.Sprintf("%s is %s, not %s", id, id.Format(want), id.Format(o.Facts[id].Value)))
		}
	}
	c := o.Counts
	got := account{
		uint8(c["accepted"]), uint8(c["generated"]), uint8(c["delivered"]), uint8(c["returned"]), uint8(c["absorbed"]), uint8(c["deleted"]),
	}
	if got != s.a {
		wrong = append(wrong, fmt.Sprintf("the ledger has %+v, not %+v", s.a, got))
	}
	if void := slices.Contains(o.Void, facts.RunGrantedNoRoute); void != s.unnamed() && !r.joining() {
		wrong = append(wrong, fmt.Sprintf("a consent to losing the last route is void is %v, not %v", s.unnamed(), void))
	}
	return wrong
}

// unnamed reports whether no decision names what has no other route, or nobody
// was asked about it because a black hole takes it.
func (s *state) unnamed() bool {
	return s.w.Swallowed() > 0 || !s.w.Other && ((s.w.Spaces && !s.named[0]) || (s.w.Sites && !s.named[1]))
}
