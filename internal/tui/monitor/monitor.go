// Package monitor is the drain monitor without its terminal: a model that
// snapshots and keys are folded into, a layout, and a picture made of cells.
// It is pure: it reads no clock, no file and no socket. Time comes with each
// snapshot and each tick, and what must be done in the world is returned as
// data, which a shell performs:
//
//	for m := range messages {
//		for _, e := range model.Update(m) {
//			perform(e) // and send back what came of it
//		}
//		show(model.Draw())
//	}
//
// What a picture costs does not grow with the queue: a snapshot holds one
// window of the destinations, and the history of the stores has a fixed size.
package monitor

import (
	"time"

	"example.org/ims/internal/runner"
	"example.org/ims/internal/tui/screen"
	"example.org/ims/pkg/gateway"
)

// Snapshot is the world at one moment, as far as it could be seen. A part that
// could not be seen again stays as it was, with its own time and the reason.
type Snapshot struct {
	At      time.Time // when the newest part was read
	Gateway string
	DryRun  bool // the gateway is only read, and the run is told nothing

	Run    *runner.Monitor // nil if there is none
	RunErr string          // why Run is not new
	Gone   time.Time       // since when no runner answers

	Config     gateway.Config
	Census     gateway.Census
	Seen       time.Time // when the gateway answered last; zero means never
	GatewayErr string    // why it did not since
	Summary    *gateway.Summary
	SummaryErr string
	Clients    []gateway.Client // that named a valid recipient, the last first
	ClientsErr string

	Resolvers []string // that still give the old MX, in words
	Canaries  []string // probe messages under way or late, in words
}

// Message is what can happen to a model.
type Message interface{ message() }

// Messages.
type (
	// Tick is the passing of time.
	Tick struct{ Now time.Time }
	// Size is the size of the terminal.
	Size struct{ W, H int }
	// Key is one key, by its name: "a", "enter", "up", "ctrl+c".
	Key struct{ Name string }
	// Letters answers FetchLetters.
	Letters struct {
		Of    Place
		Items []gateway.Item
		Err   string
	}
	// Letter answers FetchLetter.
	Letter struct {
		Entry  string
		Letter gateway.Letter
		Err    string
	}
	// Done says what came of an Act or a Tell.
	Done struct {
		Text string
		Err  string
	}
	// Said is a line of somebody else, who prints while the monitor is shown.
	Said struct {
		At   time.Time
		Text string
	}
)

func (Snapshot) message() {}
func (Tick) message()     {}
func (Size) message()     {}
func (Key) message()      {}
func (Letters) message()  {}
func (Letter) message()   {}
func (Done) message()     {}
func (Said) message()     {}

// Effect is what a shell has to do.
type Effect interface{ effect() }

// Effects.
type (
	// Quit leaves the monitor.
	Quit struct{}
	// Ask changes what the next snapshots sum up.
	Ask struct{ Query gateway.SummaryQuery }
	// FetchLetters reads the entries of a row.
	FetchLetters struct{ Of Place }
	// FetchLetter reads one entry.
	FetchLetter struct{ Entry string }
	// Act applies a verb to queue entries: to those of the selection that were
	// accepted by a time, if that is not zero. About says which they are.
	Act struct {
		Verb      gateway.Verb
		Selection gateway.Selection
		By        time.Time
		About     string
		Reason    string
	}
	// Tell tells the run something: approve, reject, abort, pause, continue,
	// resume.
	Tell struct {
		Verb, State, Choice, Reason string
	}
)

func (Quit) effect()         {}
func (Ask) effect()          {}
func (FetchLetters) effect() {}
func (FetchLetter) effect()  {}
func (Act) effect()          {}
func (Tell) effect()         {}

// Place names a row of the matrix.
type Place struct {
	Store gateway.Store
	Dest  string
}

// Options of a model.
type Options struct {
	// Pauses says that the runner can be told to pause a run.
	Pauses bool
	// Ends lets the monitor leave by itself when the run has ended.
	Ends bool
	// Leaves is what leaving means, in words.
	Leaves string
}

// focus is the part of the screen that keys go to.
type focus uint8

const (
	onMatrix focus = iota
	onSteps
	onEvents
	numFocus
)

// pane is what covers the overview.
type pane uint8

const (
	overview pane = iota
	lettersPane
	letterPane
	journalPane
	detailsPane
	helpPane
)

// Model is a monitor. It is not safe for concurrent use.
type Model struct {
	opt  Options
	w, h int
	now  time.Time

	snap  Snapshot
	fresh bool // a snapshot came
	past  history
	shut  [gateway.NumStores]time.Time // since when nothing may come in, zero if it may
	lines []runner.Line
	said  []runner.Line // lines of somebody else

	focus  focus
	pane   pane
	behind []pane // what is shown when a pane is closed

	query  gateway.SummaryQuery
	cursor int // row of the matrix, in all that match
	filter *string

	letters  Letters
	line     int // cursor of a pane
	letter   Letter
	scroll   int
	dialog   *dialog
	flash    string
	flashEnd time.Time
	quit     bool
}

// New makes a model that has seen nothing yet.
func New(o Options) *Model {
	return &Model{opt: o, query: gateway.SummaryQuery{Sort: gateway.ByOldest, Limit: window}}
}

// window is the number of rows that a snapshot brings.
const window = 100

// Query is what snapshots are to sum up.
func (m *Model) Query() gateway.SummaryQuery { return m.query }

// Snapshot is the newest one.
func (m *Model) Snapshot() Snapshot { return m.snap }

// Draw is the picture of the model, exactly as large as the terminal.
func (m *Model) Draw() *screen.Screen {
	s := screen.New(m.w, m.h)
	if m.w < MinWidth || m.h < MinHeight {
		s.Area(0, 0, m.w, m.h).Put(0, 0, "too small: 40x12 at least", screen.Style{Color: screen.Warn})
		return s
	}
	m.draw(s.Area(0, 0, m.w, m.h))
	return s
}

// The smallest terminal.
const (
	MinWidth  = 40
	MinHeight = 12
)
