package wire

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"example.org/ims/internal/plan"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/runbooks"
)

// TestMaintenancePlanIsAccepted: a state whose effect is undone at the end is
// compared with itself, not with its undo.
func TestMaintenancePlanIsAccepted(t *testing.T) {
	o := newSmall(t)
	old, raw := o.planOf(runner.Request{Runbook: "maintenance"})
	back := 0
	for i := range old.States {
		if old.States[i].Back {
			back++
		}
	}
	if back == 0 {
		t.Fatal("nothing is undone on the path: the test proves nothing")
	}
	if err := o.open(raw); err != nil {
		t.Errorf("the plan is refused: %v", err)
	}
}

// TestPlanOfAnotherOrganizationIsRefused: of the same shape, with the same names.
func TestPlanOfAnotherOrganizationIsRefused(t *testing.T) {
	here, there := newSmall(t), newSmall(t)
	_, raw := there.plan()
	drift, ok := errors.AsType[*runner.DriftError](here.open(raw))
	if !ok {
		t.Fatalf("the plan is taken: %v", drift)
	}
	var names []string
	for _, d := range drift.Differences {
		if d.What == "place" {
			names = append(names, d.Name)
		}
	}
	want := []string{
		"socket of east", "listener of east", "socket of west", "listener of west", "server for example.test", "authorities for example.test",
	}
	if !slices.Equal(names, want) {
		t.Errorf("places that differ are %q, want %q", names, want)
	}
	if err := there.open(raw); err != nil {
		t.Errorf("where it was made, it is refused: %v", err)
	}
}

// without are the effects for which there is no command, and why.
var without = map[string]string{
	"replace/drain_aaaa":    "AAAA is as it is to be", // the machine has no IPv6 address
	"replace/flip_aaaa":     "AAAA is as it is to be",
	"maintenance/come_back": "it is done by what follows",
}

// handPlan is a plan of a shipped runbook in a town where west depends on east.
func handPlan(t *testing.T, name string) (*town, *plan.Plan) {
	t.Helper()
	alone := name == "last-gateway"
	o := newTown(t, alone)
	o.cfg.Retire.Params = nil // not every runbook has them
	o.apply("east", gateway.Want{Sites: &[]gateway.Site{{Name: "branch", Cost: 1, RoutingAddress: "bridge.example.test"}}})
	if !alone {
		forward := "east.example.test"
		o.set("west", gateway.SettingsPatch{ForwardHost: &forward, Restart: true})()
	}
	params := map[string]string{}
	if name == "add-successor" {
		params = map[string]string{"next_spaces": "SMTP:*.org 1, SMTP:* 5", "here_spaces": "SMTP:* 5", "next_inbound": "1", "next_outbound": "4"}
	}
	p, _ := o.planOf(runner.Request{Runbook: name, Params: params})
	return o, p
}

// TestByHandHasCommands wants commands for every effect of every shipped runbook,
// and makes the changes of records with them, and takes them back.
func TestByHandHasCommands(t *testing.T) {
	used := map[string]bool{}
	for _, name := range runbooks.Names() {
		t.Run(name, func(t *testing.T) {
			o, p := handPlan(t, name)
			steps := p.ByHand(plan.Begun{})
			for i, h := range steps {
				if h.Kind != machine.KindDo.String() {
					continue
				}
				key := name + "/" + h.State
				if len(h.Do) == 0 {
					why := strings.Join(h.Nothing, "; ")
					if want := without[key]; want == "" || !strings.Contains(why, want) {
						t.Errorf("step %d, %s, has no command: %q, %q", i+1, key, why, h.Warning)
					}
					used[key] = true
				}
				if len(h.See) == 0 && len(h.Do) > 0 {
					t.Errorf("%s: nothing shows that it is done", key)
				}
				if s := p.States[i].Undo; s != nil && s.Kind == plan.Restore && len(h.Undo) != len(h.Do) && h.State != "hold_aged" {
					t.Errorf("%s: %d commands, and %d to undo them:\n%s", key, len(h.Do), len(h.Undo), strings.Join(append(h.Do, h.Undo...), "\n"))
				}
			}
			o.recordsByHand(p, steps)
		})
	}
	for key := range without {
		if !used[key] {
			t.Errorf("%s has commands: take it off the list", key)
		}
	}
}

// recordsByHand makes each change of records of a plan with its commands, and
// takes them back, the newest first.
func (o *town) recordsByHand(p *plan.Plan, steps []plan.Hand) {
	o.t.Helper()
	if _, err := exec.LookPath("nsupdate"); err != nil {
		o.t.Log("nsupdate is not installed: no record was changed")
		return
	}
	var did []int
	for i := range p.States {
		if s := &p.States[i]; s.Do != nil && s.Do.Action == machine.DNSRRset {
			o.shell(steps[i].Do)
			did = append(did, i)
			for _, c := range s.Changes {
				o.recordsAre(c.After)
			}
		}
	}
	for _, i := range slices.Backward(did) {
		o.shell(steps[i].Undo)
		for _, c := range p.States[i].Changes {
			o.recordsAre(c.Before)
		}
	}
}

func (o *town) shell(commands []string) {
	o.t.Helper()
	for _, c := range commands {
		cmd := exec.CommandContext(o.t.Context(), "sh", "-e")
		cmd.Stdin = strings.NewReader(c)
		if out, err := cmd.CombinedOutput(); err != nil {
			o.t.Fatalf("%v: %s\n%s", err, out, c)
		}
	}
}

// recordsAre compares lines of a plan with what the servers have. The lines of an
// MX are one a record.
func (o *town) recordsAre(lines []string) {
	o.t.Helper()
	have := map[string][]string{}
	for _, l := range lines {
		sets, err := plan.Records(l)
		if err != nil {
			o.t.Fatal(err)
		}
		for _, rr := range sets {
			key := rr.Name + " " + rr.Type
			have[key] = append(have[key], rr.Data...)
		}
	}
	want := map[string]string{}
	for key, data := range have {
		slices.Sort(data)
		want[strings.Replace(key, "arpa. ", "arpa ", 1)] = strings.Join(data, " | ")
	}
	o.records(want)
}
