package world

import (
	"context"
	"encoding/json"
	"fmt"

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
// back.
func (w *World) zoneChange(e engine.Effect) (Domain, zone.Change, error) {
	d, err := w.find(e.Target)
	if err != nil {
		return d, zone.Change{}, err
	}
	var old zone.RRset
	if err := json.Unmarshal([]byte(e.Image), &old); err != nil {
		return d, zone.Change{}, fmt.Errorf("the value from before cannot be read: %w", err)
	}
	ch := zone.Change{Zone: d.Zone, Old: old, New: old.ReplaceHost(w.cfg.Hostname, w.cfg.SuccessorHostname)}
	if e.Undo {
		ch = ch.Reverse()
	}
	return d, ch, nil
}

func (w *World) performZone(ctx context.Context, e engine.Effect) engine.Result {
	d, ch, err := w.zoneChange(e)
	if err != nil {
		return engine.Result{State: machine.Refused, Why: err.Error()}
	}
	if ch.Old.SameData(ch.New) { // the MX does not lead here: there is nothing to move
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
// change: it is never forced.
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
		return machine.Refused
	}
	return machine.Refused
}

func (w *World) lookZone(ctx context.Context, e engine.Effect) engine.Result {
	d, ch, err := w.zoneChange(e)
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
