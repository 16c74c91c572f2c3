package world

import (
	"encoding/json"
	"errors"
	"fmt"

	"example.org/ims/internal/compare"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// differs counts the settings that the gateway had when the run began and that
// its successor has not, but for those that are waived or that a decision names.
// What the run itself changes on the gateway does not count: the previous
// settings are to be transferred (Q285090).
func (o *observer) differs() {
	r, err := o.compared()
	if err != nil {
		o.unknown(err, "comparison with "+o.cfg.SuccessorName, facts.NextDiffers)
		return
	}
	n := 0
	for _, l := range r.Lines {
		if l.Verdict == compare.Different && !o.look.Named[machine.SubjectDiffers][string(l.ID)] {
			words := l.Title
			if l.Why != "" {
				words += ", " + l.Why
			}
			o.note("%s has not taken over: %s", r.New, words)
			n++
		}
	}
	o.put(facts.NextDiffers, facts.Int(int64(n)), "comparison with "+o.cfg.SuccessorName)
}

// compared compares the gateway as it was with its successor as it is. Without a
// successor there is nothing to take over.
func (o *observer) compared() (compare.Report, error) {
	was, err := o.was()
	if err != nil || o.cfg.Successor == nil {
		return compare.Report{}, err
	}
	next, err := o.cfg.Successor.Config(o.ctx)
	if err != nil {
		return compare.Report{}, err
	}
	if !next.Exists {
		return compare.Report{}, fmt.Errorf("gateway %q was removed", o.cfg.SuccessorName)
	}
	was.Name, next.Name = o.cfg.Name, o.cfg.SuccessorName
	r := compare.Compare(compare.Side{Config: was}, compare.Side{Config: next, Site: o.cfg.SuccessorSite}, o.cfg.Waivers, o.now)
	raw, err := json.Marshal(r)
	if err != nil {
		return r, fmt.Errorf("keep the comparison: %w", err)
	}
	o.memory[memCompared] = string(raw)
	return r, nil
}

// was is the gateway as it was at the first observation of the run.
func (o *observer) was() (gateway.Config, error) {
	var was gateway.Config
	if text, ok := o.memory[memWas]; ok {
		if err := json.Unmarshal([]byte(text), &was); err != nil {
			return was, fmt.Errorf("read the gateway's settings of before: %w", err)
		}
		return was, nil
	}
	if !o.config.Exists {
		return was, errors.New("the gateway's settings were not seen before it went")
	}
	was = gateway.Config{Stored: o.config.Stored, Spaces: o.config.Spaces, Sites: o.config.Sites}
	raw, err := json.Marshal(was)
	if err != nil {
		return was, fmt.Errorf("keep the gateway's settings: %w", err)
	}
	o.memory[memWas] = string(raw)
	return was, nil
}
