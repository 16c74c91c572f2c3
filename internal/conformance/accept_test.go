package conformance

import (
	"maps"
	"os"
	"slices"
	"testing"

	"example.org/ims/pkg/machine"
)

// shipped are the runbooks.
var shipped = []string{"q285090", "eleven-steps", "maintenance", "replace", "last-gateway", "rescue", "add-successor"}

// TestAcceptsWhatTheModelDoes: among the runs is one whose explanation is much
// shorter than others that come close to it.
func TestAcceptsWhatTheModelDoes(t *testing.T) {
	seeds := []uint64{0, 1, 2, 3, 59}
	if os.Getenv("IMS_TEST_CONFORM_ALL") == "1" {
		for seed := uint64(4); seed < 100; seed++ {
			seeds = append(seeds, seed)
		}
	}
	for _, name := range shipped {
		ends := map[machine.Outcome]int{}
		for _, seed := range seeds {
			f := newFiction(t, name, seed)
			if seed%3 == 2 {
				f.abort = 20 + int(seed)%70
			}
			records := f.write()
			if err := Accept(f.book.Def, records, Around{People: true}); err != nil {
				t.Errorf("%s, run %d of %d records: %v", name, seed, len(records), err)
			}
			ends[f.book.Def.Outcome(f.s)]++
		}
		t.Logf("%s: %v", name, ends)
	}
}

// ended is a run of a runbook that nobody disturbs, and that ends well; of
// those, one that is as wanted.
func ended(t *testing.T, book string, wanted func(f *fiction) bool) *fiction {
	t.Helper()
	for seed := uint64(0); seed < 200; seed++ {
		f := newFiction(t, book, seed)
		f.clean = true
		f.write()
		if o := f.book.Def.Outcome(f.s); o != machine.Open && o != machine.Aborted && wanted(f) {
			return f
		}
	}
	t.Fatal("no run is as wanted")
	return nil
}

// lies are observations that nothing leads to.
var lies = []struct {
	name, book string
	at         func(f *fiction) int // which look
	fact, said string
}{
	{"an MX comes back", "q285090", after("mx.here", "false"), "mx.here", "true"},
	{"a route comes back", "q285090", after("route.here", "false"), "route.here", "true"},
	{"a removed gateway is there", "q285090", after("gw.exists", "false"), "gw.exists", "true"},
	{"the mode is another", "q285090", after("gw.mode", "outbound-only"), "gw.mode", "inbound-only"},
	{"it refuses for good", "q285090", after("gw.reply", "temporary"), "gw.reply", "permanent"},
	{"nothing listens", "q285090", after("gw.reply", "temporary"), "gw.reply", "closed"},
	{"a message is lost", "q285090", before("confirm"), "ledger.unaccounted", "1"},
	{"an entry cannot be read", "q285090", before("confirm"), "gw.side.corrupt", "1"},
	{"a null MX that nobody publishes", "last-gateway", before("null_mx"), "mx.null", "true"},
	{"a null MX that goes", "last-gateway", after("mx.null", "true"), "mx.null", "false"},
	{"senders are forbidden by nobody", "last-gateway", before("spf_none"), "spf.none", "true"},
	{"a name that nobody flips", "replace", before("flip_a"), "name.here", "false"},
	{"a name that comes back", "replace", after("name.here", "false"), "name.here", "true"},
	{"an old address expires that still leads here", "replace", before("flip_a"), "name.expired", "true"},
	{"a drain name that nobody makes", "replace", before("drain_a"), "drain.named", "true"},
	{"held mail that vanishes", "rescue", before("aged_decision"), "gw.side.hold", "0"},
	{"mail that holds itself", "q285090", before("hold_aged"), "gw.side.hold", "1"},
	{"a stopped gateway starts", "maintenance", after("gw.running", "false"), "gw.running", "true"},
	{"a route is back before the undo", "maintenance", before("work_done"), "route.here", "true"},
	{"spaces split by nobody", "add-successor", before("next_spaces"), "next.split", "true"},
	{"limits set by nobody", "add-successor", before("limit_here"), "next.limited", "true"},
	{"a successor named by nobody", "add-successor", before("name_next"), "next.named", "true"},
}

// after finds the look at which a fact becomes what it is said to be, but for the
// first one.
func after(fact, value string) func(f *fiction) int {
	return func(f *fiction) int {
		for i, r := range f.records {
			if i > 2 && r.Kind == machine.Observed && r.Detail.Facts[fact] == value {
				return i
			}
		}
		return -1
	}
}

