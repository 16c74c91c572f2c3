package conformance

import (
	"context"
	"time"

	"example.org/ims/internal/mail/smtpd"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// effect is what a run can do.
type effect struct {
	action machine.ActionName
	args   machine.Args
}

// targets are what an effect is on, one after the other. To the model what they
// do is one thing.
func (e effect) targets() []string {
	switch {
	case e.action == machine.DNSRRset && (e.args.Type == "MX" || e.args.SPF != ""):
		return []string{domain}
	case e.action == machine.DNSRRset && e.args.Type == "TXT": // of the drain name, and of those it sends for
		return []string{east, domain}
	case e.args.OnSuccessor:
		return []string{west}
	}
	return []string{east}
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
	"store flush time-outs":         {machine.GatewayConfig, machine.Args{Timeouts: time.Hour, Retry: []time.Duration{15 * time.Minute}}},
	"stop":                          {machine.GatewayRunning, machine.Args{Running: "stopped"}},
	"start":                         {machine.GatewayRunning, machine.Args{Running: "started"}},
	"restart":                       {machine.GatewayRunning, machine.Args{Running: "restarted"}},
	"remove spaces":                 {machine.RouteSpaces, machine.Args{Empty: true}},
	"remove sites":                  {machine.RouteSites, machine.Args{Empty: true}},
	"move mx":                       {machine.DNSRRset, machine.Args{Type: "MX", Successor: west}},
	"return what is in out":         {machine.QueueReturn, machine.Args{}},
	"retry now":                     {machine.QueueRetry, machine.Args{}},
	"remove the gateway":            {machine.GatewayAbsent, machine.Args{}},

	"hold what is old":     {machine.QueueHold, machine.Args{OlderThan: 48 * time.Hour}},
	"release what is held": {machine.QueueRelease, machine.Args{Select: machine.SelectHeld}},
	"return what is held":  {machine.QueueReturn, machine.Args{Select: machine.SelectHeld}},
	"export what is held":  {machine.QueueExport, machine.Args{Select: machine.SelectHeld}},

	"null mx":  {machine.DNSRRset, machine.Args{Type: "MX", NullMX: true}},
	"spf none": {machine.DNSRRset, machine.Args{Type: "TXT", SPF: "none"}},

	"drain A":    {machine.DNSRRset, machine.Args{Type: "A", Drain: true}},
	"drain AAAA": {machine.DNSRRset, machine.Args{Type: "AAAA", Drain: true}},
	"drain PTR":  {machine.DNSRRset, machine.Args{Type: "PTR", Drain: true}},
	"drain SPF":  {machine.DNSRRset, machine.Args{Type: "TXT", Drain: true}},
	"flip A":     {machine.DNSRRset, machine.Args{Type: "A", Successor: west}},
	"flip AAAA":  {machine.DNSRRset, machine.Args{Type: "AAAA", Successor: west}},

	"split next": {machine.RouteSpaces, machine.Args{Spaces: []string{nextSpaces}, OnSuccessor: true}},
	"split here": {machine.RouteSpaces, machine.Args{Spaces: []string{hereSpaces}}},
	"limit here": {machine.GatewayConfig, machine.Args{MaxInbound: 20, MaxOutbound: 20, Restart: true}},
	"limit next": {machine.GatewayConfig, machine.Args{MaxInbound: 40, MaxOutbound: 40, Restart: true, OnSuccessor: true}},
	"name next":  {machine.DNSRRset, machine.Args{Type: "MX", Also: true, Successor: west}},
}

// others are the ops that are no effects.
var others = map[op]func(context.Context, *play) error{
	"undo":                        func(ctx context.Context, p *play) error { return p.undoLast(ctx) },
	"send from hq":                func(ctx context.Context, p *play) error { return p.sendTo(ctx, "hq", "joe@"+far) },
	"send from branch":            func(ctx context.Context, p *play) error { return p.sendTo(ctx, "branch", "joe@"+far) },
	"send to the connected site":  func(ctx context.Context, p *play) error { return p.sendTo(ctx, "hq", "sue@remote.example") },
	"mail arrives":                func(ctx context.Context, p *play) error { return p.arrives(ctx, user) },
	"mail for nobody arrives":     func(ctx context.Context, p *play) error { return p.arrives(ctx, refused) },
	"destination up":              func(_ context.Context, p *play) error { return p.destination(model.DestUp, nil) },
	"destination defers":          func(_ context.Context, p *play) error { return p.destination(model.DestDeferring, say(450, "4.2.0")) },
	"destination dies":            func(_ context.Context, p *play) error { return p.destination(model.DestDead, say(550, "5.1.1")) },
	"successor fails":             func(_ context.Context, p *play) error { return p.successorIs(true, model.SuccessorFails) },
	"successor back":              func(_ context.Context, p *play) error { return p.successorIs(false, model.SuccessorBack) },
	"successor sends nothing":     func(ctx context.Context, p *play) error { return p.sends(ctx, gateway.InboundOnly) },
	"successor sends again":       func(ctx context.Context, p *play) error { return p.sends(ctx, gateway.InboundOutbound) },
	"another gets routes":         func(ctx context.Context, p *play) error { return p.joins(ctx, true) },
	"another loses its routes":    func(ctx context.Context, p *play) error { return p.joins(ctx, false) },
	"dependents moved":            func(ctx context.Context, p *play) error { return p.dependentsMoved(ctx) },
	"settings taken":              func(ctx context.Context, p *play) error { return p.settingsTaken(ctx) },
	"decide on late clients":      func(ctx context.Context, p *play) error { return p.decide(ctx, machine.SubjectLate) },
	"decide on what was absorbed": func(ctx context.Context, p *play) error { return p.decide(ctx, machine.SubjectAbsorbed) },
	"decide on old mail":          func(ctx context.Context, p *play) error { return p.decide(ctx, machine.SubjectAged) },
	"decide on what differs":      func(ctx context.Context, p *play) error { return p.decide(ctx, machine.SubjectDiffers) },
	"decide on what has no route": func(ctx context.Context, p *play) error { return p.decide(ctx, machine.SubjectNoRoute) },
}

func say(code int, status string) func(string) *smtpd.Reply {
	return func(string) *smtpd.Reply { return smtpd.Refuse(code, status, "as told") }
}
