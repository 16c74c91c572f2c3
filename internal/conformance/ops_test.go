package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing/synctest"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/mail/smtpd"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// op is one thing that is done to both: the gateway and the relation.
type op string

// play is a sequence of ops under way.
type play struct {
	*org
	rel   *relation
	last  engine.Observation
	n     int // ops so far; names keys and hosts
	slots []made
	gone  bool // the gateway was removed
	aged  bool // a decision named old mail, which does not grow old again

	moved  bool      // what leads to the successor was seen everywhere, and does not lead here since
	turned time.Time // when a route was last put back
}

// made is an effect that can be undone.
type made struct {
	e    []engine.Effect // of each target
	slot int
}

// bounds are how much is under way at once.
var bounds = model.Bounds{Out: 3, In: 2, Reports: 3, Dying: true}

// run performs ops from a start, and compares after each. The error says which
// op led to an observation that the model does not allow.
func run(ctx context.Context, b beginning, as reading, claims model.Params, ops []op, archives string) (err error) {
	o, err := newOrg(ctx, b, as, archives)
	defer func() {
		if end := o.close(); err == nil {
			err = end
		}
	}()
	if err != nil {
		return err
	}
	first := state{w: b.World}
	first.a.Accepted = uint8(b.World.Held())
	p := &play{org: o, rel: &relation{family: b.family, rules: model.Rules{Params: claims, Bounds: bounds}, now: map[state]bool{first: true}}}
	first.w.MXCached = true // whoever looks for the first time cannot know what caches have
	p.rel.now[first] = true
	if err := p.compare(ctx, time.Minute, promptly); err != nil {
		return fmt.Errorf("at the start: %w", err)
	}
	for i, one := range ops {
		if !b.may(one) {
			continue
		}
		p.n++
		if err := p.do(ctx, one); err != nil {
			return fmt.Errorf("op %d of %d, %s: %w", i+1, len(ops), one, err)
		}
	}
	if err := p.compare(ctx, long, inDays); err != nil {
		return fmt.Errorf("days later: %w", err)
	}
	return nil
}

// compare lets time pass and looks.
func (p *play) compare(ctx context.Context, d time.Duration, over []model.Move) error {
	first := p.last.Facts == nil
	pass(d)
	switch {
	case d == long && !p.aged:
		p.rel.growth = wholly
	case time.Since(p.begun) >= 48*time.Hour:
		p.rel.growth = partly
	}
	p.rel.settle(over)
	p.rel.flaps = time.Since(p.turned) < 2*(recalculation+replication)
	p.last = p.observe(ctx)
	p.follow()
	return p.rel.see(&p.last, first)
}

// follow notes at a look whether whoever comes next is late.
func (p *play) follow() {
	everywhere, here := facts.MxWanted, facts.MxHere
	if p.rel.wish.name {
		everywhere, here = facts.NameWanted, facts.NameHere
	}
	if led := p.fact(here) == 1; p.gone || p.moved && led || !p.moved && !led && p.fact(everywhere) == 1 {
		p.moved, p.rel.late = !p.gone && !led, 0
	}
}

func (p *play) fact(id facts.ID) facts.Value { return p.last.Facts[id].Value }

// room reports whether one more message fits into the bounds.
func (p *play) room(n int, in ...facts.ID) bool {
	sum := facts.Value(0)
	for _, id := range in {
		sum += p.fact(id)
	}
	return int(sum) < n
}

// do performs one op; one that makes no sense now does nothing.
func (p *play) do(ctx context.Context, one op) error {
	d, over := time.Minute, promptly
	var err error
	switch one {
	case "minutes pass":
		d = 10 * time.Minute
	case "hours pass":
		d, over = 5*time.Hour, inHours
	case "days pass":
		d, over = long, inDays
	default:
		if e, ok := effects[one]; ok {
			err = p.perform(ctx, e)
		} else {
			err = others[one](ctx, p)
		}
	}
	if err != nil {
		return err
	}
	return p.compare(ctx, d, over)
}

