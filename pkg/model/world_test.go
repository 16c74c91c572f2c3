package model_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// walk leads from a start over moves and effects to anywhere.
func walk(t *rapid.T) (model.Rules, model.World) {
	r := model.Rules{Bounds: model.DefaultBounds(), Params: model.Params{NonePicksUp: rapid.Bool().Draw(t, "picks up")}}
	starts := r.Starts(rapid.SampledFrom(machine.AllBegins()).Draw(t, "begins"))
	w := starts[rapid.IntRange(0, len(starts)-1).Draw(t, "start")].World
	for range rapid.IntRange(0, 30).Draw(t, "moves") {
		if rapid.IntRange(0, 4).Draw(t, "effect") == 0 {
			e := effects[rapid.IntRange(0, len(effects)-1).Draw(t, "which")]
			w.Apply(e.action, &e.args)
			continue
		}
		steps := r.AppendMoves(nil, &w)
		if len(steps) == 0 {
			break
		}
		w = steps[rapid.IntRange(0, len(steps)-1).Draw(t, "move")].To
	}
	return r, w
}

var effects = []struct {
	action machine.ActionName
	args   machine.Args
}{
	{machine.GatewayMode, machine.Args{Mode: "outbound-only", Refuse: "rcpt", Restart: true}},
	{machine.GatewayMode, machine.Args{Mode: "none"}},
	{machine.GatewayConfig, machine.Args{Refuse: "closed", Restart: true}},
	{machine.GatewayConfig, machine.Args{Timeouts: 1}},
	{machine.GatewayRunning, machine.Args{Running: "stopped"}},
	{machine.GatewayRunning, machine.Args{Running: "restarted"}},
	{machine.RouteSpaces, machine.Args{Empty: true}},
	{machine.RouteSites, machine.Args{Empty: true}},
	{machine.DNSRRset, machine.Args{Type: "MX"}},
	{machine.GatewayConfig, machine.Args{MaxInbound: 30, Restart: true}},
	{machine.GatewayConfig, machine.Args{MaxOutbound: 30, OnSuccessor: true}},
	{machine.GatewayDependents, machine.Args{}},
	{machine.RouteSpaces, machine.Args{Spaces: []string{"SMTP:* 1"}}},
	{machine.RouteSpaces, machine.Args{Spaces: []string{"SMTP:* 1"}, OnSuccessor: true}},
	{machine.DNSRRset, machine.Args{Type: "MX", NullMX: true}},
	{machine.DNSRRset, machine.Args{Type: "MX", Also: true}},
	{machine.DNSRRset, machine.Args{Type: "TXT", SPF: "none"}},
	{machine.DNSRRset, machine.Args{Type: "A"}},
	{machine.DNSRRset, machine.Args{Type: "AAAA"}},
	{machine.DNSRRset, machine.Args{Type: "A", Drain: true}},
	{machine.DNSRRset, machine.Args{Type: "PTR", Drain: true}},
	{machine.QueueHold, machine.Args{}},
	{machine.QueueReturn, machine.Args{Select: machine.SelectHeld}}, // these cannot be undone
	{machine.QueueRelease, machine.Args{}},
	{machine.QueueReturn, machine.Args{}},
}

func TestPackLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, w := walk(t)
		w.Images = rapid.Uint32().Draw(t, "image")
		w.Digest = rapid.Uint32().Draw(t, "digest")
		p := w.Pack()
		if diff := cmp.Diff(w, p.Unpack()); diff != "" {
			t.Fatalf("Unpack(Pack(w)) differs (-want +got):\n%s", diff)
		}
	})
}

func TestFactsAreOfTheSchema(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, w := walk(t)
		v := w.Facts(r.Params)
		for _, id := range facts.All() {
			d := id.Definition()
			switch {
			case d.Type == facts.TypeBool && (v[id] < 0 || v[id] > 1),
				d.Type == facts.TypeEnum && (v[id] < 0 || int(v[id]) >= len(d.Enum)),
				v[id] < 0:
				t.Errorf("%s = %d, which is no %v", id, v[id], d.Type)
			}
		}
		total := v[facts.GwQMTA] + v[facts.GwQMTSOut] + v[facts.GwQOut] + v[facts.GwQIn] + v[facts.GwQMTSIn]
		if total != v[facts.GwQTotal] {
			t.Errorf("gw.q.total = %d, the stores hold %d", v[facts.GwQTotal], total)
		}
	})
}

// TestMovesConserveMail checks that no move makes mail from nothing or lets it
// vanish, except those that say so.
func TestMovesConserveMail(t *testing.T) {
	change := map[model.Move]int{
		model.UserSends: 1, model.MailArrives: 1, model.StrangerArrives: 1,
		model.Delivered: -1, model.ReportDelivered: -1, model.ReportGivenUp: -1, model.Inward: -1, model.NDRInward: -1,
		model.SideHandled: -1, model.HoldHandled: -1,
	}
	rapid.Check(t, func(t *rapid.T) {
		r, w := walk(t)
		for _, s := range r.AppendMoves(nil, &w) {
			got, want := s.To.Held()-w.Held(), change[s.Move]
			returned := s.Move == model.Returned || s.Move == model.Expired || s.Move == model.ExpiredEarly
			if got != want && (!returned || w.NDR != r.Out) { // reports beyond the bound are counted as one
				t.Errorf("%q changes what is held by %d, want %d: %+v", s.Move, got, want, w)
			}
			if s.To == w && s.Move != model.UserSendsNowhere {
				t.Errorf("%q changes nothing: %+v", s.Move, w)
			}
		}
	})
}

func TestUndoRestores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, w := walk(t)
		e := effects[rapid.IntRange(0, len(effects)-4).Draw(t, "which")] // the last three cannot be undone
		if !w.Exists || (e.action == machine.GatewayRunning && e.args.Running == "restarted") {
			return
		}
		before, config := w.Before(e.action, &e.args), w.Config()
		w.Apply(e.action, &e.args)
		if made, ok := w.Made(e.action, &e.args); ok && !made && w.Running {
			t.Errorf("%s %+v is not made after Apply: %+v", e.action, e.args, w)
		}
		w.Undo(e.action, &e.args, before)
		if w.Config() != config || !w.Restored(e.action, &e.args, before) {
			t.Errorf("undo of %s %+v leaves %b, want %b", e.action, e.args, w.Config(), config)
		}
	})
}

// TestDryRunSpeaksTheSameFacts checks that the dry run's world, seeded with the
// facts of a start, says the same facts again.
func TestDryRunSpeaksTheSameFacts(t *testing.T) {
	var starts []model.Start
	for _, b := range machine.AllBegins() {
		starts = append(starts, model.DefaultBounds().Starts(b)...)
	}
	for _, s := range starts {
		v := s.World.Facts(model.Params{})
		seeded, assumed := model.Seed(&v)
		if len(assumed) > 0 {
			t.Errorf("%s: assumed %v", s.Words, assumed)
		}
		again := seeded.Facts()
		for _, id := range facts.All() {
			if v[id] != again[id] {
				t.Errorf("%s: %s is %s for the dry run, %s for the checker", s.Words, id, id.Format(again[id]), id.Format(v[id]))
			}
		}
	}
}

func BenchmarkMoves(b *testing.B) {
	r := model.Rules{Bounds: model.DefaultBounds()}
	w := r.Starts(machine.BeginsServing)[0].World
	w.Out, w.MTSOut, w.In = 1, 1, 1
	var buf []model.Step
	b.ReportAllocs()
	for b.Loop() {
		buf = r.AppendMoves(buf[:0], &w)
		p := w.Pack()
		w = p.Unpack()
	}
}
