package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/zone"
)

// zoneImage reads every RRset that an effect is going to change.
func (w *World) zoneImage(ctx context.Context, e engine.Effect) (image, words string, err error) {
	list, err := w.records(e)
	if err != nil {
		return "", "", err
	}
	before := make([]former, len(list))
	for i, r := range list {
		if before[i], err = w.formerly(ctx, r); err != nil {
			return "", "", err
		}
	}
	raw, err := json.Marshal(before)
	if err != nil {
		return "", "", fmt.Errorf("encode records of %q: %w", e.Target, err)
	}
	return string(raw), lines(before), nil
}

// formerly reads an RRset, and of an MX which of its names lead here: what
// becomes of them is decided once, whatever they lead to later. Without knowing
// that of each, nothing is decided.
func (w *World) formerly(ctx context.Context, r record) (former, error) {
	set, err := r.zone.Writer.Read(ctx, r.name, r.typ)
	out := former{RRset: set}
	if err != nil || r.typ != typeMX {
		return out, err
	}
	leads := w.Leads()
	names, err := leads.among(ctx, set)
	if err != nil {
		return out, fmt.Errorf("see which names of %s lead to %s: %w", set, w.cfg.Name, err)
	}
	for _, n := range names {
		if leads.find(ctx, n).alias() != "" && !set.Empty() {
			out.Aliases = append(out.Aliases, n)
		}
	}
	out.Leads = names
	return out, nil
}

// Wanted says in words what an effect makes of the records that it changes, of
// which e.Image is the value from before. It is "" of an effect that changes
// none, and nothing is read.
func (w *World) Wanted(e engine.Effect) (words string, err error) {
	if e.Action != machine.DNSRRset {
		return "", nil
	}
	list, err := w.records(e)
	if err != nil {
		return "", err
	}
	olds, err := before(e.Image)
	if err != nil || len(olds) != len(list) {
		return "", errors.Join(err, fmt.Errorf("%d records are to change, and %d were read", len(list), len(olds)))
	}
	after := make([]zone.RRset, len(list))
	for i, r := range list {
		after[i] = r.want(olds[i])
	}
	return lines(after), nil
}

func lines[S fmt.Stringer](sets []S) string {
	words := make([]string, len(sets))
	for i, s := range sets {
		words[i] = s.String()
	}
	return strings.Join(words, "; ")
}

// before reads an image; one of a single MX is of a run that an earlier version
// began.
func before(image string) (list []former, err error) {
	if err = json.Unmarshal([]byte(image), &list); err != nil {
		list = make([]former, 1)
		err = json.Unmarshal([]byte(image), &list[0])
	}
	if err != nil {
		return nil, fmt.Errorf("the value from before cannot be read: %w", err)
	}
	return list, nil
}

// swap is one change that an effect consists of.
type swap struct {
	record
	zone.Change
}

// swaps are the changes from the RRsets of before to the wanted ones, or back.
// An undo that was overridden, and that a person agreed to after a look, puts
// back what this run replaced and keeps what somebody else added.
func (w *World) swaps(ctx context.Context, e engine.Effect) ([]swap, error) {
	list, err := w.records(e)
	if err != nil {
		return nil, err
	}
	olds, err := before(e.Image)
	if err != nil {
		return nil, err
	}
	out := make([]swap, len(list))
	for i, r := range list {
		old := zone.NewRRset(r.name, r.typ, 0)
		at := slices.IndexFunc(olds, func(o former) bool { return o.Canonical().Name == old.Name && o.Canonical().Type == old.Type })
		if at < 0 {
			return nil, fmt.Errorf("what %s %s was before is not recorded", old.Name, old.Type)
		}
		ch := zone.Change{Zone: r.zone.Name, Old: olds[at].RRset, New: r.want(olds[at])}
		if e.Undo {
			if ch, err = w.undo(ctx, e, r, olds[at]); err != nil {
				return nil, err
			}
		}
		out[i] = swap{r, ch}
	}
	return out, nil
}

