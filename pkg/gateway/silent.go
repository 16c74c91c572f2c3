package gateway

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// SilentError says that whoever answers for a gateway took a question, or the
// connection for one, and did not answer: its process hangs, or was stopped, or
// something beneath it. It wraps os.ErrDeadlineExceeded. Of a question, nothing
// is known then; of a change, not even whether it was made.
type SilentError struct {
	Within time.Duration // how long was waited
	PID    int           // of the process whose socket it is; 0 if that is not known
}

func (e *SilentError) Error() string {
	by := ""
	if e.PID > 0 {
		by = fmt.Sprintf(keeps, e.PID)
	}
	return fmt.Sprintf("it did not answer within %s%s", e.Within, by)
}

// Unwrap is the kind of the error.
func (e *SilentError) Unwrap() error { return os.ErrDeadlineExceeded }

// Fix is the command that shows more, "" if there is none: a process in state T
// was stopped, and kill -CONT lets it go on; one in state D waits for its disk.
func (e *SilentError) Fix() string {
	if e.PID == 0 {
		return ""
	}
	return fmt.Sprintf("ps -o pid,stat,wchan,etime,args -p %d", e.PID)
}

// keeps is how a SilentError names a process.
const keeps = ", and process %d keeps its socket open"

// FixOfSilence is the Fix of the SilentError whose words are in a text, of which
// nothing else was kept; "" if there is none.
func FixOfSilence(text string) string {
	before, after, _ := strings.Cut(keeps, "%d")
	for _, part := range strings.Split(text, before)[1:] {
		if number, _, ok := strings.Cut(part, after); ok {
			if pid, err := strconv.Atoi(number); err == nil {
				return (&SilentError{PID: pid}).Fix()
			}
		}
	}
	return ""
}
