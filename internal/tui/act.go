package tui

import (
	"fmt"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/tui/monitor"
	"example.org/ims/pkg/gateway"
)

// past are what was done to mail, by verb.
var past = map[gateway.Verb]string{
	gateway.Retry: "to be tried now", gateway.Suspend: "held", gateway.Release: "released",
	gateway.Return: "returned with an NDR", gateway.Delete: "deleted",
}

// act applies a verb to mail, as the user of this process.
func (s *shell) act(e monitor.Act) tea.Msg {
	if s.o.Feed.DryRun {
		return monitor.Done{Err: "not " + past[e.Verb] + ": this is a dry run"}
	}
	q, ok := s.o.Feed.Gateway.(gateway.Queues)
	if !ok {
		return monitor.Done{Err: "the gateway cannot act on its queues"}
	}
	if !e.By.IsZero() {
		e.Selection.OlderThan = max(time.Since(e.By), 1)
	}
	n, err := q.Act(s.ctx, e.Verb, e.Selection, "", e.Reason)
	if err != nil {
		return monitor.Done{Err: fmt.Sprintf("not %s: %v", past[e.Verb], err)}
	}
	done := fmt.Sprintf("%s %s", output.Count(int64(n), "message"), past[e.Verb])
	noted := fmt.Sprintf("%s %s %s: %s", output.Count(int64(n), "message"), e.About, past[e.Verb], e.Reason)
	if t, ok := s.o.Teller.(Noter); ok && s.o.Feed.Run != "" && n > 0 {
		if err := t.Note(s.ctx, s.o.Feed.Run, noted); err != nil {
			return monitor.Done{Text: fmt.Sprintf("%s; not in the run's journal: %v", done, err)}
		}
	}
	return monitor.Done{Text: done}
}

// tell tells the run what somebody decided, as the user of this process.
func (s *shell) tell(e monitor.Tell) tea.Msg {
	t, run := s.o.Teller, s.o.Feed.Run
	if s.o.Feed.DryRun {
		return monitor.Done{Err: "not done: this is a dry run"}
	}
	if t == nil {
		return monitor.Done{Err: "there is no runner to tell"}
	}
	answer := runner.Answer{State: e.State, Choice: e.Choice, Comment: e.Reason}
	p, _ := t.(Pauser)
	var err error
	switch {
	case e.Verb == "approve":
		err = t.Approve(s.ctx, run, answer)
	case e.Verb == "reject":
		err = t.Reject(s.ctx, run, answer)
	case e.Verb == "resume":
		err = t.Resume(s.ctx, run, e.Reason)
	case e.Verb == "abort":
		err = t.Abort(s.ctx, run, e.Reason)
	case e.Verb == "pause" && p != nil:
		err = p.Pause(s.ctx, run, e.Reason)
	case e.Verb == "continue" && p != nil:
		err = p.Unpause(s.ctx, run, e.Reason)
	default:
		err = fmt.Errorf("the runner knows no %s", e.Verb)
	}
	if err != nil {
		return monitor.Done{Err: fmt.Sprintf("not done: %v", err)}
	}
	return monitor.Done{Text: e.Verb + ": the run was told, and wrote it down"}
}
