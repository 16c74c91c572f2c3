package guard

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

func compile(t *testing.T, expr string) *Guard {
	t.Helper()
	c, err := NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	g, errs := c.Compile("test", expr)
	if len(errs) > 0 {
		t.Fatalf("Compile(%q): %v", expr, errs)
	}
	return g
}

func TestEval(t *testing.T) {
	known := facts.Vector{}
	with := func(set map[facts.ID]facts.Value) facts.Vector {
		v := known
		for id, x := range set {
			v[id] = x
		}
		return v
	}
	const expr = "gw.q.total == 0 && !mx.here && gw.mode == 'outbound-only'"
	tests := []struct {
		name    string
		expr    string
		facts   facts.Vector
		want    machine.Verdict
		missing []facts.ID
	}{
		{"pass", expr, with(map[facts.ID]facts.Value{facts.GwMode: 2}), machine.Pass, nil},
		{"fail", expr, with(map[facts.ID]facts.Value{facts.GwMode: 2, facts.GwQTotal: 3}), machine.Fails, nil},
		{"unknown names what to observe", expr, with(map[facts.ID]facts.Value{facts.GwMode: 2, facts.GwQTotal: facts.Unknown}), machine.Unknown, []facts.ID{facts.GwQTotal}},
		{"a known fact decides over an unknown one", expr, with(map[facts.ID]facts.Value{facts.MxHere: 1, facts.GwQTotal: facts.Unknown}), machine.Fails, nil},
		{"either side of or decides", "next.covers_in || run.granted('inbound_loss')", with(map[facts.ID]facts.Value{facts.NextCoversIn: facts.Unknown, facts.RunGrantedInboundLoss: 1}), machine.Pass, nil},
		{"nothing known", expr, facts.UnknownVector(), machine.Unknown, []facts.ID{facts.GwMode, facts.GwQTotal, facts.MxHere}},
		{"a store called in", "gw.q.in == 0", with(map[facts.ID]facts.Value{facts.GwQIn: 2}), machine.Fails, nil},
		{"two measures", "gw.expiring <= run.may_expire", with(map[facts.ID]facts.Value{facts.GwExpiring: 4, facts.RunMayExpire: 4}), machine.Pass, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := compile(t, tt.expr).Eval(&tt.facts)
			if got.Verdict != tt.want {
				t.Errorf("verdict = %v, want %v", got.Verdict, tt.want)
			}
			if diff := cmp.Diff(tt.missing, got.Missing); diff != "" {
				t.Errorf("missing facts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompileErrors(t *testing.T) {
	c, err := NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		expr string
		col  int
		want string
	}{
		{"gw.q.totl == 0", 5, `unknown fact "gw.q.totl"; did you mean "gw.q.total"?`},
		{"gw.running && mx.hree", 17, `unknown fact "mx.hree"; did you mean "mx.here"?`},
		{"gw.running && gw.qq.total == 0", 20, `unknown fact "gw.qq.total"; did you mean "gw.q.total"?`},
		{"late.hosts == 0", 1, `unknown fact "late.hosts"; there are late.clients, late.never_follow, late.quiet`},
		{"gw.q.total == '0'", 12, "no matching overload"},
		{"gw.q.total", 1, "a guard is true or false, this is a int"},
		{"gw.mode == 'outbound_only'", 12, `gw.mode is never "outbound_only": want one of inbound-outbound`},
		{"run.granted('ndr')", 13, `unknown kind of consent "ndr"`},
		{"gw.running && ", 15, "Syntax error"},
		{"[1,2].exists(x, x == gw.q.out)", 14, ""},
	}
	for _, tt := range tests {
		_, errs := c.Compile("g", tt.expr)
		if len(errs) == 0 {
			t.Errorf("Compile(%q) succeeded, want an error", tt.expr)
			continue
		}
		if !strings.Contains(errs[0].Message, tt.want) {
			t.Errorf("Compile(%q) = %q, want %q in it", tt.expr, errs[0].Message, tt.want)
		}
		if tt.want != "" && (errs[0].Line != 1 || errs[0].Column != tt.col) {
			t.Errorf("Compile(%q) points to %d:%d, want 1:%d", tt.expr, errs[0].Line, errs[0].Column, tt.col)
		}
	}
}

func BenchmarkEval(b *testing.B) {
	c, err := NewCompiler()
	if err != nil {
		b.Fatal(err)
	}
	g, _ := c.Compile("b", "!mx.here && !route.here && !route.stale && gw.q.total == 0 && ledger.unaccounted == 0")
	var v facts.Vector
	for b.Loop() {
		g.Eval(&v)
	}
}
