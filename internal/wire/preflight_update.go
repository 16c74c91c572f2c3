package wire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/config"
	"example.org/ims/internal/engine"
	"example.org/ims/internal/preflight"
	"example.org/ims/internal/world"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
)

// updates asks the primaries about every change of records that a runbook makes.
// It is nil if the look does not probe.
func (s *site) updates(ctx context.Context, w *world.World, book *runbook.Book) ([]preflight.Update, error) {
	if !s.probes {
		return nil, nil
	}
	out := []preflight.Update{}
	for _, e := range zoneEffects(book.Def) {
		at := time.Now()
		image, _, err := w.Image(ctx, e)
		var answers []world.Permission
		if err == nil {
			e.Image = image
			answers, err = w.Permissions(ctx, e)
		}
		if err != nil {
			out = append(out, s.unasked(e, at, err))
		}
		for _, a := range answers {
			u := preflight.Update{State: e.State, Server: a.Server, Zone: a.Zone, Name: a.Name, Type: a.Type, At: at}
			u.Verdict, u.Why, u.Fix = s.permitted(a)
			out = append(out, u)
		}
	}
	return out, ctx.Err()
}

// zoneEffects are the effects of a runbook that change records.
func zoneEffects(def *machine.Def) []engine.Effect {
	var out []engine.Effect
	for i := range def.States {
		st := &def.States[i]
		if st.Do == nil || st.Do.Action != machine.DNSRRset {
			continue
		}
		for _, t := range st.Do.Targets {
			out = append(out, engine.Effect{State: st.ID, Target: t, Action: st.Do.Action, Args: st.Do.Args})
		}
	}
	return out
}

// unasked is an effect whose present data could not be read, so that nobody was
// asked about its change.
func (s *site) unasked(e engine.Effect, at time.Time, err error) preflight.Update {
	u := preflight.Update{
		State: e.State, Name: e.Target, Type: cmp.Or(e.Args.Type, "MX"), At: at, Verdict: preflight.Unknown, Why: "it was not asked: " + err.Error(),
		Fix: "mend that, then ask again with --probe",
	}
	if z, ok := s.cfg.ZoneOf(e.Target); ok {
		u.Zone, u.Server, u.Fix = z.Name, z.Server, fmt.Sprintf("see that %s answers for zone %s, then ask again with --probe", z.Server, z.Name)
	}
	if lack, ok := errors.AsType[*world.LackError](err); ok {
		u.Why, u.Fix = "it was not asked: "+lack.What, lack.Fix
	}
	return u
}

// permitted judges the answer of a primary, and says which edit would help.
func (s *site) permitted(p world.Permission) (v preflight.Verdict, why, fix string) {
	name, apex, o := strings.TrimSuffix(p.Name, "."), strings.TrimSuffix(p.Zone, "."), p.Outcome
	key := "the key of zones." + apex
	i := slices.IndexFunc(s.cfg.Zones, func(z config.Zone) bool { return zone.CanonicalName(z.Name) == p.Zone })
	if i >= 0 && s.cfg.Zones[i].KeyFile != "" {
		key = s.cfg.Zones[i].KeyFile
	}
	switch o.Kind {
	case zone.Ready:
		return preflight.Pass, strings.TrimSuffix("it would make the change; "+o.Detail, "; "), ""
	case zone.AlreadyApplied:
		return preflight.Pass, "the data is as the run makes it, so nothing was asked", ""
	case zone.Unknown, zone.Unreachable, zone.Applied, zone.Conflict:
		return preflight.Unknown, o.String(), fmt.Sprintf("see that %s answers for zone %s, then ask again with --probe", p.Server, apex)
	case zone.BadKey, zone.BadSig:
		fix = fmt.Sprintf("make %s the same key on both sides: name, algorithm and secret", key)
	case zone.ClockSkew:
		fix = "set the clock that is wrong: a signature counts for a few minutes only"
	case zone.NotAuthZone, zone.NotInZone:
		fix = fmt.Sprintf("name the primary in zones.%s.server of ims.yaml", apex)
	case zone.Denied:
		fix = fmt.Sprintf("let %s change it, in the zone's configuration at %s; in BIND: update-policy { grant KEY name %s %s; };", key, p.Server, name, p.Type)
	case zone.Rejected, zone.Unsupported:
		fix = fmt.Sprintf("name a server in zones.%s.server of ims.yaml that takes dynamic updates of %s %s, or change these records by hand", apex, name, p.Type)
	}
	return preflight.Fail, o.String(), fix
}
