package conformance

import (
	"fmt"
	"slices"
	"strings"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// account is what a ledger says besides what is present: pairs, by how they
// came and went.
type account struct{ Accepted, Generated, Delivered, Returned, Absorbed uint8 }

// maxEffects is how many effects of a sequence can be undone.
const maxEffects = 8

// state is a world with the account of how it came about.
type state struct {
	w      model.World
	a      account
	images [maxEffects]uint8 // values before
}

// relation holds every abstract state that the real gateway may be in, as far
// as it was observed. An observation that leaves none is one that the model
// does not allow.
type relation struct {
	rules model.Rules
	now   map[state]bool
}

// byItself are the moves that the world makes without being asked.
var byItself = []model.Move{
	model.Routed, model.PickedUp, model.ReportPickedUp, model.Delivered, model.ReportDelivered, model.Returned, model.Expired,
	model.ExpiredEarly, model.ReportGivenUp, model.Converted, model.ConvertedWithReport, model.Inward, model.NDRInward,
	model.SecondaryFollows, model.CachesExpire, model.TablesFollow,
}

// Moves that are over after a minute, some hours and some days. What is left to
// happen then is not that the gateway was slow: it is something that it does
// not do.
var (
	promptly = []model.Move{
		model.Routed, model.PickedUp, model.ReportPickedUp, model.Converted, model.Inward, model.NDRInward, model.SecondaryFollows,
	}
	inHours = append([]model.Move{
		model.Delivered, model.ReportDelivered, model.Returned, model.ExpiredEarly, model.TablesFollow,
	}, promptly...)
	inDays = append([]model.Move{model.Expired, model.ReportGivenUp, model.CachesExpire}, inHours...)
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

// after is the state after a move.
func (s state) after(m model.Step) state {
	s.w, s.a = m.To, s.a.counts(m.Move)
	return s
}

// take lets one of some moves happen, or none if may is true.
func (r *relation) take(may bool, some ...model.Move) {
	next := map[state]bool{}
	for s := range r.now {
		if may {
			next[s] = true
		}
		for _, st := range r.rules.AppendMoves(nil, &s.w) {
			if slices.Contains(some, st.Move) {
				next[s.after(st)] = true
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
	for ; len(todo) > 0; todo = todo[1:] {
		s, idle := todo[0], true
		buf = r.rules.AppendMoves(buf[:0], &s.w)
		for _, st := range buf {
			idle = idle && !slices.Contains(over, st.Move)
			to := s.after(st)
			if slices.Contains(byItself, st.Move) && !r.now[to] {
				r.now[to] = true
				todo = append(todo, to)
			}
		}
		if idle {
			rest[s] = true
		}
	}
	r.now = rest
}

// effect lets an effect of a run happen, as the checker's shell does.
func (r *relation) effect(a machine.ActionName, args *machine.Args, slot int, got machine.EffectState) {
	next := map[state]bool{}
	for s := range r.now {
		to := s
		to.images[slot] = s.w.Before(a, args)
		switch made, readable := s.w.Made(a, args); {
		case got == machine.Refused && a == machine.GatewayAbsent && s.w.Held() > 0: // it keeps what it has
			next[s] = true
			continue
		case settings(a) && args.Restart && !s.w.Running: // stored; of the restart nothing can be read back
			if got == machine.Done {
				continue
			}
		case got != machine.Done && (a != machine.GatewayAbsent || !s.w.Led()): // some table may name it for a while
			continue
		case settings(a) && args.Restart && held(&s.w, a, args):
			next[to] = true // the service is not restarted for what is so already
			if !made && args.Refuse == "" {
				continue
			}
		case readable && made:
			next[to] = true
			continue
		}
		if a == machine.QueueReturn {
			to.a.Generated += s.w.Out
			to.a.Absorbed += 2 * s.w.OutRep
		}
		to.w.Apply(a, args)
		next[to] = true
	}
	r.now = next
}

func settings(a machine.ActionName) bool {
	return a == machine.GatewayMode || a == machine.GatewayConfig
}

// held reports whether the settings that an effect names are stored and in
// effect already. To the model all forms of refusing for now are one, and are
// what a gateway that was not told may do, too.
func held(w *model.World, a machine.ActionName, args *machine.Args) bool {
	named := *args
	if named.Refuse != "" && named.Refuse != "closed" {
		named.Refuse = ""
	}
	now := *w
	now.ModeSet, now.RefuseSet, now.ShortSet = w.Mode, w.Refuse, w.Short
	return w.Written(a, &named) && now.Written(a, &named)
}

// undo writes the value from before back.
func (r *relation) undo(a machine.ActionName, args *machine.Args, slot int, got machine.EffectState) {
	r.each(func(s *state) bool {
		before := s.images[slot]
		s.images[slot] = 0
		switch {
		case s.w.Restored(a, args, before):
		case !s.w.Written(a, args):
			return got == machine.Overridden
		default:
			s.w.Undo(a, args, before)
		}
		return got == machine.Done
	})
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

// leftOut are the facts that the model does not have, each with the reason.
var leftOut = map[string]string{
	"gw.oldest":    "ages are not modelled",
	"gw.aged":      "a message does not grow old in the model: it begins old, or it is not",
	"late.clients": "the model counts those that came after the old MX had expired; the fact, all since the switch",
	"mx.null":      "nothing here publishes it", "spf.none": "nothing here publishes it",
	"name.here": "nothing here moves it", "name.wanted": "nothing here moves it", "name.agree": "nothing here moves it",
	"name.expired": "nothing here moves it", "drain.named": "nothing here publishes it",
	"next.differs": "nothing here changes it", "next.named": "nothing here publishes it",
	"next.limited": "nothing here changes it", "next.split": "nothing here changes it",
}

// flags are the counts of which the model says only whether they are zero.
var flags = []facts.ID{facts.GwArrivals, facts.RouteSites, facts.RouteDependents, facts.LateNeverFollow, facts.LedgerAbsorbed, facts.LedgerPresent}

// differences are the facts that an observation of s would tell otherwise.
func (r *relation) differences(s *state, o *engine.Observation, first bool) (wrong []string) {
	for _, id := range facts.All() {
		if leftOut[id.String()] != "" || strings.HasPrefix(id.String(), "run.") || (first && id == facts.GwArrivals) || unasked(id, &s.w) {
			continue
		}
		want, got := s.w.Fact(id, r.rules.Params), o.Facts[id].Value
		if id == facts.GwExists { // an entry in some site's table is a part that was left behind
			want = facts.Bool(s.w.Exists || s.w.Stale)
		}
		if slices.Contains(flags, id) {
			want, got = min(want, 1), min(got, 1)
		}
		if want != got {
			wrong = append(wrong, fmt.Sprintf("%s is %s, not %s", id, id.Format(want), id.Format(o.Facts[id].Value)))
		}
	}
	c := o.Counts
	got := account{uint8(c["accepted"]), uint8(c["generated"]), uint8(c["delivered"]), uint8(c["returned"]), uint8(c["absorbed"])}
	if got != s.a {
		wrong = append(wrong, fmt.Sprintf("the ledger has %+v, not %+v", s.a, got))
	}
	return wrong
}
