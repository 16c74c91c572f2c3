package check_test

import (
	"slices"
	"testing"

	"example.org/ims/pkg/check"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// brief bounds are enough to kill a mutant.
func brief() model.Bounds {
	b := model.CIBounds()
	b.Attempts, b.Plain = 1, true
	return b
}

// ci are the bounds of every commit, but for the second attempt at an effect:
// ims runbook check explores that in make prove.
func ci() model.Bounds {
	if raced {
		return briefest()
	}
	b := model.CIBounds()
	b.Attempts = 1
	return b
}

// briefest leaves out reports and what cannot be converted.
func briefest() model.Bounds {
	b := brief()
	b.Reports, b.Bad = 0, false
	return b
}

func violated(t *testing.T, b *check.Runbook, bounds model.Bounds, until ...string) []string {
	t.Helper()
	res, err := check.Run(t.Context(), b, check.Options{Bounds: bounds, Until: until})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, f := range res.Properties {
		if f.Verdict == check.Violated {
			ids = append(ids, f.ID)
		}
	}
	t.Logf("%s: %d states, violated %v", b.Name, res.States, ids)
	return ids
}

type edit func(*check.Runbook, string) (*check.Runbook, error)

// mutants are the shipped runbooks without a measure: without the state that
// takes it, and without the guards elsewhere that repeat it.
var mutants = []struct {
	measure, book, state string
	edits                []edit
	want                 []string
	special              bool // what it guards against is a speciality of some starts
}{
	{measure: "consent", book: "q285090", state: "consent_no_route", edits: measure, want: []string{"S3"}},
	{measure: "consent", book: "eleven-steps", state: "consent_no_route", edits: measure, want: []string{"S3"}},
	{measure: "old-MX wait", book: "q285090", state: "accepting", edits: measure, want: []string{"S2b"}},
	{measure: "old-MX wait", book: "eleven-steps", state: "accepting", edits: measure, want: []string{"S2b"}},
	{measure: "routing settle", book: "q285090", state: "settle", edits: measure, want: []string{"S1", "L1"}},
	{measure: "routing settle", book: "eleven-steps", state: "settle", edits: measure, want: []string{"L1"}},
	{measure: "routing settle", book: "last-gateway", state: "settle", edits: measure, want: []string{"L1"}},
	{measure: "mts-out drain", book: "eleven-steps", state: "drain_mts", edits: measure, want: []string{"L1"}},
	{measure: "flush consent", book: "eleven-steps", state: "flush_consent", edits: measure, want: []string{"S4"}},
	{measure: "final guard", book: "q285090", state: "remove", edits: guardAnywhere, want: []string{"S1", "S6"}},
	{measure: "final guard", book: "eleven-steps", state: "remove", edits: guardAnywhere, want: []string{"S1", "S6"}},
	{measure: "fresh decision", book: "q285090", state: "confirm", edits: []edit{check.Without, undeclared}, want: []string{"L2"}},
	{measure: "a no heeded", book: "q285090", state: "remove", edits: []edit{noLeadsTo("confirm"), check.WithoutGuard}, want: []string{"S8"}},
	{measure: "decision of its own", book: "q285090", state: "settings_decision", edits: []edit{check.Swapped}, want: []string{"L3"}},
	{measure: "undo of mode", book: "q285090", state: "outbound_only", edits: []edit{check.WithoutUndo}, want: []string{"S10"}},
	{measure: "undo of mode", book: "eleven-steps", state: "outbound_only", edits: []edit{check.WithoutUndo}, want: []string{"S10"}},
	{measure: "age gate", book: "q285090", state: "hold_aged", edits: measure, want: []string{"S14"}, special: true},
	{measure: "age gate", book: "eleven-steps", state: "hold_aged", edits: measure, want: []string{"S14"}, special: true},
	{measure: "decision on old mail", book: "q285090", state: "aged_decision", edits: []edit{dropFor("release_aged")}, want: []string{"S14"}, special: true},
	{measure: "decision on old mail", book: "q285090", state: "aged_decision", edits: []edit{dropFor("return_aged")}, want: []string{"S4"}, special: true},
	{measure: "decision on old mail", book: "q285090", state: "aged_decision", edits: []edit{dropFor("export_aged")}, want: []string{"S14"}, special: true},
	{measure: "dependents", book: "q285090", state: "move_dependents", edits: measure, want: []string{"S1", "S2b"}, special: true},
	{measure: "an MX of the successor", book: "q285090", state: "move_mx", edits: []edit{argsOf(func(a *machine.Args) { a.NullMX = true })}, want: []string{"S2a"}},
	{measure: "an MX of the successor", book: "maintenance", state: "move_mx", edits: []edit{argsOf(func(a *machine.Args) { a.NullMX = true })}, want: []string{"S2a"}},
	{measure: "hold, not export", book: "q285090", state: "hold_aged", edits: []edit{exports}, want: []string{"S4"}},
	{measure: "decision on late clients", book: "q285090", state: "late_decision", edits: measure, want: []string{"S2c"}},
	{measure: "form of refusing", book: "q285090", state: "outbound_only", edits: []edit{argsOf(func(a *machine.Args) { a.Refuse = "" }), saidOn("return_aged")}, want: []string{"S2c"}},
	{measure: "guard of the age gate", book: "rescue", state: "restart", edits: []edit{check.WithoutGuard}, want: []string{"S14"}, special: true},
	{measure: "black hole", book: "q285090", state: "remove_spaces", edits: guardAnywhere, want: []string{"S1"}, special: true},
	{measure: "the last", book: "last-gateway", state: "ready", edits: measure, want: []string{"S15"}, special: true},
	{measure: "still the last", book: "last-gateway", state: "null_mx", edits: []edit{check.WithoutGuard}, want: []string{"S15"}, special: true},
	{measure: "still the last", book: "last-gateway", state: "spf_none", edits: []edit{check.WithoutGuard}, want: []string{"S15"}, special: true},
	{measure: "settings taken over", book: "q285090", state: "settings_decision", edits: measure, want: []string{"S13"}, special: true},
	{measure: "undo of hold", book: "q285090", state: "hold_aged", edits: []edit{check.WithoutUndo}, want: []string{"L5"}, special: true},
	{measure: "undo of dependents", book: "q285090", state: "move_dependents", edits: []edit{check.WithoutUndo}, want: []string{"S12"}, special: true},
	{measure: "consent", book: "last-gateway", state: "consent_no_route", edits: measure, want: []string{"S3"}},
	{measure: "consent to losing inbound", book: "last-gateway", state: "consent_inbound", edits: measure, want: []string{"S2a"}},
	{measure: "outward drain", book: "last-gateway", state: "outward", edits: measure, want: []string{"S15"}},
	{measure: "old-MX wait", book: "last-gateway", state: "accepting", edits: measure, want: []string{"S2b"}},
	{measure: "null MX", book: "last-gateway", state: "null_mx", edits: []edit{bareOf("remove", "published", "accepting", "quiet", "outbound_only", "stop", "watch", "gone"), check.Without}, want: []string{"L3"}},
	{measure: "final guard", book: "last-gateway", state: "remove", edits: guardAnywhere, want: []string{"S1", "S6"}},
	{measure: "undo of SPF", book: "last-gateway", state: "spf_none", edits: []edit{check.WithoutUndo}, want: []string{"S10", "S15"}},
	{measure: "consent", book: "replace", state: "consent_no_route", edits: measure, want: []string{"S3"}},
	{measure: "drain name", book: "replace", state: "drain_named", edits: measure, want: []string{"S15"}},
	{measure: "drain name's PTR", book: "replace", state: "drain_ptr", edits: []edit{bareOf("flip_a", "flip_aaaa", "drain_named"), check.Without}, want: []string{"S15"}},
	{measure: "old-address wait", book: "replace", state: "accepting", edits: measure, want: []string{"S2b"}},
	{measure: "flip", book: "replace", state: "flip_aaaa", edits: []edit{bareOf("name_agrees", "accepting", "quiet", "outbound_only"), check.Without}, want: []string{"L3"}},
	{measure: "routing settle", book: "replace", state: "settle", edits: measure, want: []string{"S1", "L1"}},
	{measure: "final guard", book: "replace", state: "remove", edits: guardAnywhere, want: []string{"S1", "S6"}},
	{measure: "undo of mode", book: "replace", state: "outbound_only", edits: []edit{check.WithoutUndo}, want: []string{"S10"}},
	{measure: "undo of flip", book: "replace", state: "flip_a", edits: []edit{check.WithoutUndo}, want: []string{"S12"}},
	{measure: "old-MX wait", book: "maintenance", state: "accepting", edits: measure, want: []string{"S2b"}},
	{measure: "consent", book: "maintenance", state: "consent_no_route", edits: measure, want: []string{"S3"}},
	{measure: "drain", book: "maintenance", state: "drain", edits: measure, want: []string{"S1"}},
	{measure: "routing settle", book: "maintenance", state: "settle", edits: measure, want: []string{"S1", "L1"}},
	{measure: "restoration", book: "maintenance", state: "come_back", edits: []edit{check.Without, bareOf("back")}, want: []string{"S13"}},
	{measure: "undo of stop", book: "maintenance", state: "stop", edits: []edit{check.WithoutUndo}, want: []string{"S10", "S12"}},
	{measure: "undo of MX", book: "maintenance", state: "move_mx", edits: []edit{check.WithoutUndo}, want: []string{"S12", "S13"}},
	{measure: "acknowledgement", book: "maintenance", state: "absorbed_decision", edits: measure, want: []string{"S13"}, special: true},
	{measure: "age gate", book: "rescue", state: "hold_aged", edits: measure, want: []string{"S14"}, special: true},
	{measure: "decision on old mail", book: "rescue", state: "aged_decision", edits: []edit{dropFor("return_aged")}, want: []string{"S4"}, special: true},
	{measure: "start", book: "rescue", state: "restart", edits: []edit{check.Without, bareOf("sending", "serving")}, want: []string{"L5", "S13"}, special: true},
	{measure: "direction", book: "rescue", state: "direction", edits: []edit{bareOf("outbound_only", "serving"), check.Without}, want: []string{"S13"}, special: true},
	{measure: "successor's part first", book: "add-successor", state: "next_spaces", edits: []edit{check.Swapped}, want: []string{"S3"}, special: true},
	{measure: "a successor that sends", book: "add-successor", state: "next_spaces", edits: []edit{check.WithoutGuard}, want: []string{"S1"}, special: true},
	{measure: "a successor that sends", book: "add-successor", state: "here_spaces", edits: []edit{check.WithoutGuard}, want: []string{"S1"}, special: true},
	{measure: "a successor that sends", book: "add-successor", state: "verify", edits: []edit{blindOf("verify")}, want: []string{"S13"}, special: true},
	{measure: "a successor that accepts", book: "add-successor", state: "name_next", edits: []edit{check.WithoutGuard}, want: []string{"S2a"}, special: true},
	{measure: "publishing", book: "add-successor", state: "name_next", edits: []edit{check.Without, bareOf("named", "verify")}, want: []string{"S13"}, special: true},
	{measure: "undo of the split", book: "add-successor", state: "here_spaces", edits: []edit{check.WithoutUndo}, want: []string{"S10", "S12"}, special: true},
	{measure: "undo of stop", book: "last-gateway", state: "stop", edits: []edit{check.WithoutUndo}, want: []string{"S10"}},
	{measure: "undo of mode", book: "last-gateway", state: "outbound_only", edits: []edit{check.WithoutUndo}, want: []string{"S10"}},
	{measure: "undo of mode", book: "maintenance", state: "outbound_only", edits: []edit{check.WithoutUndo}, want: []string{"S10"}},
	{measure: "undo of mode", book: "eleven-steps", state: "flush_settings", edits: []edit{check.WithoutUndo}, want: []string{"S10"}},
	{measure: "undo of stop", book: "eleven-steps", state: "stop", edits: []edit{check.WithoutUndo}, want: []string{"S10"}},
}

// dropFor does without a decision, and goes on as if one of its answers had
// been given.
func dropFor(answer string) edit {
	return func(b *check.Runbook, state string) (*check.Runbook, error) {
		return check.Replaced(b, state, answer)
	}
}

// noLeadsTo goes on to a state although a question was rejected, or nobody
// answered it.
func noLeadsTo(question string) edit {
	return func(b *check.Runbook, state string) (*check.Runbook, error) {
		c, err := check.Bare(b) // a copy
		if err != nil {
			return nil, err
		}
		to := machine.Target(c.Def.Find(state))
		st := &c.Def.States[c.Def.Find(question)]
		st.Then[machine.Rejected], st.Then[machine.Expired] = to, to
		return c, nil
	}
}

// argsOf changes what an effect is to do.
func argsOf(change func(*machine.Args)) edit {
	return func(b *check.Runbook, state string) (*check.Runbook, error) {
		c, err := check.Bare(b) // a copy
		if err != nil {
			return nil, err
		}
		st := &c.Def.States[c.Def.Find(state)]
		do := *st.Do
		change(&do.Args)
		st.Do = &do
		return c, nil
	}
}

// saidOn says how to refuse in a state that not every way goes through.
func saidOn(state string) edit {
	return func(b *check.Runbook, _ string) (*check.Runbook, error) {
		return argsOf(func(a *machine.Args) { a.Refuse = "rcpt" })(b, state)
	}
}

// exports takes out of the gateway all that waits to be sent.
func exports(b *check.Runbook, state string) (*check.Runbook, error) {
	c, err := argsOf(func(a *machine.Args) { a.Select = "" })(b, state)
	if err != nil {
		return nil, err
	}
	do := c.Def.States[c.Def.Find(state)].Do
	do.Action, do.Undo = machine.QueueExport, machine.Undo{}
	return c, nil
}

// bareOf does without everything that states make sure of.
func bareOf(states ...string) edit {
	return func(b *check.Runbook, _ string) (*check.Runbook, error) {
		return check.Bare(b, states...)
	}
}

// blindOf does without everything that waits make sure of, and without what they
// notice meanwhile.
func blindOf(states ...string) edit {
	return func(b *check.Runbook, _ string) (*check.Runbook, error) {
		c, err := check.Bare(b, states...)
		if err != nil {
			return nil, err
		}
		for _, state := range states {
			st := &c.Def.States[c.Def.Find(state)]
			wait := *st.Wait
			wait.Drift, st.Wait = machine.Here, &wait
		}
		return c, nil
	}
}

// undeclared says of no effect that it is destructive. What nothing brings back
// is so all the same.
func undeclared(b *check.Runbook, _ string) (*check.Runbook, error) {
	c, err := check.Bare(b) // a copy
	if err != nil {
		return nil, err
	}
	for i := range c.Def.States {
		if do := c.Def.States[i].Do; do != nil {
			do.Risk = false
		}
	}
	return c, nil
}

// measure does without a state and without the guards elsewhere that repeat it;
// guardAnywhere, without the guard of an effect and all that repeats it.
var (
	measure       = []edit{check.WithoutMeasure}
	guardAnywhere = []edit{check.WithoutGuardAnywhere}
)

func TestMutantsAreKilled(t *testing.T) {
	for _, tt := range mutants {
		if raced && tt.book != "rescue" {
			continue
		}
		t.Run(tt.book+"/"+tt.measure, func(t *testing.T) {
			t.Parallel()
			b := shipped(t, tt.book)
			for _, e := range tt.edits {
				var err error
				if b, err = e(b, tt.state); err != nil {
					t.Fatal(err)
				}
			}
			bounds := briefest()
			bounds.Plain = !tt.special
			got := violated(t, b, bounds, tt.want...)
			for _, id := range tt.want {
				if !slices.Contains(got, id) {
					t.Errorf("without %s: %v is violated, want at least %v", tt.measure, got, tt.want)
				}
			}
		})
	}
}
