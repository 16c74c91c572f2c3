package delivery_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/delivery"
)

func FuzzSanitize(f *testing.F) {
	for _, s := range []string{"", "250 ok", "a\r\nb\tc", "\x00\x1b[2J", "\xff\xfe", "\u202eabc", strings.Repeat("é ", 400)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out := delivery.Sanitize(in)
		if len(out) > 512 || !utf8.ValidString(out) || strings.ContainsFunc(out, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("Sanitize(%q) = %q", in, out)
		}
		if again := delivery.Sanitize(out); again != out {
			t.Errorf("Sanitize is not idempotent: %q then %q", out, again)
		}
	})
}

func TestGroupByDomain(t *testing.T) {
	in := []mail.Rcpt{{Addr: "a@x.org"}, {Addr: "b@Y.org"}, {Addr: `"c@z"@X.org`}, {Addr: "d@[192.0.2.1]"}}
	want := []delivery.Group{
		{Dest: "x.org", Rcpts: []mail.Rcpt{in[0], in[2]}},
		{Dest: "y.org", Rcpts: []mail.Rcpt{in[1]}},
		{Dest: "[192.0.2.1]", Rcpts: []mail.Rcpt{in[3]}},
	}
	if d := cmp.Diff(want, delivery.GroupByDomain(in)); d != "" {
		t.Errorf("groups (-want +got):\n%s", d)
	}
}

func TestSelfTargets(t *testing.T) {
	self, err := delivery.SelfTargets([]string{"GW.example."}, []string{"192.0.2.1:25", "0.0.0.0:2525"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		target delivery.Target
		want   bool
	}{
		{delivery.Target{Host: "gw.example", Addr: "203.0.113.1:25"}, true},
		{delivery.Target{Host: "mx", Addr: "192.0.2.1:25"}, true},
		{delivery.Target{Host: "mx", Addr: "[::ffff:192.0.2.1]:25"}, true},
		{delivery.Target{Host: "mx", Addr: "192.0.2.1:26"}, false},
		{delivery.Target{Host: "mx", Addr: "127.0.0.1:2525"}, true},
		{delivery.Target{Host: "mx", Addr: "127.0.0.1:25"}, false},
	}
	for _, tt := range tests {
		if got := self(tt.target); got != tt.want {
			t.Errorf("self(%+v) = %v", tt.target, got)
		}
	}
	if _, err := delivery.SelfTargets(nil, []string{"somewhere"}); err == nil {
		t.Error("a listen address without port was accepted")
	}
}
