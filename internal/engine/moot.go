package engine

import (
	"fmt"
	"strings"

	"example.org/ims/pkg/machine"
)

// moot are the conditions under which the current question is asked that do not
// hold any more, "" if they hold or cannot be observed. A question that was put
// ends with an answer alone: what took its reason away may come back.
func (e *Engine) moot() string {
	st := e.state()
	if st.Approve == nil || st.Approve.When == machine.Here {
		return ""
	}
	v := e.vector()
	all := e.opts.Book.Guards[st.Approve.When]
	if all.Eval(&v).Verdict != machine.Fails {
		return ""
	}
	var gone []string
	for _, f := range all.Findings(&v) {
		if f.Verdict == machine.Fails {
			gone = append(gone, f.Guard.Expr)
		}
	}
	return strings.Join(gone, ", ")
}

// asks is the current question as people read it now.
func (e *Engine) asks() string {
	ask, gone := e.state().Approve.Ask, e.moot()
	if gone == "" {
		return ask
	}
	return fmt.Sprintf("What this is about has gone: %s does not hold any more. Approve, and the run goes on. It was asked: %s", gone, strings.TrimSpace(ask))
}

// turned reports whether the condition of the open question is known to have
// gone since it was put, so that it is put anew: an answer then is about nothing
// that was not shown. One that is back is not put anew by itself, because it may
// be about something else: an answer to what was shown before is refused.
func (e *Engine) turned() bool {
	return e.hist.Asked.Comment == e.state().Approve.Ask && e.moot() != ""
}
