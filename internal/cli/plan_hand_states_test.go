package cli

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
	"example.org/ims/runbooks"
)

// shippedPlan is a plan of a shipped runbook for a gateway in service, or for the
// one that it is for.
func shippedPlan(t *testing.T, name string) (*plan.Plan, *runbook.Book) {
	t.Helper()
	text, err := runbooks.FS.ReadFile(name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, mistakes := runbook.Load(name+".yaml", text)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	b := runbook.Binding{Gateway: "east", Successor: "west", Domains: []string{"example.test"}}
	if name == "add-successor" {
		b.Params = map[string]string{"next_spaces": "SMTP:*.org 2", "here_spaces": "SMTP:* 5"}
	}
	book, mistakes := runbook.Bind(doc, b)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return plan.Make(shippedInput(book)), book
}

// shippedInput is what is observed before a run of a shipped runbook.
func shippedInput(book *runbook.Book) plan.Input {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	in := plan.Input{Book: book, Facts: facts.NewSet(), Now: at, Places: plan.Places{Socket: "/run/x.sock", ArchiveDir: "/archive"}}
	in.Before = plan.Before{
		Gateway:   &gateway.Config{Name: "east", Exists: true, Running: true, Spaces: []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1}}, Sites: []gateway.Site{{Name: "branch"}}},
		Successor: &gateway.Config{Name: "west", Exists: true, Running: true},
		Zones:     map[string]zone.RRset{"example.test": zone.NewMX("example.test", 300, zone.MX{Pref: 10, Host: "east.example.test"})},
		Words:     map[string]string{}, Wanted: map[string]string{}, Others: map[string]plan.Others{},
	}
	in.Places.Zones = []plan.Zone{{Domain: "example.test", Zone: "example.test", Server: "192.0.2.53:53", KeyFile: "key"}}
	in.Places.Names = []plan.Zone{{Domain: "name.test", Zone: "name.test", Server: "192.0.2.53:53", KeyFile: "key"}}
	in.Places.Successor, in.Places.Hostname = "west.example.test", "east.example.test"
	for key, r := range plan.Readings(book.Def) {
		switch r.Action {
		case machine.DNSRRset:
			in.Before.Words[key], in.Before.Wanted[key] = "name.test. 300 A 192.0.2.1", "name.test. 300 A 192.0.2.2"
		case machine.GatewayDependents:
			in.Before.Others[key] = plan.Others{Do: []string{"ims gateway set north"}, Undo: []string{"ims gateway set north"}}
		default:
		}
	}
	for _, id := range facts.All() {
		in.Facts.Put(facts.Fact{ID: id, At: at, Provenance: facts.Live, Source: "test"})
	}
	for id, v := range map[facts.ID]facts.Value{
		facts.GwExists: 1, facts.GwRunning: 1, facts.GwAccepts: 1, facts.RouteHere: 1, facts.RouteSites: 1, facts.MxHere: 1, facts.MxAgree: 1,
		facts.NextAccepts: 1, facts.NextSends: 1, facts.NextCoversIn: 1, facts.NextCoversOut: 1, facts.LateQuiet: 1, facts.GwQOut: 3, facts.GwQTotal: 3, facts.LedgerPresent: 3,
	} {
		in.Facts.Put(facts.Fact{ID: id, Value: v, At: at, Provenance: facts.Live, Source: "test"})
	}
	return in
}

// byAction is how the command of each action begins.
var byAction = map[machine.ActionName]string{
	machine.GatewayMode: `ims gateway set east `, machine.GatewayConfig: `ims gateway set (east|west) `, machine.GatewayRunning: `ims gateway (stop|restart) east `,
	machine.GatewayAbsent: `curl --fail-with-body `, machine.GatewayDependents: `ims gateway set north`, machine.RouteSpaces: `ims route (add|remove) (east|west) `,
	machine.RouteSites: `ims route disconnect east `, machine.DNSRRset: `nsupdate -k key `, machine.QueueHold: `ims queue hold east `,
	machine.QueueRelease: `ims queue release east --store hold --held-for 'run east-1, hold_aged' `,
	machine.QueueReturn:  `ims queue return east --store (out --without-reports|hold --held-for 'run east-1, hold_aged') `,
	machine.QueueExport:  `\(set -e; dir=/archive/east-by-hand-`, machine.RunRestore: `#   no command: it is done by what follows`,
}

// TestByHandFromEveryState: wherever a run of a shipped runbook stands, the page
// begins with what finishes that very state, by its commands if it does anything,
// and ends with the end of the runbook.
func TestByHandFromEveryState(t *testing.T) {
	for _, name := range runbooks.Names() {
		pl, book := shippedPlan(t, name)
		by := plan.Begun{Run: "east-1", States: []string{"hold_aged"}}
		steps := pl.ByHand(by)
		beside, err := pl.Beside(by)
		if err != nil {
			t.Fatal(err)
		}
		if !pl.Complete() || len(beside)+len(steps) < len(book.Def.States) {
			t.Fatalf("%s: the plan comes to %v, beside it are %d states", name, pl.Path(), len(beside))
		}
		for i := range book.Def.States {
			st := &book.Def.States[i]
			t.Run(name+"/"+st.ID, func(t *testing.T) {
				d := &handData{Run: "east-1", State: st.ID, Done: by.States, Steps: steps, Beside: beside}
				s := runner.Status{}
				s.Run, s.State, s.Outcome, s.Phase = "east-1", st.ID, machine.Open.String(), machine.Judging.String()
				d.place(s)
				fromHere(t, handString(t, pl, d), book, i)
			})
		}
	}
}

