package preflight

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
	"example.org/ims/pkg/runbook"
	"example.org/ims/runbooks"
)

var now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// bound are the runbooks that tests share: they do not change.
var bound sync.Map

// book is a shipped runbook, bound to east and west.
func book(t *testing.T, name string) *runbook.Book {
	t.Helper()
	if b, ok := bound.Load(name); ok {
		return b.(*runbook.Book)
	}
	src, err := runbooks.FS.ReadFile(name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, mistakes := runbook.Load(name+".yaml", src)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	b, mistakes := runbook.Bind(doc, runbook.Binding{Gateway: "east", Successor: "west", Domains: []string{"example.test"}})
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	bound.Store(name, b)
	return b
}

// serving is a world in which nothing stands in the way, less what a test
// changes.
func serving(change map[facts.ID]facts.Value) *Snapshot {
	set := facts.NewSet()
	good := map[facts.ID]facts.Value{
		facts.GwExists: 1, facts.GwRunning: 1, facts.GwMode: 0, facts.GwModeSet: 0, facts.GwReply: facts.ReplyAccept, facts.GwAccepts: 1,
		facts.NextAccepts: 1, facts.NextSends: 1, facts.NextCoversIn: 1, facts.NextCoversOut: 1, facts.MxHere: 1, facts.MxAgree: 1, facts.RouteHere: 1,
	}
	for _, id := range facts.All() {
		if name := id.String(); strings.HasPrefix(name, "run.") || id == facts.GwArrivals {
			continue
		}
		v := good[id]
		if c, ok := change[id]; ok {
			v = c
		}
		f := facts.Fact{ID: id, Value: v, At: now, From: now, Source: "test", Provenance: facts.Live}
		if v == facts.Unknown {
			f.Provenance, f.Why = facts.NotKnown, "nobody answers"
		}
		set.Put(f)
	}
	tls := Certificate{Offered: true, Covers: true, NotAfter: now.AddDate(1, 0, 0)}
	both := Answers{Known: Answer{"accept", "250"}, Random: Answer{"permanent", "550 no such user"}}
	return &Snapshot{
		Gateway: "east", Successor: "west", Runbook: "q285090", Domains: []string{"example.test"}, Made: now, Cached: now.Add(2 * time.Hour),
		Facts:    FactsOf(set),
		Outbound: Outbound{At: now, Parts: []Part{{Name: "SMTP:*", From: "hq", Verdict: "covered", Why: "west carries it"}, {Name: "branch", Verdict: "covered", Why: "west reaches it"}}},
		Inbound: Inbound{
			At: now, MX: []Zone{{Name: "example.test"}}, Fix: "add DOMAIN to organization.domains", Old: Host{Name: "east.example.test", TLS: tls},
			New:   Host{Name: "west.example.test", Address: "192.0.2.2:25", SizeKnown: true, Size: 1000, TLS: tls},
			Named: Named{Verdict: Pass, Why: "west.example.test leads to 192.0.2.2, and not to east"},
			List:  []Domain{{Name: "example.test", From: []string{"configuration"}, Rcpt: "a@example.test", Random: "x@example.test", Messages: 3, Largest: 900, Old: both, New: both}},
		},
		Dependents: []Dependents{{Gateway: "west", At: now}},
		People:     []Person{{"anna", "approve"}, {"op", "operate"}},
		Told:       []Told{{Target: "ops", Way: "exec"}},
	}
}

func report(t *testing.T, in Input) *Report {
	t.Helper()
	if in.Book == nil {
		in.Book = book(t, "q285090")
	}
	if in.Made.IsZero() {
		in.Made = now
	}
	r, err := Make(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wrong lists the checks that do not pass, with their verdicts.
func wrong(r *Report) []string {
	var out []string
	for i := range r.Checks {
		if c := &r.Checks[i]; c.Verdict != Pass {
			out = append(out, string(c.Verdict)+" "+c.ID)
		}
	}
	return out
}

func TestNothingStandsInTheWay(t *testing.T) {
	r := report(t, Input{Snapshot: serving(nil)})
	if r.Verdict != verdict.Ready || len(wrong(r)) > 0 || r.Counts.OK != len(r.Checks) {
		t.Errorf("verdict = %s, wrong %q", r.Verdict, wrong(r))
	}
	for _, want := range []string{
		"ready.assert[0]", "consent_no_route.when[0]", "consent_inbound.when[0]", "move_mx.pre[0]", "move_mx.pre[1]",
		"cover.out.SMTP:*@hq", "cover.site.branch", "cover.in.example.test.recipient", "cover.in.example.test.stranger", "cover.in.example.test.size", "cover.in.tls", "dependents.west",
	} {
		if !slices.ContainsFunc(r.Checks, func(c Check) bool { return c.ID == want }) {
			t.Errorf("%s was not checked", want)
		}
	}
	// Two hours of caches, and every wait of the runbook at its default.
	if want := now.Add(2*time.Hour + 24*time.Hour + 24*time.Hour + 30*time.Minute + 15*time.Minute + 5*24*time.Hour + 3*24*time.Hour); !r.Ends.Equal(want) {
		t.Errorf("ends %s, want %s", r.Ends, want)
	}
}

// What the run itself brings about is neither a failure now nor a pass.
func TestGuardsOfTheFutureAreNotJudged(t *testing.T) {
	r := report(t, Input{Snapshot: serving(map[facts.ID]facts.Value{facts.GwQTotal: 9, facts.LedgerPresent: 9, facts.RouteStale: 1})})
	later := map[string]string{}
	for _, l := range r.Later {
		later[l.ID] = l.Why
	}
	for id, why := range map[string]string{
		"mx_agrees.until[0]": "mx.here, mx.wanted, mx.agree: changed by move_mx", "drain.until[0]": "gw.q.total: ",
		"late_decision.when[0]": "late.never_follow: known once the MX has moved", "watch.until[1]": "gw.arrivals: counted",
		"remove.pre[3]": "gw.q.total: ", "refusing.until[0]": "gw.mode: changed by outbound_only", "aged_decision.when[0]": "gw.side.hold: changed by hold_aged", "gone.assert[0]": "gw.exists: changed by remove",
	} {
		if !strings.Contains(later[id], why) {
			t.Errorf("%s: %q, want it not judged yet: %q", id, later[id], why)
		}
	}
	if r.Verdict != verdict.Ready {
		t.Errorf("verdict = %s: %q", r.Verdict, wrong(r))
	}
	judged := len(r.Checks) + len(r.Later)
	if len(r.Later) < 20 || judged < 40 {
		t.Errorf("%d guards and parts are judged, %d are not: too few", len(r.Checks), len(r.Later))
	}
}

func TestVerdicts(t *testing.T) {
	tests := []struct {
		name   string
		change map[facts.ID]facts.Value
		want   verdict.Whole
		checks []string
	}{
		{"stopped", map[facts.ID]facts.Value{facts.GwRunning: 0}, verdict.Blocked, []string{"fail ready.assert[0]"}},
		{"mode none", map[facts.ID]facts.Value{facts.GwMode: 3}, verdict.Blocked, []string{"fail ready.assert[1]"}},
		{"not covered", map[facts.ID]facts.Value{facts.RouteUncovered: 1}, verdict.Asks, []string{"ask consent_no_route.when[0]"}},
		{"nobody knows", map[facts.ID]facts.Value{facts.RouteUncovered: facts.Unknown}, verdict.NotKnown, []string{"unknown consent_no_route.when[0]"}},
		{"a decision of the run could make it good", map[facts.ID]facts.Value{facts.NextCoversIn: 0}, verdict.Asks, []string{"ask consent_inbound.when[0]"}},
		{"any question beats any unknown", map[facts.ID]facts.Value{facts.RouteUncovered: 1, facts.NextCoversIn: facts.Unknown}, verdict.Asks, []string{"ask consent_no_route.when[0]", "unknown consent_inbound.when[0]"}},
		{"any fail beats any question", map[facts.ID]facts.Value{facts.RouteUncovered: 1, facts.GwRunning: 0}, verdict.Blocked, []string{"fail ready.assert[0]", "ask consent_no_route.when[0]"}},
		{"any fail beats any unknown", map[facts.ID]facts.Value{facts.RouteUncovered: facts.Unknown, facts.GwRunning: 0}, verdict.Blocked, []string{"fail ready.assert[0]", "unknown consent_no_route.when[0]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := report(t, Input{Snapshot: serving(tt.change)})
			if diff := cmp.Diff(tt.checks, wrong(r)); diff != "" || r.Verdict != tt.want {
				t.Errorf("verdict %s, want %s (-want +got):\n%s", r.Verdict, tt.want, diff)
			}
			for i := range r.Checks {
				if c := &r.Checks[i]; c.Verdict != Pass && (c.Reason == "" || c.Fix == "" || len(c.Facts)+len(c.Missing) == 0) {
					t.Errorf("%s does not say why, what helps, or what it relies on: %+v", c.ID, c)
				}
			}
		})
	}
}

// TestQuestionsAreToldApart wants what the run puts to people counted as a
// question, with the parts that it is about, and everything else as a blocker.
func TestQuestionsAreToldApart(t *testing.T) {
	s := serving(map[facts.ID]facts.Value{facts.RouteUncovered: 2, facts.NextCoversIn: 0})
	s.Outbound.Parts = []Part{{Name: "SMTP:*", From: "hq", Verdict: "uncovered", Why: "no route", Fix: "ims route add west --pattern '*'"}, {Name: "branch", Verdict: "uncovered", Why: "no route", Fix: "ims route connect west"}}
	d := s.Inbound.List[0]
	d.New = Answers{Known: Answer{"permanent", "550 5.7.1 relaying denied"}, Random: Answer{"permanent", "550 5.1.1 no such user"}}
	other := d
	other.Name = "other.test" // known from the log alone: the run asks nothing about it
	s.Inbound.List = []Domain{d, other}
	r := report(t, Input{Snapshot: s})
	for id, want := range map[string]string{
		"consent_no_route.when[0]": "consent_no_route", "cover.out.SMTP:*@hq": "consent_no_route", "cover.site.branch": "consent_no_route",
		"consent_inbound.when[0]": "consent_inbound", "cover.in.example.test.recipient": "consent_inbound",
	} {
		if c := find(t, r, id); c.Verdict != Ask || c.Asked != want || c.Fix == "" {
			t.Errorf("%+v, want a question of %s", c, want)
		}
	}
	if c := find(t, r, "consent_no_route.when[0]"); c.Fix != "ims route add west --pattern '*' && ims route connect west" || !strings.HasSuffix(c.Reason, ": SMTP:*, branch") {
		t.Errorf("the question does not name its parts and what helps: %+v", c)
	}
	x400 := serving(map[facts.ID]facts.Value{facts.RouteUncovered: 1})
	x400.Outbound.Parts = append(x400.Outbound.Parts, Part{Name: "X400:c=us", Verdict: "undecided", Why: "it could not be decided", Fix: "ims route add west --type X400 --pattern c=us"})
	if c := find(t, report(t, Input{Snapshot: x400}), "consent_no_route.when[0]"); c.Fix != "ims route add west --type X400 --pattern c=us" || !strings.HasSuffix(c.Reason, ": X400:c=us (could not be decided)") {
		t.Errorf("the question does not name a space of another type: %+v", c)
	}
	if c := find(t, r, "cover.in.other.test.recipient"); c.Verdict != Fail || c.Asked != "" {
		t.Errorf("%+v, want a blocker", c)
	}
	if got := r.Counts.String(); r.Verdict != verdict.Blocked || !strings.HasPrefix(got, "1 blocker, 2 questions, 0 unknown, ") {
		t.Errorf("%s: %s", r.Verdict, got)
	}
	var asked []string
	for _, q := range r.Questions {
		asked = append(asked, q.State)
		if q.Ask == "" || q.Min != 1 || q.Expires == "" {
			t.Errorf("question %+v does not say whom it asks what", q)
		}
	}
	if diff := cmp.Diff([]string{"consent_no_route", "consent_inbound"}, asked); diff != "" {
		t.Errorf("questions (-want +got):\n%s", diff)
	}
	s.Inbound.List = []Domain{d}
	all := []Waiver{}
	for _, id := range []string{"consent_no_route.when[0]", "cover.out.SMTP:*@hq", "cover.site.branch"} {
		all = append(all, Waiver{ID: id, Reason: "nobody writes there", By: "anna", Expires: now.Add(time.Hour)})
	}
	r = report(t, Input{Snapshot: s, Waivers: all})
	if r.Verdict != verdict.Asks || len(r.Questions) != 1 || r.Questions[0].State != "consent_inbound" {
		t.Errorf("with one question waived: %s, %+v", r.Verdict, r.Questions)
	}
	r = report(t, Input{Snapshot: s, Waivers: all[:1]})
	if len(r.Questions) != 2 {
		t.Errorf("a question of which one part is waived is no question any more: %+v", r.Questions)
	}
}

// TestChangesAgreeWithTheModel performs every action in the model: a fact that
// moves there must be one that guards after it are not judged by.
func TestChangesAgreeWithTheModel(t *testing.T) {
	full := serving(map[facts.ID]facts.Value{
		facts.GwQMTA: 2, facts.GwQMTSOut: 2, facts.GwQOut: 2, facts.GwQIn: 2, facts.GwQMTSIn: 2, facts.GwSideHold: 2, facts.GwAged: 2,
		facts.RouteSites: 2, facts.RouteDependents: 2, facts.RouteUncovered: 1, facts.MxAgree: 1,
	})
	set, err := full.Set()
	if err != nil {
		t.Fatal(err)
	}
	seed := set.Vector()
	args := []machine.Args{
		{Mode: "outbound-only", Restart: true, Refuse: "rcpt"},
		{Mode: "none", Restart: true},
		{Refuse: "closed", Restart: true},
		{Timeouts: time.Hour, Restart: true},
		{MaxInbound: 3, MaxOutbound: 3},
		{Running: "stopped"},
		{Empty: true},
		{Spaces: []string{"SMTP:* 1"}},
		{Type: "MX", Successor: "west"},
		{Type: "MX", NullMX: true},
		{Type: "MX", Also: true},
		{Type: "TXT", SPF: "none"},
		{Type: "A", Drain: true},
		{Type: "A", Successor: "west"},
		{OlderThan: time.Hour},
		{Select: machine.SelectHeld},
		{},
	}
	moved := 0
	for _, a := range []machine.ActionName{
		machine.GatewayMode, machine.GatewayConfig, machine.GatewayRunning, machine.GatewayAbsent, machine.GatewayDependents, machine.RouteSpaces,
		machine.RouteSites, machine.DNSRRset, machine.QueueHold, machine.QueueRelease, machine.QueueReturn, machine.QueueRedirect, machine.QueueExport,
	} {
		for _, arg := range args {
			world, _ := model.Seed(&seed)
			before := world.Facts()
			after := world.Do(a, arg).Facts()
			may := changes(&machine.Do{Action: a, Args: arg, Targets: []string{"east"}}, &seed)
			for _, id := range facts.All() {
				if before[id] == after[id] {
					continue
				}
				moved++
				if !slices.Contains(may, id) && !strings.HasPrefix(id.String(), "run.") {
					t.Errorf("%s %+v changes %s, and guards after it would be judged by the value of before", a, arg, id)
				}
			}
		}
	}
	if moved < 20 {
		t.Errorf("the model changed %d facts in all: it proves nothing", moved)
	}
}

func TestDependents(t *testing.T) {
	clear, open := Naming{What: "forward host is east", Fix: "ims gateway set west --forward-host other"}, Naming{What: "site branch", Fix: "decide: where to", Open: true}
	tests := []struct {
		name string
		d    Dependents
		want Verdict
		text string
	}{
		{"nobody", Dependents{}, Pass, "none names it"},
		{"what the run changes", Dependents{Names: []Naming{clear}}, Pass, "changed by move_dependents: forward host is east"},
		{"what somebody must decide", Dependents{Names: []Naming{clear, open}}, Fail, "site branch"},
		{"what nobody knows", Dependents{Err: "west does not answer", Names: []Naming{clear}}, Unknown, "west does not answer"},
	}
	for _, tt := range tests {
		s := serving(nil)
		tt.d.Gateway, tt.d.At = "west", now
		s.Dependents = []Dependents{tt.d}
		r := report(t, Input{Snapshot: s})
		c := find(t, r, "dependents.west")
		if c.Verdict != tt.want || c.Reason != tt.text || (c.Fix == "") != (tt.want == Pass) {
			t.Errorf("%s: %+v, want %s: %s", tt.name, c, tt.want, tt.text)
		}
	}
}

func find(t *testing.T, r *Report, id string) Check {
	t.Helper()
	for _, c := range r.Checks {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("no check %s", id)
	return Check{}
}

func TestAnOpenRunBlocks(t *testing.T) {
	s := serving(nil)
	s.Runs = []string{"east-2"}
	r := report(t, Input{Snapshot: s})
	if c := find(t, r, "open-run.east-2"); c.Verdict != Fail || c.Fix != "ims status east-2" || r.Verdict != verdict.Blocked {
		t.Errorf("%s: %+v", r.Verdict, c)
	}
}
