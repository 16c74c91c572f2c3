package suggest

import "testing"

func TestNearest(t *testing.T) {
	words := []string{"gateway", "resolver", "retire", "timeouts"}
	for _, tt := range []struct{ word, want string }{
		{"gatway", "gateway"},
		{"retrie", "retire"},
		{"timeout", "timeouts"},
		{"retire", "retire"},
		{"banana", ""},
		{"x", ""},
	} {
		got, ok := Nearest(tt.word, words)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("Nearest(%q) = %q, %v, want %q", tt.word, got, ok, tt.want)
		}
	}
}
