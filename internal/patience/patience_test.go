package patience

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
)

func TestWhoLetTimeRunOutIsRememberedInThatLook(t *testing.T) {
	hangs := fmt.Errorf("read: %w", os.ErrDeadlineExceeded)
	look := Look(t.Context())
	Note(look, "a", hangs)
	Note(look, "b", fmt.Errorf("dial: %w", context.DeadlineExceeded))
	Note(look, "c", errors.New("connection refused"))
	Note(look, "d", nil)
	over, end := context.WithCancel(look)
	end()
	Note(over, "e", hangs)
	Note(t.Context(), "a", hangs)
	for who, want := range map[string]bool{"a": true, "b": true, "c": false, "d": false, "e": false, "f": false} {
		if err := Of(Look(look), who); (err != nil) != want {
			t.Errorf("Of(%s) = %v, want an error: %v", who, err, want)
		}
		if err := errors.Join(Of(t.Context(), who), Of(Look(t.Context()), who)); err != nil {
			t.Errorf("in another look, or in none, Of(%s) = %v", who, err)
		}
	}
}
