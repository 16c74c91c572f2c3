package monitor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"example.org/ims/internal/tui/monitor"
	"example.org/ims/internal/tui/screen"
	"example.org/ims/pkg/gateway"
)

// screenText is what is shown.
func screenText(m *monitor.Model, w, h int) string {
	m.Update(monitor.Size{W: w, H: h})
	return strings.Join(m.Draw().Lines(screen.Encoding{}), "\n")
}

// press presses keys and collects what is to be done, without what is only
// looked at.
func press(m *monitor.Model, names ...string) []monitor.Effect {
	var done []monitor.Effect
	for _, k := range names {
		for _, e := range m.Update(monitor.Key{Name: k}) {
			if _, look := e.(monitor.Ask); !look {
				done = append(done, e)
			}
		}
	}
	return done
}

var out = gateway.Out

func TestVerbs(t *testing.T) {
	row := gateway.Selection{Store: &out, Dest: "deadhost.example", Limit: 32}
	act := func(verb gateway.Verb, by time.Time, reason string) []monitor.Effect {
		return []monitor.Effect{monitor.Act{Verb: verb, Selection: row, By: by, About: "for deadhost.example in out", Reason: reason}}
	}
	for _, c := range []struct {
		name string
		keys string
		want []monitor.Effect
	}{
		{"retry, however many there are by then", "r t h e y enter", act(gateway.Retry, time.Time{}, "they")},
		{"hold", "h i t enter", act(gateway.Suspend, noon, "it")},
		{"return with the count", "n g o enter 3 2 enter", act(gateway.Return, noon, "go")},
		{"return with another count", "n g o enter 3 enter enter", nil},
		{"return without a reason", "n enter 3 2 enter", nil},
		{"delete with the count", "d s enter 3 2 enter", act(gateway.Delete, noon, "s")},
		{"esc", "d s enter 3 2 esc enter", []monitor.Effect{monitor.FetchLetters{Of: monitor.Place{Store: gateway.Out, Dest: "deadhost.example"}}}},
		{"release where nothing is held", "l x enter", []monitor.Effect{monitor.FetchLetters{Of: monitor.Place{Store: gateway.Out, Dest: "deadhost.example"}}}},
		{"abort with the name of the run", "A n o enter g w - o l d - 1 enter", []monitor.Effect{monitor.Tell{Verb: "abort", State: "drain", Reason: "no"}}},
		{"abort with another name", "A n o enter g w enter", nil},
		{"pause", "p n o enter", []monitor.Effect{monitor.Tell{Verb: "pause", State: "drain", Reason: "no"}}},
		{"nothing is asked", "a enter", []monitor.Effect{monitor.FetchLetters{Of: monitor.Place{Store: gateway.Out, Dest: "deadhost.example"}}}},
		{"leave", "q q", []monitor.Effect{monitor.Quit{}}},
		{"leave from a dialog", "n ctrl+c", []monitor.Effect{monitor.Quit{}}},
	} {
		m := fold(options, last())
		if d := cmp.Diff(c.want, press(m, strings.Fields(c.keys)...)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// TestVerbOnAMessage: in the pane of messages a verb means the one at the
// cursor, by its entry.
func TestVerbOnAMessage(t *testing.T) {
	m := fold(options, last())
	press(m, "enter")
	m.Update(letters())
	got := press(m, "down", "n", "g", "enter", "1", "enter")
	want := []monitor.Effect{monitor.Act{Verb: gateway.Return, Selection: gateway.Selection{Store: &out, ID: "e1", Limit: 1, Expect: 1}, About: "m1 (entry e1) for deadhost.example in out", Reason: "g"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestAnswers(t *testing.T) {
	one := asking()
	one.Run.Choices = one.Run.Choices[:1]
	tell := func(verb, state, choice, reason string) []monitor.Effect {
		return []monitor.Effect{monitor.Tell{Verb: verb, State: state, Choice: choice, Reason: reason}}
	}
	for _, c := range []struct {
		snap monitor.Snapshot
		keys string
		want []monitor.Effect
	}{
		{asking(), "a enter", nil}, // nothing is chosen
		{asking(), "a 1 enter", tell("approve", "confirm", "remove", "")},
		{asking(), "a 3 enter", nil},
		{asking(), "a 2 n o 1 enter", tell("approve", "confirm", "wait", "no1")},
		{asking(), "a down down o k enter", tell("approve", "confirm", "wait", "ok")},
		{one, "a enter", tell("approve", "confirm", "remove", "")},
		{asking(), "x n o enter", tell("reject", "confirm", "", "no")},
		{asking(), "x enter", nil},
		{proving(), "a 2 enter", nil}, // its end was not seen
		{proving(), "a 2 pgdown enter", nil},
		{proving(), "a 2 end enter", tell("approve", "confirm", "wait", "")},
		{proving(), "a pgdown pgdown pgdown home 2 enter", tell("approve", "confirm", "wait", "")},
		{stopped(), "c enter", tell("resume", "drain", "", "")},
		{paused(), "p enter", tell("continue", "drain", "", "")},
		{paused(), "c o k enter", tell("continue", "drain", "", "ok")},
	} {
		if d := cmp.Diff(c.want, press(fold(options, c.snap), strings.Fields(c.keys)...)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.keys, d)
		}
	}
}

// TestTooSmallToRead: what a terminal cannot show is not approved on it.
func TestTooSmallToRead(t *testing.T) {
	m := fold(options, asking())
	m.Update(monitor.Size{W: 80, H: monitor.MinHeight - 1})
	if got := press(m, "a", "1", "end", "enter"); got != nil {
		t.Errorf("approved unseen: %+v", got)
	}
}

// TestDialogsAreClosed when somebody else did what they are about, with a word
// why, and stay while nothing of that happened.
func TestDialogsAreClosed(t *testing.T) {
	anew, ended := asking(), last()
	anew.Run.Asked.Digest = "def"
	ended.Run.Phase, ended.Run.Outcome = "closed", "retired"
	gone := asking()
	gone.Gone = ago(time.Second)
	pausedAsking := asking()
	pausedAsking.Run.Paused = paused().Run.Paused
	for _, c := range []struct {
		name   string
		before monitor.Snapshot
		key    string
		after  monitor.Snapshot
		want   string // "" is: it stays
	}{
		{"answered", asking(), "a", last(), "the question of confirm was answered"},
		{"asked anew", asking(), "x", anew, "confirm asks anew"},
		{"paused while asked", asking(), "a", pausedAsking, "bob paused the run"},
		{"paused", last(), "p", paused(), "bob paused the run: the provider works on the line"},
		{"continued", paused(), "p", last(), "the run goes on already"},
		{"resumed", stopped(), "c", last(), "the run waits for no operator any more"},
		{"ended", last(), "A", ended, "the run has ended: retired"},
		{"nothing happened", asking(), "a", asking(), ""},
		{"the runner died, which may come back", asking(), "a", gone, ""},
	} {
		m := fold(options, c.before)
		press(m, c.key)
		c.after.At = in(time.Second)
		m.Update(c.after)
		text := screenText(m, 160, 48)
		if open := strings.Contains(text, "┌─ "); open != (c.want == "") || !strings.Contains(text, c.want) {
			t.Errorf("%s: open %v, want %q:\n%s", c.name, open, c.want, text)
		}
	}
}

// TestDisabledKeysSayWhy: a key that does nothing now is answered.
func TestDisabledKeysSayWhy(t *testing.T) {
	dead, dry, gone := last(), last(), last()
	dead.GatewayErr, dry.DryRun, gone.Gone = "no such file", true, ago(time.Minute)
	for _, c := range []struct {
		name string
		snap monitor.Snapshot
		opt  monitor.Options
		key  string
		want string
	}{
		{"release", last(), options, "l", "only held and bad messages can be released"},
		{"answer", last(), options, "a", "the run asks nothing"},
		{"resume", last(), options, "c", "the run does not wait for an operator"},
		{"pause", last(), monitor.Options{}, "p", "this runner cannot pause a run"},
		{"no gateway", dead, options, "n", "the gateway does not answer"},
		{"dry run", dry, options, "d", "this is a dry run"},
		{"dry run of a run", dry, options, "A", "this is a dry run"},
		{"no runner", gone, options, "A", "no runner is alive"},
		{"no such key", last(), options, "z", "no key z here"},
	} {
		m := fold(c.opt, c.snap)
		press(m, c.key)
		lines := strings.Split(screenText(m, 160, 48), "\n")
		if foot := lines[len(lines)-1]; !strings.Contains(foot, c.want) {
			t.Errorf("%s: the foot says %q, want %q", c.name, foot, c.want)
		}
	}
}

// TestWindow: the cursor may go anywhere, and what is shown is asked for.
func TestWindow(t *testing.T) {
	s := last()
	s.Summary.Found = 10_000
	m := fold(options, s)
	var asked gateway.SummaryQuery
	for _, e := range m.Update(monitor.Key{Name: "end"}) {
		if a, ok := e.(monitor.Ask); ok {
			asked = a.Query
		}
	}
	if asked.Offset > 9_999 || asked.Offset+asked.Limit < 10_000 {
		t.Errorf("at the end rows %d+%d are asked for", asked.Offset, asked.Limit)
	}
	s.Summary = &gateway.Summary{Found: 10_000}
	for i := range asked.Limit {
		s.Summary.Rows = append(s.Summary.Rows, gateway.Destination{Dest: fmt.Sprint("d", asked.Offset+i), Messages: 1})
	}
	m.Update(s)
	if got := screenText(m, 80, 24); !strings.Contains(got, "› d9999") {
		t.Errorf("the last row is not shown:\n%s", got)
	}
	if got := m.Update(monitor.Key{Name: "s"}); len(got) != 1 || got[0].(monitor.Ask).Query.Sort != gateway.ByCount || got[0].(monitor.Ask).Query.Offset != 0 {
		t.Errorf("another order asks %+v", got)
	}
}

// TestAnySize: whatever is pressed and however large the terminal is, the
// picture has exactly its size and nothing panics.
func TestAnySize(t *testing.T) {
	names := []string{
		"up", "down", "pgdown", "end", "home", "tab", "enter", "esc", "q", "a", "x", "p", "c", "A", "g", "j", "?", "s", "/", "r", "h", "l", "n", "d", "1", "backspace", "見", "\x1b",
	}
	rapid.Check(t, func(t *rapid.T) {
		snap := rapid.SampledFrom([]func() monitor.Snapshot{last, asking, func() monitor.Snapshot { return monitor.Snapshot{} }}).Draw(t, "snapshot")()
		m := monitor.New(options)
		m.Update(snap)
		for range rapid.IntRange(0, 12).Draw(t, "keys") {
			k := rapid.SampledFrom(names).Draw(t, "key")
			if k == "q" && rapid.Bool().Draw(t, "stay") {
				continue
			}
			m.Update(monitor.Key{Name: k})
			m.Update(letters())
			m.Update(letter())
		}
		w, h := rapid.IntRange(0, 220).Draw(t, "w"), rapid.IntRange(0, 70).Draw(t, "h")
		m.Update(monitor.Size{W: w, H: h})
		s := m.Draw()
		if gw, gh := s.Size(); gw != w || gh != h {
			t.Fatalf("%dx%d, want %dx%d", gw, gh, w, h)
		}
		for _, l := range s.Lines(screen.Encoding{}) {
			if n := screen.Width(l); n > w {
				t.Fatalf("line %q is %d wide, the terminal %d", l, n, w)
			}
		}
	})
}

// TestTabSkipsWhatIsNotShown: the keys never go to a part that is not on the
// screen.
func TestTabSkipsWhatIsNotShown(t *testing.T) {
	for _, size := range sizes {
		m := fold(options, last())
		m.Update(monitor.Size{W: size[0], H: size[1]})
		for range 5 {
			for _, key := range []string{"tab", "shift+tab", "tab"} {
				press(m, key)
				text := screenText(m, size[0], size[1])
				if !strings.Contains(text, "› DESTINATION") && !strings.Contains(text, "› STEP") && !strings.Contains(text, "› LAST EVENTS") {
					t.Fatalf("%v: after %s nothing has the keys:\n%s", size, key, text)
				}
			}
		}
	}
	m := fold(options, last())
	m.Update(monitor.Size{W: 160, H: 48})
	press(m, "tab")
	m.Update(monitor.Size{W: 80, H: 24}) // which has no room for the steps
	press(m, "down")
	if text := screenText(m, 80, 24); !strings.Contains(text, "\n› slowco.example") {
		t.Errorf("the keys do not go to the matrix:\n%s", text)
	}
}
