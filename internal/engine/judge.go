package engine

import (
	"context"
	"strconv"
	"time"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/guard"
	"example.org/ims/pkg/machine"
)

// observe looks at the world and takes in what it sees. Its error is errTold if
// somebody told the run something meanwhile and the look was cut short.
func (e *Engine) observe(ctx context.Context) error {
	e.remind()
	obs, err := e.around(ctx)
	if err != nil {
		return err
	}
	return e.take(ctx, obs)
}

// observeNow is observe, for a command that is being obeyed: nothing cuts it short.
func (e *Engine) observeNow(ctx context.Context) error {
	e.remind()
	obs := e.opts.World.Observe(ctx, e.look)
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.take(ctx, obs)
}

// remind gives the next look what the last one remembered.
func (e *Engine) remind() {
	e.look.Memory = e.memory()
	if e.observed {
		e.look.Memory = e.last.Memory
	}
}

// take journals what a look changed: the facts that differ, or a heartbeat that
// extends the time they are known to have held.
func (e *Engine) take(ctx context.Context, obs Observation) error {
	e.hist.Grants(obs.Facts, obs.At)
	for _, id := range obs.Void {
		obs.Facts.Put(facts.Fact{ID: id, Value: facts.Bool(false), At: obs.At, From: obs.At, Source: "journal", Provenance: facts.Live})
	}
	vector := obs.Facts.Vector()
	changed, news := map[string]string{}, false
	for _, f := range obs.Facts {
		// An age changes with every look, and is no news.
		differs := e.note(changed, f.ID.String(), f.ID.Format(f.Value))
		news = news || (differs && f.ID.Definition().Type != facts.TypeDuration)
	}
	recs := e.cover(&obs, &vector)
	e.last = obs
	if len(recs) == 0 && !news && e.observed && time.Since(e.written) < e.heartbeat() {
		e.hist.Cover(e.stretch, obs.At)
		return nil
	}
	for k, v := range obs.Memory {
		e.note(changed, memoryPrefix+k, v)
	}
	for k, v := range obs.Counts {
		e.note(changed, countPrefix+k, strconv.FormatInt(v, 10))
	}
	if !obs.Expires.IsZero() {
		e.note(changed, expiresKey, obs.Expires.UTC().Format(time.RFC3339Nano))
	}
	e.observed, e.written = true, time.Now()
	err := e.append(ctx, append(recs, machine.Record{
		Kind: machine.Observed, At: obs.At,
		Detail: machine.Detail{From: e.stretch, Facts: changed, Evidence: obs.Notes},
	})...)
	e.stretch = time.Time{}
	return err
}

// note puts into changed what the journal does not say already, and reports
// whether it does not.
func (e *Engine) note(changed map[string]string, key, text string) bool {
	if have, ok := e.hist.Facts[key]; ok && have == text {
		return false
	}
	changed[key] = text
	return true
}

// cover extends the stretch of time that was observed without a gap since the
// last record, and returns a record of the stretch before, if there is a gap.
// While what must stay true is unknown, nothing is covered.
func (e *Engine) cover(obs *Observation, v *facts.Vector) []machine.Record {
	since := obs.Since
	if w := e.state().Wait; w != nil {
		passes := e.opts.Book.Guards[w.Until].Eval(v).Verdict == machine.Pass
		if !passes || (e.observed && !e.passing) {
			since = obs.At
		}
		e.passing = passes
	}
	if e.stretch.IsZero() {
		e.stretch = since
		return nil
	}
	if !since.After(e.last.At) {
		return nil
	}
	before := machine.Record{Kind: machine.Observed, At: e.last.At, Detail: machine.Detail{From: e.stretch}}
	e.stretch = since
	return []machine.Record{before}
}

// heartbeat is how often unchanged facts are journalled, so that a crash loses
// little of a long quiet time.
func (e *Engine) heartbeat() time.Duration {
	st := &e.opts.Book.Def.States[e.hist.State.Cur]
	if st.Wait == nil || st.Wait.For == 0 {
		return 10 * time.Minute
	}
	return min(max(st.Wait.For/20, time.Second), 10*time.Minute)
}

// judge observes and answers the guards that the machine asks about.
func (e *Engine) judge(ctx context.Context, actions []machine.Action) error {
	state := e.hist.State
	if err := e.observe(ctx); err != nil {
		return err
	}
	st := &e.opts.Book.Def.States[state.Cur]
	for _, a := range actions {
		if a.Kind != machine.Judge {
			continue
		}
		rec, ans := e.verdict(st, a)
		if st.Kind == machine.KindWait && !matters(st.Wait, e.hist.State, int(a.Guard), ans.Verdict) {
			continue
		}
		if st.Kind == machine.KindDo && ans.Verdict == machine.Pass {
			return e.intendAfter(ctx, rec)
		}
		before := e.hist.State
		if err := e.append(ctx, rec); err != nil {
			return err
		}
		if e.hist.State.Phase == machine.Judging && e.hist.State.Cur == before.Cur && st.Kind != machine.KindWait {
			return e.wait(ctx) // sent back to look again: not before the next poll
		}
		if e.hist.State.Cur != before.Cur || e.hist.State.Phase != machine.Judging {
			return nil
		}
	}
	return e.timers(ctx)
}

// matters reports whether a verdict moves a waiting machine.
func matters(w *machine.Wait, s machine.State, g int, v machine.Verdict) bool {
	if g == w.Drift {
		return v == machine.Pass
	}
	return v != machine.Unknown && (v == machine.Pass) != s.Armed(machine.HoldTimer)
}

// verdict evaluates a guard on the last observation and keeps the evidence.
func (e *Engine) verdict(st *machine.StateDef, a machine.Action) (machine.Record, guard.Answer) {
	vector := e.last.Facts.Vector()
	all := e.opts.Book.Guards[a.Guard]
	ans := all.Eval(&vector)
	d := machine.Detail{State: st.ID, Guard: e.opts.Book.Def.Guards[a.Guard], Facts: map[string]string{}}
	for _, id := range all.Refs() {
		d.Facts[id.String()] = id.Format(vector[id])
	}
	for _, id := range ans.Missing {
		d.Missing = append(d.Missing, id.String())
	}
	if st.Kind == machine.KindDo && st.Do.Destructive() && ans.Verdict == machine.Pass {
		if why := e.stale(); why != "" {
			ans.Verdict, d.Why = machine.Fails, why
		}
	}
	if why, fix := firstFinding(all, &vector); ans.Verdict != machine.Pass && d.Why == "" {
		d.Why, d.Fix = why, fix
		if ans.Verdict == machine.Unknown {
			d.Why += e.unread(ans.Missing)
		}
	}
	return record(machine.Judged, machine.Event{Guard: a.Guard, Verdict: ans.Verdict}, d), ans
}

func firstFinding(all guard.All, v *facts.Vector) (why, fix string) {
	for _, f := range all.Findings(v) {
		if f.Verdict != machine.Pass {
			return f.Guard.Why, f.Guard.Fix
		}
	}
	return "", ""
}