func handString(t *testing.T, pl *plan.Plan, d *handData) string {
	t.Helper()
	var text strings.Builder
	if err := output.New(&text, io.Discard, output.Options{}).Result("plan-by-hand", d, func(p *output.Page) { handPage(p, pl, d) }); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

var stepHeads = regexp.MustCompile(`(?m)^# (\d+) ([a-z_]+):`)

// fromHere checks a page for a run that stands in a state.
func fromHere(t *testing.T, page string, book *runbook.Book, state int) {
	t.Helper()
	st := &book.Def.States[state]
	_, rest, ok := strings.Cut(page, fmt.Sprintf("\n# ======== TO FINISH, from %s on\n", st.ID))
	if !ok {
		t.Fatalf("it does not begin with %s:\n%s", st.ID, page)
	}
	rest, _, _ = strings.Cut(rest, "\n# ======== TO UNDO")
	rest, spare, _ := strings.Cut(rest, "\n# ======== IF IT COMES TO THAT")
	heads := stepHeads.FindAllStringSubmatchIndex(rest, -1)
	for _, h := range stepHeads.FindAllStringSubmatch(rest+spare, -1) {
		if i := book.Def.Find(h[2]); i < 0 || h[1] != strconv.Itoa(book.Def.Number(i)) {
			t.Errorf("state %s has the number %s", h[2], h[1])
		}
	}
	first, last := rest, rest[heads[len(heads)-1][0]:]
	if len(heads) > 1 {
		first = rest[:heads[1][0]]
	}
	if !strings.Contains(first, " "+st.ID+": ") || !strings.Contains(first, "\n#   THE RUN IS HERE") {
		t.Errorf("it does not begin with %s:\n%s", st.ID, first)
	}
	if end := book.Def.Find(stepHeads.FindStringSubmatch(last)[2]); end < 0 || book.Def.States[end].Kind != machine.KindEnd {
		t.Errorf("it does not end with the end:\n%s", last)
	}
	switch st.Kind {
	case machine.KindDo:
		wants(t, first, `(?m)^`+byAction[st.Do.Action])
	case machine.KindWait, machine.KindAssert:
		wants(t, first, `(?m)^#   (must hold|look whether this holds): `)
	case machine.KindApprove:
		wants(t, first, `(?m)^#   decide, and write down who did:`)
		for _, c := range st.Approve.Choices {
			if to := book.Def.States[c.Target]; len(st.Approve.Choices) > 1 && to.Do != nil && c.Target != st.Then[machine.OK] {
				wants(t, first, `(?m)^#       `+byAction[to.Do.Action])
				wants(t, first, `(?m)^#     \(then go on at `+book.Def.States[to.Then[machine.OK]].ID+`\)$`)
			}
		}
	case machine.KindEnd:
	}
	for l := range strings.Lines(spare) {
		if strings.TrimSpace(l) != "" && !strings.HasPrefix(l, "#") && !strings.HasPrefix(l, ":") {
			t.Errorf("what the plan does not predict is a command: %s", l)
		}
	}
}

func wants(t *testing.T, text, pattern string) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(text) {
		t.Errorf("%q is not there:\n%s", pattern, text)
	}
}

// TestByHandUndoesWhatWasDoneAside: what the run did beside the path is undone in
// its turn, and a state that something leads to is on the page, or is an answer.
func TestByHandUndoesWhatWasDoneAside(t *testing.T) {
	pl, _ := shippedPlan(t, "q285090")
	by := plan.Begun{Run: "east-1", States: []string{"move_mx", "hold_aged", "return_aged"}}
	d := &handData{Run: by.Run, State: "drain_help", Done: by.States, Steps: pl.ByHand(by)}
	var err error
	if d.Beside, err = pl.Beside(by); err != nil {
		t.Fatal(err)
	}
	s := runner.Status{}
	s.Run, s.State, s.Outcome = "east-1", "drain_help", machine.Open.String()
	d.place(s)
	var names []string
	for _, h := range d.undoable() {
		names = append(names, h.State)
	}
	if want := []string{"return_aged", "hold_aged", "move_mx"}; !slices.Equal(names, want) {
		t.Errorf("to undo are %v, want %v", names, want)
	}
	if page := handString(t, pl, d); d.Joins != "drain" || !strings.Contains(page, "comes back to\n# the plan at drain;") && !strings.Contains(strings.ReplaceAll(page, "\n# ", " "), "comes back to the plan at drain;") {
		t.Errorf("joins %q:\n%s", d.Joins, page)
	}
	d = &handData{Steps: pl.ByHand(by), Beside: d.Beside}
	if d.Beside, err = pl.Beside(by); err != nil {
		t.Fatal(err)
	}
	page := handString(t, pl, d)
	for _, text := range []string{"\n# ======== IF IT COMES TO THAT", "drain_help: Mail that does not move", "or nothing moves any more: go on at drain_help", "\n#       ims queue return east --store out --without-reports "} {
		if !strings.Contains(page, text) {
			t.Errorf("%q is not on the page:\n%s", text, page)
		}
	}
}
