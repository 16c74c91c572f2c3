package address_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/mail/address"
)

type box = address.Mailbox

func TestParseForward(t *testing.T) {
	l64 := strings.Repeat("l", 64)
	d255 := strings.Repeat(strings.Repeat("d", 63)+".", 3) + strings.Repeat("d", 63)
	tests := []struct {
		name, in string
		utf8     bool
		want     box
		text     string // of want.String(), when it differs from local@domain
		rest     string
		err      error
	}{
		{name: "plain", in: "<a@d>", want: box{"a", "d"}},
		{name: "case of the domain only", in: "<Joe.Doe@EXAMPLE.Com>", want: box{"Joe.Doe", "example.com"}},
		{name: "parameters", in: "<a@d> NOTIFY=NEVER", want: box{"a", "d"}, rest: " NOTIFY=NEVER"},
		{name: "all of atext", in: "<!#$%&'*+-/=?^_`{|}~@d>", want: box{"!#$%&'*+-/=?^_`{|}~", "d"}},
		{name: "percent hack stays local", in: "<u%evil.example@d>", want: box{"u%evil.example", "d"}},
		{name: "postmaster", in: "<Postmaster>", want: address.Postmaster(), text: "postmaster"},
		{name: "postmaster and parameters", in: "<POSTMASTER> X=1", want: address.Postmaster(), text: "postmaster", rest: " X=1"},
		{name: "needless quotes go", in: `<"joe"@d>`, want: box{"joe", "d"}},
		{name: "needless escapes go", in: `<"\j\o\e"@d>`, want: box{"joe", "d"}},
		{name: "quoted space", in: `<"a b"@d>`, want: box{"a b", "d"}, text: `"a b"@d`},
		{name: "quoted dots", in: `<"a..b"@d>`, want: box{"a..b", "d"}, text: `"a..b"@d`},
		{name: "quoted nothing", in: `<""@d>`, want: box{"", "d"}, text: `""@d`},
		{name: "quoted quote", in: `<"a\"b"@d>`, want: box{`a"b`, "d"}, text: `"a\"b"@d`},
		{name: "quoted backslash", in: `<"a\\"@d>`, want: box{`a\`, "d"}, text: `"a\\"@d`},
		{name: "quoted at", in: `<"u@evil.example"@d>`, want: box{"u@evil.example", "d"}, text: `"u@evil.example"@d`},
		{
			name: "smuggled recipient stays quoted", in: `<"victim@evil.com> ORCPT=rfc822;x"@local.dom>`,
			want: box{"victim@evil.com> ORCPT=rfc822;x", "local.dom"},
			text: `"victim@evil.com> ORCPT=rfc822;x"@local.dom`,
		},
		{name: "source route", in: "<@r:u@d>", want: box{"u", "d"}},
		{name: "long source route", in: "<@a.example,@b.example:u@d>", want: box{"u", "d"}},
		{name: "IPv4", in: "<a@[192.0.2.1]>", want: box{"a", "[192.0.2.1]"}},
		{name: "IPv6", in: "<a@[ipv6:2001:DB8:0::1]>", want: box{"a", "[IPv6:2001:db8::1]"}},
		{name: "underscore", in: "<a@b_c.example>", want: box{"a", "b_c.example"}},
		{name: "64 octets", in: "<" + l64 + "@d>", want: box{l64, "d"}},
		{name: "UTF-8", in: "<jörg@Bücher.example>", utf8: true, want: box{"jörg", "bücher.example"}},

		{name: "65 octets", in: "<l" + l64 + "@d>", err: address.ErrTooLong},
		{name: "65 octets with quotes", in: `<"` + l64 + `"@d>`, err: address.ErrTooLong},
		{name: "256 octets of domain", in: "<a@" + d255 + ".d>", err: address.ErrTooLong},
		{name: "257 octets of path", in: "<ab@" + d255[:252] + ">", err: address.ErrTooLong},
		{name: "64 octets of label", in: "<a@" + strings.Repeat("d", 64) + ".example>", err: address.ErrTooLong},
		{name: "UTF-8 local not allowed", in: "<jörg@d>", err: address.ErrUTF8},
		{name: "UTF-8 domain not allowed", in: "<a@bücher.example>", err: address.ErrUTF8},
		{name: "bad UTF-8", in: "<a\xff@d>", utf8: true, err: address.ErrSyntax},
		{name: "override of direction", in: "<a@b\u202ec.example>", utf8: true, err: address.ErrSyntax},
		{name: "override in local", in: "<a\u202eb@d>", utf8: true, err: address.ErrSyntax},
		{name: "C1 control", in: "<a\u0085b@d>", utf8: true, err: address.ErrSyntax},
		{name: "ideographic full stop", in: "<a@b。example>", utf8: true, err: address.ErrSyntax},
		{name: "full-width domain", in: "<a@ｅvil.example>", utf8: true, err: address.ErrSyntax},
		{name: "null", in: "<>", err: address.ErrSyntax},
		{name: "nothing", in: "", err: address.ErrSyntax},
		{name: "no brackets", in: "a@d", err: address.ErrSyntax},
		{name: "no domain", in: "<a>", err: address.ErrSyntax},
		{name: "empty domain", in: "<a@>", err: address.ErrSyntax},
		{name: "empty local", in: "<@d>", err: address.ErrSyntax},
		{name: "NUL in domain", in: "<a@b\x00c>", err: address.ErrSyntax},
		{name: "TAB in domain", in: "<a@b\tc>", err: address.ErrSyntax},
		{name: "NUL in local", in: "<a\x00b@d>", err: address.ErrSyntax},
		{name: "NUL in quotes", in: "<\"a\x00b\"@d>", err: address.ErrSyntax},
		{name: "TAB in quotes", in: "<\"a\tb\"@d>", err: address.ErrSyntax},
		{name: "escaped CR in quotes", in: "<\"a\\\rb\"@d>", err: address.ErrSyntax},
		{name: "CRLF in quotes", in: "<\"a\r\nb\"@d>", err: address.ErrSyntax},
		{name: "LF after domain", in: "<a@d\n>", err: address.ErrSyntax},
		{name: "two at", in: "<a@b@c>", err: address.ErrSyntax},
		{name: "unbalanced quote", in: `<"a\"@d>`, err: address.ErrSyntax},
		{name: "quote in the middle", in: `<a"b"@d>`, err: address.ErrSyntax},
		{name: "text after quotes", in: `<"a"b@d>`, err: address.ErrSyntax},
		{name: "spaces", in: "< a@d >", err: address.ErrSyntax},
		{name: "space before bracket", in: " <a@d>", err: address.ErrSyntax},
		{name: "space in local", in: "<a b@d>", err: address.ErrSyntax},
		{name: "junk at once", in: "<a@d>junk", err: address.ErrSyntax},
		{name: "tab for space", in: "<a@d>\tX=1", err: address.ErrSyntax},
		{name: "not closed", in: "<a@d", err: address.ErrSyntax},
		{name: "leading dot", in: "<.a@d>", err: address.ErrSyntax},
		{name: "two dots", in: "<a..b@d>", err: address.ErrSyntax},
		{name: "trailing dot", in: "<a@d.>", err: address.ErrSyntax},
		{name: "hyphen first", in: "<a@-d.example>", err: address.ErrSyntax},
		{name: "route without mailbox", in: "<@r:>", err: address.ErrSyntax},
		{name: "route not ended", in: "<@r u@d>", err: address.ErrSyntax},
		{name: "IPv4 tagged", in: "<a@[IPv6:192.0.2.1]>", err: address.ErrSyntax},
		{name: "IPv6 untagged", in: "<a@[2001:db8::1]>", err: address.ErrSyntax},
		{name: "IPv6 with zone", in: "<a@[IPv6:fe80::1%eth0]>", err: address.ErrSyntax},
		{name: "unknown tag", in: "<a@[x400:c=de]>", err: address.ErrSyntax},
		{name: "literal not closed", in: "<a@[192.0.2.1>", err: address.ErrSyntax},
		{name: "route syntax of UUCP", in: "<d!u>", err: address.ErrSyntax},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, rest, err := address.ParseForward(tt.in, tt.utf8)
			if !errors.Is(err, tt.err) || (tt.err == nil) != (err == nil) {
				t.Fatalf("ParseForward(%q) error = %v, want %v", tt.in, err, tt.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || rest != tt.rest {
				t.Fatalf("ParseForward(%q) rest %q, want %q; mailbox -want +got:\n%s", tt.in, rest, tt.rest, diff)
			}
			if err != nil {
				return
			}
			text := tt.text
			if text == "" {
				text = tt.want.Local + "@" + tt.want.Domain
			}
			if got.String() != text || got.Path() != "<"+text+">" {
				t.Errorf("String() = %q, Path() = %q, want %q", got, got.Path(), text)
			}
		})
	}
}

func TestParseReverse(t *testing.T) {
	tests := []struct {
		in   string
		want box
		rest string
		ok   bool
	}{
		{"<>", box{}, "", true},
		{"<> SIZE=10", box{}, " SIZE=10", true},
		{"<>x", box{}, "", false},
		{"<a@d> BODY=8BITMIME", box{"a", "d"}, " BODY=8BITMIME", true},
		{"<@r:u@d>", box{"u", "d"}, "", true},
		{"<Postmaster>", box{}, "", false},
		{"", box{}, "", false},
	}
	for _, tt := range tests {
		got, rest, err := address.ParseReverse(tt.in, false)
		if got != tt.want || rest != tt.rest || (err == nil) != tt.ok {
			t.Errorf("ParseReverse(%q) = %v, %q, %v", tt.in, got, rest, err)
		}
	}
	if !(box{}).IsNull() || (box{}).String() != "" || (box{}).Path() != "<>" {
		t.Error("the zero mailbox is not the null reverse-path")
	}
	if (box{"", "d"}).IsNull() {
		t.Error(`""@d is taken for the null reverse-path`)
	}
}

func TestRequote(t *testing.T) {
	tests := []struct{ in, want string }{
		{"victim@evil.com> ORCPT=rfc822;x@local.dom", `"victim@evil.com> ORCPT=rfc822;x"@local.dom`},
		{`a"b\@d`, `"a\"b\\"@d`},
		{"joe@D.example", "joe@d.example"},
		{strings.Repeat("l", 64) + "@d", strings.Repeat("l", 64) + "@d"},
		{"a\r\nRCPT TO:<x@y>@d", ""},
		{"nobody", ""},
		{"a@b\x00", ""},
	}
	for _, tt := range tests {
		got, err := address.Requote(tt.in, false)
		if got.String() != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("Requote(%q) = %q, %v, want %q", tt.in, got, err, tt.want)
		}
	}
}

func TestASCII(t *testing.T) {
	for m, want := range map[box]bool{
		{"a", "d"}: true, {"ä", "d"}: false, {"a", "ä"}: false,
	} {
		if m.ASCII() != want {
			t.Errorf("%v.ASCII() = %v", m, !want)
		}
	}
	if !address.Postmaster().IsPostmaster() || !(box{"PostMaster", "d"}).IsPostmaster() || (box{"a", "d"}).IsPostmaster() {
		t.Error("IsPostmaster is wrong")
	}
}

// FuzzPath checks that whatever is taken prints to something that parses to
// the same mailbox and cannot end a path or a line early.
func FuzzPath(f *testing.F) {
	for _, s := range []string{
		"<a@d>", "<>", "<Postmaster>", `<"victim@evil.com> ORCPT=rfc822;x"@local.dom>`, `<"a\\"@d>`,
		"<@r,@s:u@d> X=1", "<a@[IPv6:::ffff:1:2]>", "<jörg@bücher.example>", "<\"a\\\x00\"@d>", `<""@d>`,
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, utf8 bool) {
		if m, _, err := address.ParseForward(s, utf8); err == nil {
			if !utf8 && !m.ASCII() {
				t.Errorf("%q took UTF-8 without leave", s)
			}
			check(t, m)
		}
		if m, err := address.Requote(s, utf8); err == nil {
			check(t, m)
		}
	})
}

func check(t *testing.T, m box) {
	t.Helper()
	text := m.String()
	if again, err := address.Parse(text, true); err != nil || again != m {
		t.Errorf("Parse(%q) = %#v, %v, want %#v", text, again, err, m)
	}
	if again, rest, err := address.ParseForward(m.Path()+" X=1", true); err != nil || again != m || rest != " X=1" {
		t.Errorf("ParseForward(%q) = %#v, %q, %v", m.Path(), again, rest, err)
	}
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c < ' ' || c == 0x7f:
			t.Errorf("%q holds a control character", text)
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '>' || c == '<' || c == ' '):
			t.Errorf("%q holds %q outside quotes", text, c)
		}
	}
}
