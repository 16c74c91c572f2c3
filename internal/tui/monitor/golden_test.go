package monitor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"example.org/ims/internal/runner"
	"example.org/ims/internal/tui/monitor"
	"example.org/ims/internal/tui/screen"
	"example.org/ims/pkg/gateway"
)

var sizes = [][2]int{{40, 12}, {80, 24}, {160, 48}}

var options = monitor.Options{Pauses: true, Leaves: "the run goes on; ims monitor gw-old-1 shows it again"}

// screens are every picture that the monitor can show.
var screens = map[string]func() *monitor.Model{
	"drain":    func() *monitor.Model { return fold(options, last()) },
	"question": func() *monitor.Model { return fold(options, asking()) },
	"moot": func() *monitor.Model {
		s := asking()
		s.Run.Moot = "next.differs > 0"
		s.Run.Asked.Comment = "What this is about has gone: next.differs > 0 does not hold any more. Approve, and the run goes on. It was asked: The successor has not taken over the settings shown. Remove the gateway without them?"
		return fold(options, s)
	},
	"nothing": func() *monitor.Model { return monitor.New(options) },
	"still":   still,
	"stalled": func() *monitor.Model {
		s := asking()
		s.Run.State, s.Run.Title, s.Run.Stall = "drain_help", "Mail that does not move has an owner who decided", &runner.Stall{Since: ago(4 * time.Hour), Called: noon}
		s.Census.InFlight = 0
		return fold(options, s)
	},
	"operator": func() *monitor.Model { return fold(options, stopped()) },
	"failed":   func() *monitor.Model { return fold(options, failed()) },
	"resume":   func() *monitor.Model { m := fold(options, failed()); keys(m, "c"); return m },
	"proof":    func() *monitor.Model { m := fold(options, proving()); keys(m, "a", "pgdown", "2"); return m },
	"unread":   func() *monitor.Model { m := fold(options, proving()); keys(m, "a", "enter"); return m },
	"paused":   func() *monitor.Model { return fold(options, paused()) },
	"continue": func() *monitor.Model { m := fold(options, paused()); keys(m, "c"); return m },
	"held": func() *monitor.Model {
		s := last()
		s.Census, s.Summary = empty(), &gateway.Summary{}
		s.Census.Stores[gateway.Hold] = gateway.Count{Known: gateway.Counted, Messages: 7, Bytes: 8000, Oldest: ago(60 * time.Hour)}
		s.Census.Stores[gateway.Bad] = gateway.Count{Known: gateway.Counted, Messages: 2, Bytes: 4000, Oldest: ago(30 * time.Hour)}
		return fold(options, s)
	},
	"no-runner": func() *monitor.Model {
		s := last()
		s.Gone, s.Run.Alive = ago(95*time.Second), false
		return fold(options, s)
	},
	"no-gateway": func() *monitor.Model {
		s := last()
		s.Seen, s.GatewayErr, s.Summary, s.SummaryErr = ago(75*time.Second), "gateway unreachable: no such file", nil, "gateway unreachable"
		return fold(options, s)
	},
	"gateway-only": func() *monitor.Model {
		s := last()
		s.Run, s.Clients = nil, nil
		return fold(options, s)
	},
	"dry-run": func() *monitor.Model {
		s := last()
		s.DryRun = true
		return fold(options, s)
	},
	"ended": func() *monitor.Model {
		s := last()
		closed := ago(time.Minute)
		s.Run.Phase, s.Run.Outcome, s.Run.Closed, s.Run.Action.Verb, s.Run.Action.What = "closed", "retired", &closed, "", "nothing: the run has ended"
		s.Census, s.Summary = empty(), &gateway.Summary{}
		s.Config.Exists, s.Config.Running = false, false
		s.Run.Missing, s.Run.Conditions = nil, nil
		return fold(options, s)
	},
	"vetoes": func() *monitor.Model {
		s := last()
		s.Resolvers, s.Canaries = []string{"192.0.2.53 gives 10 gw-old.example.org for another 2m"}, []string{"example.org by gw-new: arrived after 41s"}
		return fold(options, s)
	},
	"unknown-store": func() *monitor.Model {
		s := last()
		s.Census.Stores[gateway.Corrupt] = gateway.Count{Known: gateway.Unknown, Why: "the spool cannot be read"}
		s.Census.Stores[gateway.Hold] = gateway.Count{Known: gateway.Counted, Messages: 4, Bytes: 8000, Oldest: ago(60 * time.Hour)}
		s.Run.Ledger["unaccounted"] = 1
		s.Run.Authorities[1].Answer = "10 gw-old.example.org."
		return fold(options, s)
	},
	"undone": func() *monitor.Model {
		s := last()
		closed := ago(time.Minute)
		s.Run.Phase, s.Run.Outcome, s.Run.Closed, s.Run.Action.Verb, s.Run.Action.What = "closed", "aborted", &closed, "", "nothing: the run has ended"
		s.Run.Missing, s.Run.Conditions = nil, nil
		for i := range s.Run.Authorities {
			s.Run.Authorities[i].At, s.Run.Authorities[i].Stale = ago(73*time.Second), true
		}
		return fold(options, s)
	},
	"help":     pressed("?"),
	"evidence": pressed("g"),
	"journal":  pressed("j"),
	"steps": func() *monitor.Model {
		m := fold(options, last())
		m.Update(monitor.Size{W: 160, H: 48})
		keys(m, "tab")
		return m
	},
	"filter":   pressed("/", "d", "e"),
	"flash":    pressed("c"),
	"abort":    pressed("A"),
	"pause":    pressed("p", "w", "a", "i", "t"),
	"return":   pressed("n", "g", "o", "n", "e", "enter", "3", "1", "enter"),
	"approve":  func() *monitor.Model { m := fold(options, asking()); keys(m, "a", "down"); return m },
	"messages": func() *monitor.Model { m := fold(options, last()); keys(m, "enter"); m.Update(letters()); return m },
	"message": func() *monitor.Model {
		m := fold(options, last())
		keys(m, "enter")
		m.Update(letters())
		keys(m, "enter")
		m.Update(letter())
		return m
	},
}

