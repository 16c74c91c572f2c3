package screen

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

// TestHostileText: whatever is written, every line keeps its width, and no cell
// holds what a terminal obeys.
func TestHostileText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 40).Draw(t, "w"), rapid.IntRange(1, 5).Draw(t, "h")
		s := New(w, h)
		a := s.Area(0, 0, w, h)
		for range rapid.IntRange(1, 6).Draw(t, "times") {
			text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z見積\x00-\x1f\x{202e}\x{200b}]{0,60}`)).Draw(t, "text")
			x, y := rapid.IntRange(-3, 45).Draw(t, "x"), rapid.IntRange(-1, 6).Draw(t, "y")
			a.Put(x, y, text, Style{Bold: true})
			if c := Cut(text, w); Width(c) > w {
				t.Fatalf("Cut(%q, %d) = %q", text, w, c)
			}
			for _, l := range Wrap(text, w) {
				if Width(l) > max(w, 2) {
					t.Fatalf("Wrap(%q, %d) has %q", text, w, l)
				}
			}
		}
		for _, l := range s.Lines(Encoding{}) {
			if Width(l) > w {
				t.Fatalf("line %q is wider than %d", l, w)
			}
			if strings.ContainsFunc(l, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) }) {
				t.Fatalf("line %q holds a control character", l)
			}
		}
		for _, e := range []Encoding{{}, {Color: true}, {ASCII: true}} {
			text := s.Text(e)
			if strings.Count(text, "\n") != h-1 {
				t.Fatalf("%d line breaks, want %d", strings.Count(text, "\n"), h-1)
			}
		}
	})
}

func TestWideCharacters(t *testing.T) {
	s := New(6, 1)
	a := s.Area(0, 0, 6, 1)
	a.Put(0, 0, "見積り", Style{})
	if got := s.Lines(Encoding{})[0]; got != "見積り" {
		t.Errorf("%q", got)
	}
	a.Put(1, 0, "x", Style{}) // into the middle of one
	if got := s.Lines(Encoding{})[0]; got != " x積り" {
		t.Errorf("%q: half a character is left", got)
	}
	if got := Cut("見積り書", 5); got != "見積…" {
		t.Errorf("Cut = %q", got)
	}
}

func TestColors(t *testing.T) {
	s := New(8, 1)
	s.Area(0, 0, 8, 1).Put(0, 0, "never", Style{Color: Bad, Bold: true})
	if got := s.Text(Encoding{Color: true}); got != "\x1b[0;1;31mnever\x1b[m" {
		t.Errorf("with colour %q", got)
	}
	if got := s.Text(Encoding{}); strings.Contains(got, "31") || !strings.Contains(got, "never") {
		t.Errorf("without colour %q", got)
	}
	if got := s.SVG("a < b"); !strings.Contains(got, "a &lt; b") || !strings.Contains(got, ">never</text>") {
		t.Errorf("drawing %q", got)
	}
}
