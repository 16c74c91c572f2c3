package jcs

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{
			"RFC 8785 3.2.2, but for 1E30", `{"numbers": [333333333.33333329, 1E-30, 4.50, 2e-3, 0.000000000000000000000000001],
			"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}`,
			`{"literals":[null,true,false],"numbers":[333333333.3333333,1e-30,4.5,0.002,1e-27],` +
				`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		},
		{
			"RFC 8785 3.2.3", `{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
			"\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
			"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\"," +
				"\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}",
		},
		{"no escapes but the needed", `"<>&\u2028\u007f\/"`, "\"<>&\u2028\u007f/\""},
		{"short escapes", `"\b\t\n\f\r\"\\\u0001"`, `"\b\t\n\f\r\"\\\u0001"`},
		{"numbers", `[0, -0, 1.0, 100, 1e-7, 9007199254740991, -1.5]`, `[0,0,1,100,1e-7,9007199254740991,-1.5]`},
		{"empty", ` [ { } , [ ] ] `, `[{},[]]`},
		{"escaped backslash before u", `"\\ud800"`, `"\\ud800"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Canonical([]byte(tt.in))
			if err != nil || string(got) != tt.want {
				t.Errorf("Canonical(%s) = %s, %v, want %s", tt.in, got, err, tt.want)
			}
		})
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for _, in := range []string{
		``, `{`, `{"a":1}{}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `"\ud800"`, `"\ud800\u0041"`, `"\udc00"`, `"\ud83d\\ude00"`,
		"\"\xff\"", `9007199254740992`, `1e999`, `01`, `[1,]`, `{1:2}`, `nul`, strings.Repeat("[", 200) + strings.Repeat("]", 200),
	} {
		if got, err := Canonical([]byte(in)); err == nil {
			t.Errorf("Canonical(%s) = %s, want an error", in, got)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`{"b":[1.5,"é\u0000"],"a":null}`, `"\ud83d\ude00"`, `-0`, `{"a":{"a":true}}`, `1e-400`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		once, err := Canonical(in)
		if err != nil {
			return
		}
		if !json.Valid(in) || !json.Valid(once) {
			t.Fatalf("Canonical(%q) = %q: not JSON", in, once)
		}
		if twice, err := Canonical(once); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("Canonical(%q) = %q, %v: not stable", once, twice, err)
		}
	})
}