// perform does to the gateway what a run would do.
func (p *play) perform(ctx context.Context, e effect) error {
	if p.gone || len(p.slots) == maxEffects || !p.sensible(e) {
		return nil
	}
	var done []engine.Effect
	var res engine.Result
	for i, target := range e.targets() {
		ef := engine.Effect{
			Run: "r", State: fmt.Sprintf("s%d", p.n), Key: fmt.Sprintf("r/s%d.%d", p.n, i), Action: e.action, Args: e.args, Target: target,
			Actor: "ann", Reason: engine.ReasonOf("r") + fmt.Sprintf("op %d", p.n), Named: p.look.Named,
		}
		var err error
		if ef.Image, _, err = p.world.Image(ctx, ef); err != nil {
			return err
		}
		done = append(done, ef)
		if res = p.world.Perform(ctx, ef); res.State != machine.Done {
			break
		}
	}
	p.gone = e.action == machine.GatewayAbsent && res.State != machine.Refused
	if p.rel.effect(e.action, &e.args, len(p.slots), res.State); len(p.rel.now) == 0 {
		return fmt.Errorf("the effect is %s (%s), which the model does not allow", res.State, res.Why)
	}
	if res.State == machine.Done && undoable(e) {
		p.slots = append(p.slots, made{done, len(p.slots)})
	}
	return nil
}

// sensible reports whether an effect on mail can be followed. One on what is
// held is for those that a decision names; the model knows only whether it names
// all of it. To the model no report is held, and of those for local senders it
// counts no more than it can.
func (p *play) sensible(e effect) bool {
	switch {
	case e.action == machine.QueueHold:
		return !p.any(func(w *model.World) bool { return w.MTSRep+w.OutRep > 0 })
	case e.action == machine.QueueReturn && p.fact(facts.GwQMTSIn) > 0:
		return false
	case e.args.Select == machine.SelectHeld:
		return p.allNamed()
	}
	return true
}

// allNamed reports whether a decision names all of what is held, and the model
// says so, or neither.
func (p *play) allNamed() bool {
	named, unnamed := 0, 0
	for _, n := range p.world.Evidence(context.Background(), p.look, nil, machine.SubjectAged).Names {
		if p.look.Named[machine.SubjectAged][n] {
			named++
		} else {
			unnamed++
		}
	}
	return (named == 0 || unnamed == 0) && !p.any(func(w *model.World) bool { return w.HoldNamed != (named > 0) })
}

// undoable are the effects that are undone by writing back.
func undoable(e effect) bool {
	return model.Width(e.action, &e.args) > 0 && e.args.Running != "restarted"
}

// undoLast undoes the newest effect.
func (p *play) undoLast(ctx context.Context) error {
	if len(p.slots) == 0 || p.gone {
		return nil
	}
	m := p.slots[len(p.slots)-1]
	p.slots = p.slots[:len(p.slots)-1]
	e := m.e[0]
	if e.Action == machine.QueueHold && !p.allNamed() {
		return nil
	}
	res := engine.Result{State: machine.Done}
	for _, one := range slices.Backward(m.e) {
		one.Undo, one.Undoes, one.Key = true, one.Key, one.Key+"/undo"
		if r := p.world.Perform(ctx, one); r.State != machine.Done {
			res = r
		}
	}
	if e.Action == machine.RouteSpaces || e.Action == machine.RouteSites {
		p.turned = time.Now()
	}
	if p.rel.undo(e.Action, &e.Args, m.slot, res.State); len(p.rel.now) == 0 {
		return fmt.Errorf("the undo of %s is %s (%s), which the model does not allow", e.Action, res.State, res.Why)
	}
	return nil
}

func (p *play) sendTo(ctx context.Context, site, rcpt string) error {
	if !p.room(int(bounds.Out), facts.GwQMTA, facts.GwQMTSOut, facts.GwQOut, facts.GwSideHold) {
		return nil
	}
	p.rel.take(true, model.UserSends)
	return p.send(ctx, site, rcpt)
}

// arrives lets a host connect that was never here before.
func (p *play) arrives(ctx context.Context, rcpt string) error {
	if p.fact(facts.GwAccepts) == 0 || !p.room(int(bounds.In), facts.GwQIn, facts.GwQMTSIn) || !p.room(int(bounds.Reports), facts.GwQMTSOut, facts.GwQOut) {
		return nil
	}
	pass(time.Second) // what comes at the instant of a look is of before it
	said, err := p.arrive(ctx, fmt.Sprintf("198.51.100.%d", p.n), rcpt)
	if err != nil || said[:3] != "250" {
		return fmt.Errorf("the gateway, which accepts, says %s: %w", said, err)
	}
	if p.rel.take(false, model.MailArrives, model.StrangerArrives); len(p.rel.now) == 0 {
		return errors.New("the gateway takes mail, which the model does not allow")
	}
	if p.moved {
		p.rel.late++
	}
	synctest.Wait()
	return nil
}