// undo is the change that takes one back.
func (w *World) undo(ctx context.Context, e engine.Effect, r record, old former) (zone.Change, error) {
	did := zone.Change{Zone: r.zone.Name, Old: old.back(w.cfg.Hostname), New: r.want(old)}
	if !e.Agreed && len(old.Aliases) == 0 {
		return did.Reverse(), nil
	}
	now, err := r.zone.Writer.Read(ctx, r.name, r.typ)
	switch {
	case err != nil:
		return did, err
	case now.SameData(old.RRset): // with its aliases, if it was not changed
		return zone.Change{Zone: r.zone.Name, Old: now, New: now}, nil
	case e.Agreed:
		return zone.Change{Zone: r.zone.Name, Old: now, New: takeBack(now, did)}, nil
	}
	return did.Reverse(), nil
}

// takeBack is an RRset without the records that a change added and with those
// that it took away. If it holds nothing that the change added, somebody has
// replaced the lot, and it stays.
func takeBack(now zone.RRset, ch zone.Change) zone.RRset {
	now, old, wrote := now.Canonical(), ch.Old.Canonical(), ch.New.Canonical()
	if now.SameData(wrote) {
		return old
	}
	out := now
	out.Data = nil
	found := false
	for _, rec := range now.Data {
		if slices.Contains(wrote.Data, rec) && !slices.Contains(old.Data, rec) {
			found = true
			continue
		}
		out.Data = append(out.Data, rec)
	}
	if !found {
		return now
	}
	for _, rec := range old.Data {
		if !slices.Contains(wrote.Data, rec) {
			out.Data = append(out.Data, rec)
		}
	}
	return out.Canonical()
}

// performZone makes each change in turn. Those that were made are found made
// when it is tried again.
func (w *World) performZone(ctx context.Context, e engine.Effect) engine.Result {
	list, err := w.swaps(ctx, e)
	switch {
	case errors.Is(err, zone.ErrUnreachable), errors.Is(err, zone.ErrNotAuthoritative):
		return engine.Result{State: machine.Transient, Why: err.Error()}
	case err != nil:
		return engine.Result{State: machine.Refused, Why: err.Error()}
	}
	var olds, news []zone.RRset
	for _, s := range list {
		olds = append(olds, s.Old)
		if s.Old.SameData(s.New) { // it is as it is to be
			news = append(news, s.New)
			continue
		}
		out := s.zone.Writer.Apply(ctx, s.Change)
		news = append(news, out.Got)
		if !out.Done() {
			return engine.Result{State: zoneState(e, out.Kind), Before: lines(olds), After: lines(news), Why: out.String()}
		}
	}
	return engine.Result{State: machine.Done, Before: lines(olds), After: lines(news)}
}

// zoneState says what an outcome leaves known. A conflict is somebody else's
// change: it is never forced, but looked at again.
func zoneState(e engine.Effect, k zone.Kind) machine.EffectState {
	switch k {
	case zone.Unknown:
		return machine.InDoubt
	case zone.Unreachable:
		return machine.Transient
	case zone.Conflict:
		if e.Undo {
			return machine.Overridden
		}
		return machine.Transient
	default:
		return machine.Refused
	}
}

func (w *World) lookZone(ctx context.Context, e engine.Effect) engine.Result {
	list, err := w.swaps(ctx, e)
	if err != nil {
		return engine.Result{State: machine.InDoubt, Why: err.Error()}
	}
	res := engine.Result{State: machine.Done}
	var found []zone.RRset
	for _, s := range list {
		now, err := s.zone.Writer.Read(ctx, s.name, s.typ)
		if err != nil {
			return engine.Result{State: machine.InDoubt, Why: err.Error()}
		}
		found = append(found, now)
		if !now.SameData(s.New) {
			res.State = machine.NotDone
		}
	}
	res.After = lines(found)
	return res
}
