package check

import (
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// reading is one way to read what the sources dispute.
type reading struct {
	words  string
	params model.Params
	starts []model.Start // to which it makes a difference
}

// readings are those that make a difference to a runbook that begins in one of
// these worlds.
func readings(def *machine.Def, starts []model.Start) []reading {
	flush, hard := false, false
	for i, said := range toldToRefuse(def) {
		do := def.States[i].Do
		if do == nil {
			continue
		}
		flush = flush || do.Args.Mode == "none"
		refuses := do.Args.Mode == "none" || do.Args.Mode == "outbound-only"
		hard = hard || (refuses && do.Args.Refuse == "" && !said)
	}
	all := []reading{{"mode None leaves mts-out alone (Q189587)", model.Params{}, starts}}
	flushed := starts
	if !flush {
		flushed = nil
		for _, s := range starts {
			if s.World.Mode == modeNone || s.World.ModeSet == modeNone {
				flushed = append(flushed, s)
			}
		}
	}
	if len(flushed) > 0 {
		all = append(all, reading{"mode None works off mts-out, too", model.Params{NonePicksUp: true}, flushed})
	}
	if hard {
		for _, r := range all[:len(all):len(all)] {
			r.words += "; a gateway that refuses, and was not told how, answers 5xx"
			r.params.Hard = true
			all = append(all, r)
		}
	}
	return all
}

// toldToRefuse says of each state whether the gateway has been told how to refuse
// on every way that leads there.
func toldToRefuse(def *machine.Def) []bool {
	told := make([]bool, len(def.States))
	for i := range told {
		told[i] = i != def.Start // until a way is found on which it was not
	}
	for again := true; again; {
		again = false
		for i := range def.States {
			st := &def.States[i]
			lead := func(to machine.Target, said bool) {
				if to >= 0 && told[to] && !said {
					told[to], again = false, true
				}
			}
			for r, to := range st.Then {
				lead(to, told[i] || machine.Result(r) == machine.OK && st.Do != nil && st.Do.Args.Refuse != "")
			}
			if st.Approve != nil {
				for _, c := range st.Approve.Choices {
					lead(c.Target, told[i])
				}
			}
		}
	}
	return told
}
