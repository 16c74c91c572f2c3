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
	flush, hard, said := false, false, false
	for i := range def.States {
		do := def.States[i].Do
		if do == nil {
			continue
		}
		flush = flush || do.Args.Mode == "none"
		refuses := do.Args.Mode == "none" || do.Args.Mode == "outbound-only"
		said = said || do.Args.Refuse != ""
		hard = hard || (refuses && !said)
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
