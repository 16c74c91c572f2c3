package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/zone"
)

func (w *World) find(domain string) (Domain, error) {
	for _, d := range w.cfg.Domains {
		if d.Name == domain {
			return d, nil
		}
	}
	return Domain{}, fmt.Errorf("no zone is configured for %q", domain)
}

func (w *World) zoneImage(ctx context.Context, domain string) (image, words string, err error) {
	d, err := w.find(domain)
	if err != nil {
		return "", "", err
	}
	rr, err := d.Writer.Read(ctx, d.Name, typeMX)
	if err != nil {
		return "", "", err
	}
	raw, err := json.Marshal(rr)
	if err != nil {
		return "", "", fmt.Errorf("encode MX of %q: %w", domain, err)
	}
	return string(raw), rr.String(), nil
}

// zoneChange is the change from the RRset of before to the wanted one, or
// back. An undo that was overridden, and that a person agreed to after a look,
// puts back what this run replaced and keeps what somebody else added.
func (w *World) zoneChange(ctx context.Context, e engine.Effect) (Domain, zone.Change, error) {
	d, err := w.find(e.Target)
	if err != nil {
		return d, zone.Change{}, err
	}
	var old zone.RRset
	if err := json.Unmarshal([]byte(e.Image), &old); err != nil {
		return d, zone.Change{}, fmt.Errorf("the value from before cannot be read: %w", err)
	}
	ch := zone.Change{Zone: d.Zone, Old: old, New: old.ReplaceHost(w.cfg.Hostname, w.cfg.SuccessorHostname)}
	switch {
	case !e.Undo:
		return d, ch, nil
	case !e.Agreed:
		return d, ch.Reverse(), nil
	}
	now, err := d.Writer.Read(ctx, d.Name, typeMX)
	if err != nil {
		return d, zone.Change{}, err
	}
	return d, zone.Change{Zone: d.Zone, Old: now, New: takeBack(now, ch)}, nil
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

func (w *World) performZone(ctx context.Context, e engine.Effect) engine.Result {
	d, ch, err := w.zoneChange(ctx, e)
	switch {
	case errors.Is(err, zone.ErrUnreachable), errors.Is(err, zone.ErrNotAuthoritative):
		return engine.Result{State: machine.Transient, Why: err.Error()}
	case err != nil:
		return engine.Result{State: machine.Refused, Why: err.Error()}
	}
	if ch.Old.SameData(ch.New) { // nothing leads to where it should not
		return engine.Result{State: machine.Done, Before: ch.Old.String(), After: ch.New.String()}
	}
	out := d.Writer.Apply(ctx, ch)
	return engine.Result{State: zoneState(e, out.Kind), Before: ch.Old.String(), After: out.Got.String(), Why: whyNot(out)}
}

func whyNot(out zone.Outcome) string {
	if out.Done() {
		return ""
	}
	return out.String()
}

// zoneState says what an outcome leaves known. A conflict is somebody else's
// change: it is never forced, but looked at again.
func zoneState(e engine.Effect, k zone.Kind) machine.EffectState {
	switch k {
	case zone.Applied, zone.AlreadyApplied:
		return machine.Done
	case zone.Unknown:
		return machine.InDoubt
	case zone.Unreachable:
		return machine.Transient
	case zone.Conflict:
		if e.Undo {
			return machine.Overridden
		}
		return machine.Transient
	}
	return machine.Refused
}

func (w *World) lookZone(ctx context.Context, e engine.Effect) engine.Result {
	d, ch, err := w.zoneChange(ctx, e)
	if err != nil {
		return engine.Result{State: machine.InDoubt, Why: err.Error()}
	}
	rr, err := d.Writer.Read(ctx, d.Name, typeMX)
	switch {
	case err != nil:
		return engine.Result{State: machine.InDoubt, Why: err.Error()}
	case rr.SameData(ch.New):
		return engine.Result{State: machine.Done, After: rr.String()}
	}
	return engine.Result{State: machine.NotDone, After: rr.String()}
}
