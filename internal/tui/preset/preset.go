// Package preset keeps bubbletea from asking the terminal questions when it is
// imported. Its init, in v1.3.10, has lipgloss find out the background colour:
// it writes an escape sequence and waits up to five seconds for an answer, in
// every command of this program. Lipgloss does not ask what it was told, so
// this package tells it.
//
// That works because Go initializes packages that are ready in the order of
// their import paths: this one's sorts before github.com/charmbracelet. A test
// of the program on a pseudo terminal holds it to that. Nothing else of
// lipgloss is used: the monitor draws cells of its own, in the sixteen colours
// of the terminal.
package preset

import "github.com/charmbracelet/lipgloss"

func init() { lipgloss.SetHasDarkBackground(true) } //nolint:gochecknoinits // the point of this package
