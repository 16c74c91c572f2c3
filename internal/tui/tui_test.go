package tui

import (
	"context"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
)

// TestAPanicEndsInOrder: a goroutine that bubbletea does not know ends the
// program by its context, so that the terminal is restored.
func TestAPanicEndsInOrder(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	guarded(stop, func() { panic("a mistake") })
	if cause := context.Cause(ctx); cause == nil || !strings.Contains(cause.Error(), "a mistake") {
		t.Errorf("cause %v", cause)
	}
}

func TestKeyNames(t *testing.T) {
	for want, msg := range map[string]tea.KeyMsg{
		"space": {Type: tea.KeySpace, Runes: []rune{' '}}, "enter": {Type: tea.KeyEnter}, "ctrl+c": {Type: tea.KeyCtrlC},
		"backspace": {Type: tea.KeyBackspace}, "shift+tab": {Type: tea.KeyShiftTab}, "up": {Type: tea.KeyUp},
	} {
		if got := keyName(msg); got != want {
			t.Errorf("%v is %q, want %q", msg, got, want)
		}
	}
}
