package conformance

import (
	"context"
	"errors"
	"fmt"
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
}

// made is an effect that can be undone.
type made struct {
	e    engine.Effect
	slot int
}

// bounds are how much is under way at once.
var bounds = model.Bounds{Out: 3, In: 2, Reports: 3, Dying: true}

// run performs ops from a start, and compares after each. The error says which
// op led to an observation that the model does not allow.
func run(ctx context.Context, start model.World, as reading, claims model.Params, ops []op, archives string) (err error) {
	o, err := newOrg(ctx, &start, as, archives)
	defer func() {
		if end := o.close(); err == nil {
			err = end
		}
	}()
	if err != nil {
		return err
	}
	p := &play{org: o, rel: &relation{rules: model.Rules{Params: claims, Bounds: bounds}, now: map[state]bool{{w: start}: true}}}
	start.MXCached = true // whoever looks for the first time cannot know what caches have
	p.rel.now[state{w: start}] = true
	if err := p.compare(ctx, time.Minute, promptly); err != nil {
		return fmt.Errorf("at the start: %w", err)
	}
	for i, one := range ops {
		p.n++
		if err := p.do(ctx, one); err != nil {
			return fmt.Errorf("op %d of %d, %s: %w", i+1, len(ops), one, err)
		}
	}
	if err := p.compare(ctx, 60*time.Hour, inDays); err != nil {
		return fmt.Errorf("days later: %w", err)
	}
	return nil
}