// destination changes what the destination does. One that has refused for good
// takes mail again only for messages that come later.
func (p *play) destination(to uint8, answer func(string) *smtpd.Reply) error {
	if to == model.DestUp && p.fact(facts.GwQOut) > 0 && p.any(func(w *model.World) bool { return w.Dest == model.DestDead }) {
		return nil
	}
	p.far.say(answer)
	p.rel.each(func(s *state) bool { s.w.Dest = to; return true })
	return nil
}

// any reports whether something may be so.
func (p *play) any(is func(w *model.World) bool) bool {
	for s := range p.rel.now {
		if is(&s.w) {
			return true
		}
	}
	return false
}

// successorIs lets nobody reach the successor, or everybody again.
func (p *play) successorIs(cut bool, move model.Move) error {
	if p.cut == cut {
		return nil
	}
	p.cut = cut
	p.rel.take(false, move)
	return nil
}

// sends lets the successor send nothing, or all again. Beside a gateway that
// stays another one covers it; elsewhere that is the successor.
func (p *play) sends(ctx context.Context, mode gateway.Mode) error {
	p.rel.each(func(s *state) bool {
		f := model.Mute | model.Idle
		if p.rel.joining() {
			f = model.Mute
		}
		s.w.Flags &^= f
		if mode == gateway.InboundOnly {
			s.w.Flags |= f
		}
		return true
	})
	return p.successor(ctx, fmt.Sprintf("w%d", p.n), gateway.SettingsPatch{Mode: &mode})
}

// joins gives another gateway the routes of the one that was to be the last, or
// takes them away.
func (p *play) joins(ctx context.Context, is bool) error {
	g, err := p.o.Gateway(west)
	if err != nil {
		return err
	}
	spaces, sites := []gateway.Space{}, []gateway.Site{}
	if is {
		spaces = append(spaces, gateway.Space{Type: "SMTP", Pattern: "*", Cost: 10})
		sites = append(sites, gateway.Site{Name: "remote", Cost: 10, RoutingAddress: far})
	}
	p.rel.each(func(s *state) bool { s.w.Other = is; return true })
	for i, want := range []gateway.Want{{Spaces: &spaces}, {Sites: &sites}} {
		if _, err := g.Apply(ctx, gateway.Change{Key: fmt.Sprintf("w%d.%d", p.n, i), Actor: "ann", Reason: "test", Want: want}); err != nil {
			return err
		}
	}
	return nil
}

// settingsTaken gives the successor the setting that it lacks.
func (p *play) settingsTaken(ctx context.Context) error {
	if p.fact(facts.NextDiffers) == 0 || p.fact(facts.RouteUncovered) > 0 {
		return nil
	}
	p.rel.take(false, model.SettingsTaken)
	return p.successor(ctx, fmt.Sprintf("w%d", p.n), gateway.SettingsPatch{DomainHosts: &lacking})
}

func (p *play) dependentsMoved(ctx context.Context) error {
	if p.fact(facts.RouteDependents) == 0 {
		return nil
	}
	p.rel.take(false, model.DependentsMoved)
	return p.successor(ctx, fmt.Sprintf("w%d", p.n), gateway.SettingsPatch{DomainHosts: &map[string]string{}})
}

// decide names whatever a decision would be about now.
func (p *play) decide(ctx context.Context, about machine.Subject) error {
	named := p.look.Named[about]
	if named == nil {
		named = map[string]bool{}
		p.look.Named[about] = named
	}
	for _, n := range p.world.Evidence(ctx, p.look, nil, about).Names {
		named[n] = true
	}
	p.aged = len(p.look.Named[machine.SubjectAged]) > 0
	p.rel.each(func(s *state) bool {
		s.w.Decide(&machine.Choice{Names: about})
		if about == machine.SubjectNoRoute && !s.w.Other {
			s.named[0], s.named[1] = s.named[0] || s.w.Spaces, s.named[1] || s.w.Sites
		}
		return true
	})
	return nil
}