// pressed is the drain after some keys.
func pressed(names ...string) func() *monitor.Model {
	return func() *monitor.Model { m := fold(options, last()); keys(m, names...); return m }
}

func empty() gateway.Census {
	c := census(noon, 0)
	c.Stores[gateway.MTSIn].Messages = 0
	for i := range c.Stores {
		c.Stores[i].Known, c.Stores[i].Bytes, c.Stores[i].Oldest = gateway.EmptyByDesign, 0, time.Time{}
	}
	return c
}

// still is a drain of which nothing leaves before the next attempt.
func still() *monitor.Model {
	s := last()
	s.Census, s.Summary = census(noon, 97), &gateway.Summary{Rows: rows()[:1], Worst: rows()[:1], Found: 1}
	s.Summary.Total.Next, s.Summary.Total.Ends = in(18*time.Minute), in(47*time.Hour)
	s.Census.InFlight = 0
	m := fold(options, s)
	for i := range 40 { // nothing leaves any more
		s.At = in(time.Duration(i) * time.Second)
		s.Seen = s.At
		m.Update(s)
	}
	return m
}

// TestScreens compares every screen at three sizes with what it was.
// UPDATE=1 rewrites them.
func TestScreens(t *testing.T) {
	for name, make := range screens {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for _, size := range sizes {
				m := make()
				m.Update(monitor.Size{W: size[0], H: size[1]})
				s := m.Draw()
				fmt.Fprintf(&b, "== %dx%d\n%s\n", size[0], size[1], strings.Join(s.Lines(screen.Encoding{}), "\n"))
				harmless(t, s)
			}
			golden(t, filepath.Join("testdata", name+".txt"), b.String())
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is another picture now (UPDATE=1 keeps it):\n%s", path, got)
	}
}

// harmless checks that no cell holds what a terminal obeys.
func harmless(t *testing.T, s *screen.Screen) {
	t.Helper()
	for _, l := range s.Lines(screen.Encoding{}) {
		if i := strings.IndexFunc(l, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }); i >= 0 {
			t.Errorf("line %q holds a control character", l)
		}
	}
	for _, l := range s.Lines(screen.Encoding{ASCII: true}) {
		if i := strings.IndexFunc(l, func(r rune) bool { return r > '~' || r < ' ' }); i >= 0 {
			t.Errorf("line %q is not ASCII", l)
		}
	}
}

// TestPicture holds the picture of the README to the code.
func TestPicture(t *testing.T) {
	m := fold(options, last())
	m.Update(monitor.Size{W: 112, H: 28})
	golden(t, filepath.Join("..", "monitor.svg"), m.Draw().SVG("ims monitor: a gateway drains"))
}

// TestFinal is what stays on the normal screen.
func TestFinal(t *testing.T) {
	lines := fold(options, last()).Final()
	for _, l := range lines {
		if screen.Width(l) > 80 {
			t.Errorf("%q is wider than 80", l)
		}
	}
	golden(t, filepath.Join("testdata", "final.txt"), strings.Join(lines, "\n")+"\n")
}