// compare lets time pass and looks.
func (p *play) compare(ctx context.Context, d time.Duration, over []model.Move) error {
	first := p.last.Facts == nil
	pass(d)
	p.rel.settle(over)
	p.last = p.observe(ctx)
	return p.rel.see(&p.last, first)
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
		d, over = 60*time.Hour, inDays
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

// effect is what a run can do.
type effect struct {
	action machine.ActionName
	args   machine.Args
}

var effects = map[op]effect{
	"mode inbound-outbound":         {machine.GatewayMode, machine.Args{Mode: "inbound-outbound", Restart: true}},
	"mode inbound-only":             {machine.GatewayMode, machine.Args{Mode: "inbound-only", Restart: true}},
	"mode outbound-only":            {machine.GatewayMode, machine.Args{Mode: "outbound-only", Restart: true}},
	"mode none":                     {machine.GatewayMode, machine.Args{Mode: "none", Restart: true}},
	"store mode inbound-outbound":   {machine.GatewayMode, machine.Args{Mode: "inbound-outbound"}},
	"store mode outbound-only":      {machine.GatewayMode, machine.Args{Mode: "outbound-only"}},
	"store mode none":               {machine.GatewayMode, machine.Args{Mode: "none"}},
	"refuse at rcpt":                {machine.GatewayConfig, machine.Args{Refuse: "rcpt", Restart: true}},
	"refuse at connect":             {machine.GatewayConfig, machine.Args{Refuse: "connect", Restart: true}},
	"refuse by a closed port":       {machine.GatewayConfig, machine.Args{Refuse: "closed", Restart: true}},
	"store refuse by a closed port": {machine.GatewayConfig, machine.Args{Refuse: "closed"}},
	"flush time-outs":               {machine.GatewayConfig, machine.Args{Timeouts: time.Hour, Retry: []time.Duration{15 * time.Minute}, Restart: true}},
	"store flush time-outs":         {machine.GatewayConfig, machine.Args{Timeouts: time.Hour}},
	"stop":                          {machine.GatewayRunning, machine.Args{Running: "stopped"}},
	"start":                         {machine.GatewayRunning, machine.Args{Running: "started"}},
	"restart":                       {machine.GatewayRunning, machine.Args{Running: "restarted"}},
	"remove spaces":                 {machine.RouteSpaces, machine.Args{Empty: true}},
	"remove sites":                  {machine.RouteSites, machine.Args{Empty: true}},
	"move mx":                       {machine.DNSRRset, machine.Args{Type: "MX", Successor: west}},
	"return what is in out":         {machine.QueueReturn, machine.Args{}},
	"retry now":                     {machine.QueueRetry, machine.Args{}},
	"remove the gateway":            {machine.GatewayAbsent, machine.Args{}},
}

// perform does to the gateway what a run would do.
func (p *play) perform(ctx context.Context, e effect) error {
	if p.gone || len(p.slots) == maxEffects {
		return nil
	}
	ef := engine.Effect{Run: "r", State: "s", Key: fmt.Sprintf("r/s%d", p.n), Action: e.action, Args: e.args, Actor: "ann", Reason: "test", Target: east}
	if e.action == machine.DNSRRset {
		ef.Target = domain
	}
	var err error
	if ef.Image, _, err = p.world.Image(ctx, ef); err != nil {
		return err
	}
	res := p.world.Perform(ctx, ef)
	p.gone = e.action == machine.GatewayAbsent && res.State != machine.Refused
	if p.rel.effect(e.action, &e.args, len(p.slots), res.State); len(p.rel.now) == 0 {
		return fmt.Errorf("the effect is %s (%s), which the model does not allow", res.State, res.Why)
	}
	if res.State == machine.Done && undoable(e) {
		p.slots = append(p.slots, made{ef, len(p.slots)})
	}
	return nil
}

// undoable are the effects that are undone by writing back.
func undoable(e effect) bool {
	n, _ := e.action.Nature()
	return n == machine.Ensure && e.action != machine.GatewayAbsent && e.args.Running != "restarted"
}

// others are the ops that are no effects.
var others = map[op]func(context.Context, *play) error{
	"undo":                       func(ctx context.Context, p *play) error { return p.undoLast(ctx) },
	"send from hq":               func(ctx context.Context, p *play) error { return p.sendTo(ctx, "hq", "joe@"+far) },
	"send from branch":           func(ctx context.Context, p *play) error { return p.sendTo(ctx, "branch", "joe@"+far) },
	"send to the connected site": func(ctx context.Context, p *play) error { return p.sendTo(ctx, "hq", "sue@remote.example") },
	"mail arrives":               func(ctx context.Context, p *play) error { return p.arrives(ctx, user) },
	"mail for nobody arrives":    func(ctx context.Context, p *play) error { return p.arrives(ctx, refused) },
	"destination up":             func(_ context.Context, p *play) error { return p.destination(model.DestUp, nil) },
	"destination defers":         func(_ context.Context, p *play) error { return p.destination(model.DestDeferring, say(450, "4.2.0")) },
	"destination dies":           func(_ context.Context, p *play) error { return p.destination(model.DestDead, say(550, "5.1.1")) },
	"successor fails": func(ctx context.Context, p *play) error {
		return p.successorTo(ctx, gateway.OutboundOnly, model.SuccessorFails)
	},
	"successor back": func(ctx context.Context, p *play) error {
		return p.successorTo(ctx, gateway.InboundOutbound, model.SuccessorBack)
	},
	"dependents moved":            func(ctx context.Context, p *play) error { return p.dependentsMoved(ctx) },
	"decide on late clients":      func(ctx context.Context, p *play) error { return p.decide(ctx, machine.SubjectLate) },
	"decide on what was absorbed": func(ctx context.Context, p *play) error { return p.decide(ctx, machine.SubjectAbsorbed) },
}

func say(code int, status string) func(string) *smtpd.Reply {
	return func(string) *smtpd.Reply { return smtpd.Refuse(code, status, "as told") }
}

// undoLast undoes the newest effect.
func (p *play) undoLast(ctx context.Context) error {
	if len(p.slots) == 0 || p.gone {
		return nil
	}
	m := p.slots[len(p.slots)-1]
	p.slots = p.slots[:len(p.slots)-1]
	e := m.e
	e.Undo, e.Undoes, e.Key = true, e.Key, e.Key+"/undo"
	res := p.world.Perform(ctx, e)
	if p.rel.undo(e.Action, &e.Args, m.slot, res.State); len(p.rel.now) == 0 {
		return fmt.Errorf("the undo of %s is %s (%s), which the model does not allow", e.Action, res.State, res.Why)
	}
	return nil
}

func (p *play) sendTo(ctx context.Context, site, rcpt string) error {
	if !p.room(int(bounds.Out), facts.GwQMTA, facts.GwQMTSOut, facts.GwQOut) {
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
	synctest.Wait()
	return nil
}

// destination changes what the destination does. One that has refused for good
// takes mail again only for messages that come later.
func (p *play) destination(to uint8, answer func(string) *smtpd.Reply) error {
	if to == model.DestUp && p.fact(facts.GwQOut) > 0 && p.anyDead() {
		return nil
	}
	p.far.say(answer)
	p.rel.each(func(s *state) bool { s.w.Dest = to; return true })
	return nil
}

func (p *play) anyDead() bool {
	for s := range p.rel.now {
		if s.w.Dest == model.DestDead {
			return true
		}
	}
	return false
}

func (p *play) successorTo(ctx context.Context, m gateway.Mode, move model.Move) error {
	if (p.fact(facts.NextAccepts) == 1) != (move == model.SuccessorFails) {
		return nil
	}
	p.rel.take(false, move)
	return p.successor(ctx, fmt.Sprintf("w%d", p.n), gateway.SettingsPatch{Mode: &m})
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
	p.rel.each(func(s *state) bool { s.w.Decide(&machine.Choice{Names: about}); return true })
	return nil
}
