package demo

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How often the run is looked at, how long it may take, with and without people
// who answer, and how often it is said what it waits for.
const (
	look      = 150 * time.Millisecond
	mostTime  = 6 * time.Minute
	forPeople = 4 * time.Hour
	heartbeat = 4 * time.Second
)

// follow shows the run until it ends, or waits for an operator, and returns
// its last status.
func (s *show) follow(ctx context.Context) (Status, error) {
	most := forPeople
	if s.Yes {
		most = mostTime
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	var last Status
	shown, spoke := 0, time.Now()
	for {
		if err := s.revive(ctx); err != nil {
			return last, err
		}
		st, err := s.control.Status(ctx, s.run)
		if err == nil {
			if n := s.visits(st, shown); n != shown || st.Resumes != last.Resumes {
				shown, spoke = n, time.Now()
			}
			last = st
			if time.Since(spoke) > heartbeat {
				spoke = time.Now()
				s.say("wait", "  %s", waiting(st))
			}
			done, err := s.react(ctx, st)
			if err != nil || done {
				return last, err
			}
		}
		if err := sleep(ctx, look); err != nil {
			return last, fmt.Errorf("follow run %s: it is in %s: %w", s.run, last.State, err)
		}
	}
}

// revive starts the runner again if it is gone.
func (s *show) revive(ctx context.Context) error {
	p := s.lab.Part("runner")
	select {
	case <-p.Done():
	default:
		return nil
	}
	s.say("crash", "runner pid %d is gone (%s); starting another one", p.PID, p.Fate())
	if len(s.res.Runners) > 5 {
		return fmt.Errorf("the runner ends again and again: see %s", s.lab.View().Dir)
	}
	return s.startRunner(ctx)
}

// visits shows the states that were left or entered since the last look.
func (s *show) visits(st Status, shown int) int {
	for i := max(0, shown-1); i < len(st.Visits); i++ {
		v := st.Visits[i]
		if i >= shown {
			s.say("state", "[%2d] %-17s %s%s", v.Number, v.State, v.Title, origin(v))
		}
		if s.moments[v.State].IsZero() {
			s.moments[v.State] = v.Entered
		}
		left := "left " + strconv.Itoa(i)
		if (!v.Left.IsZero() || i < len(st.Visits)-1) && s.moments[left].IsZero() {
			s.moments[left] = time.Now()
			if v.Before != "" && v.Before != v.After {
				s.say("state", "       before: %s", v.Before)
				s.say("state", "       after:  %s", v.After)
			}
		}
	}
	return len(st.Visits)
}

// origin is the procedure's step that a state encodes, or why it was added.
func origin(v Visit) string {
	property, _, _ := strings.Cut(v.Because, ":")
	switch {
	case len(v.Source) > 0:
		return " (" + join(v.Source, ", ") + ")"
	case property != "":
		return " (added for " + property + ")"
	}
	return ""
}

// waiting is what a run is waiting for, and what the gateway holds.
func waiting(st Status) string {
	var held []string
	for _, q := range []string{"mta", "mts_out", "out", "in", "mts_in"} {
		held = append(held, strings.ReplaceAll(q, "_", "-")+" "+st.Facts["gw.q."+q])
	}
	text := "holds " + strings.Join(held, ", ")
	if len(st.Missing) > 0 {
		text += "; " + st.Missing[0]
	}
	return text
}

// react answers questions, breaks what is to be broken, and notices the end.
func (s *show) react(ctx context.Context, st Status) (done bool, err error) {
	switch {
	case st.Ended:
		s.say("end", "the run has ended: %s", st.Outcome)
		return true, nil
	case st.Phase == "operating":
		s.say("end", "the run waits for an operator in %s: %s", st.State, st.Why)
		for _, m := range st.Missing {
			s.say("end", "  %s", m)
		}
		for _, n := range st.Notes {
			s.say("end", "  %s", n)
		}
		if st.Why == "expired" && !s.Yes {
			s.say("end", "  nobody answered in time: in the monitor, press a to answer; ims demo --yes answers by itself")
		}
		return true, nil
	case st.Asked != nil:
		return false, s.answer(ctx, *st.Asked)
	}
	if err := s.crash(ctx, st); err != nil {
		return false, err
	}
	if err := s.sabotage(ctx, st); err != nil {
		return false, err
	}
	return s.given(st), nil
}

// answer shows a question once, and grants it if everything is granted.
func (s *show) answer(ctx context.Context, q Question) error {
	key := "asked " + q.State
	if s.moments[key].IsZero() {
		s.moments[key] = time.Now()
		s.say("ask", "  question of %s: %s", q.State, q.Text)
		for _, e := range q.Evidence {
			if !strings.Contains(e, " = ") { // facts are in the journal
				s.say("ask", "    %s", e)
			}
		}
		if !s.Yes {
			s.say("ask", "  in the monitor, press a to answer; from a second terminal: ims approve %s %s", s.run, q.State)
		}
	}
	if !s.Yes {
		return nil
	}
	choice := ""
	if len(q.Choices) > 1 {
		choice = q.Choices[0]
	}
	err := s.control.Answer(ctx, s.run, q.State, choice)
	if err != nil { // what it was about has changed, or it was answered meanwhile
		s.say("ask", "  not answered: %v", err)
		return nil
	}
	if choice != "" {
		s.say("ask", "  answered: %s", choice)
	} else {
		s.say("ask", "  answered: yes")
	}
	return nil
}

// crash kills the gateways' process once, in the drain.
func (s *show) crash(ctx context.Context, st Status) error {
	draining := st.State == "drain" || st.State == "empty"
	if !s.Crash || s.killed || !draining || time.Since(s.moments[st.State]) < time.Second {
		return nil
	}
	s.killed = true
	p := s.lab.Part("organization")
	p.Kill()
	s.say("crash", "the gateways' process, pid %d, was killed", p.PID)
	if err := s.lab.Launch(ctx, "organization"); err != nil {
		return err
	}
	s.say("crash", "and started again, pid %d", s.lab.Part("organization").PID)
	return nil
}

// taken are the states of a run, in order.
func taken(st Status) []string {
	ids := make([]string, len(st.Visits))
	for i, v := range st.Visits {
		ids[i] = v.State
	}
	return ids
}

// take copies what the last status says into the result.
func (s *show) take(st Status) {
	s.res.Outcome, s.res.Resumes = st.Outcome, st.Resumes
	if !st.Ended {
		s.res.Outcome = "waiting"
	}
	for _, v := range st.Visits {
		s.res.States = append(s.res.States, v.state())
	}
	s.res.Prediction.Taken = taken(st)
	s.res.Prediction.Equal = slices.Equal(s.res.Prediction.Predicted, firstVisits(s.res.Prediction.Taken))
}

// state is a visit without its times.
func (v Visit) state() State {
	return State{ID: v.State, Title: v.Title, Source: v.Source, Because: v.Because, Before: v.Before, After: v.After}
}

func join(list []string, sep string) string { return strings.Join(list, sep) }

// firstVisits is a path without the states that it comes back to. A guard that
// fails once, because mail came at that moment, sends a run back to a state
// that drains; a dry run, in which nothing comes, cannot foresee that.
func firstVisits(path []string) []string {
	var first []string
	for _, id := range path {
		if !slices.Contains(first, id) {
			first = append(first, id)
		}
	}
	return first
}