// before finds the last look before the effect of a state, or the answer to its
// question, but for the first one.
func before(state string) func(f *fiction) int {
	return func(f *fiction) int {
		s, look := f.book.Def.Begin(), -1
		for i, r := range f.records {
			if i > 2 && r.Kind == machine.Observed {
				look = i
			}
			if here := f.book.Def.States[s.Cur].ID == state; here && (s.Phase == machine.Ready || s.Phase == machine.Asking) {
				return look
			}
			if kind, ok := machine.EventKindOf(r.Kind); ok && r.Kind != machine.Observed {
				e := r.Event
				e.Kind = kind
				s, _ = f.book.Def.Step(s, e)
			}
		}
		return -1
	}
}

func TestRejectsWhatTheModelCannotDo(t *testing.T) {
	for _, tt := range lies {
		t.Run(tt.name, func(t *testing.T) {
			known := func(f *fiction) string { // before that look
				value := ""
				for _, r := range f.records[:tt.at(f)+1] {
					if v, ok := r.Detail.Facts[tt.fact]; ok {
						value = v
					}
				}
				return value
			}
			f := ended(t, tt.book, func(f *fiction) bool { return tt.at(f) > 2 && known(f) != tt.said })
			i := tt.at(f)
			if err := Accept(f.book.Def, f.records[:i+1], Around{}); err != nil {
				t.Fatalf("the truth is rejected: %v", err)
			}
			records := slices.Clone(f.records[:i+1])
			records[i].Detail.Facts = maps.Clone(records[i].Detail.Facts)
			records[i].Detail.Facts[tt.fact] = tt.said
			err := Accept(f.book.Def, records, Around{})
			if err == nil {
				t.Errorf("record %d, in which %s is %s, is accepted", i+1, tt.fact, tt.said)
			}
			if tt.said == "closed" {
				if killed := Accept(f.book.Def, records, Around{Killed: true}); killed != nil {
					t.Errorf("where the gateway's process was killed: %v", killed)
				}
			}
			t.Log(err)
		})
	}
}

// TestRejectsWhatWasNotPerformed: an effect that is said to have happened shows.
// A record that the primary does not have can be told from a secondary that lags
// only where a fact says whether they agree: that is none of SPF and PTR.
func TestRejectsWhatWasNotPerformed(t *testing.T) {
	for book, states := range map[string][]string{
		"q285090":       {"move_mx", "outbound_only", "remove_spaces", "close", "remove"},
		"eleven-steps":  {"move_mx", "remove_spaces", "stop"},
		"maintenance":   {"remove_sites", "stop"},
		"replace":       {"flip_a", "outbound_only", "close"},
		"last-gateway":  {"null_mx", "stop"},
		"rescue":        {"hold_aged", "restart"},
		"add-successor": {"next_spaces", "here_spaces", "limit_next", "name_next"},
	} {
		for _, state := range states {
			t.Run(book+"/"+state, func(t *testing.T) {
				for seed := uint64(0); seed < 50; seed++ {
					f := newFiction(t, book, seed)
					f.clean, f.skip = true, state
					if f.write(); !f.skipped {
						continue
					}
					if err := Accept(f.book.Def, f.records, Around{}); err != nil {
						t.Logf("run %d: %v", seed, err)
						return
					}
				}
				t.Error("no run without that effect is rejected")
			})
		}
	}
}

// TestRejectsWithoutARecord: what is left out of a journal is missed.
func TestRejectsWithoutARecord(t *testing.T) {
	for _, book := range shipped {
		t.Run(book, func(t *testing.T) {
			f := ended(t, book, func(*fiction) bool { return true })
			var which []int
			for i, r := range f.records {
				switch kind, _ := machine.EventKindOf(r.Kind); {
				case r.Kind == machine.Observed:
					if facts := r.Detail.Facts; i > 2 && (facts["gw.mode"] != "" || facts["mx.primary_wanted"] != "" || facts["route.here"] != "") {
						which = append(which, i)
					}
				case kind == machine.IntentSet, kind == machine.OutcomeIs, kind == machine.Answered:
					which = append(which, i)
				}
			}
			step := 1
			if os.Getenv("IMS_TEST_CONFORM_ALL") != "1" {
				step = len(which)/4 + 1
			}
			for n := 0; n < len(which); n += step {
				i := which[n]
				err := Accept(f.book.Def, slices.Delete(slices.Clone(f.records), i, i+1), Around{})
				if err == nil {
					t.Errorf("without record %d, %s %v, the rest is accepted", i+1, f.records[i].Kind, f.records[i].Detail.Facts)
				}
				t.Log(err)
			}
		})
	}
}
