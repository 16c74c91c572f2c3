package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"RFC 8785 3.2.2, but for 1E30", `{"numbers": [333333333.33333329, 1E-30, 4.50, 2e-3, 0.000000000000000000000000001],
			"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}`,
			`{"literals":[null,true,false],"numbers":[333333333.3333333,1e-30,4.5,0.002,1e-27],` +
				`"string":"€$\u000f\nA'B\"\\\\\"/"}`},
		{"RFC 8785 3.2.3", `{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
			"\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
			"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\"," +
				"\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}"},
		{"no escapes but the needed", `"<>&\u2028\u007f\/"`, "\"<>&\u2028\u007f/\""},
		{"short escapes", `"\b\t\n\f\r\"\\\u0001"`, `"\b\t\n\f\r\"\\\u0001"`},
		{"numbers", `[0, -0, 1.0, 100, 1e-7, 9007199254740991, -1.5]`, `[0,0,1,100,1e-7,9007199254740991,-1.5]`},
		{"empty", ` [ { } , [ ] ] `, `[{},[]]`},
		{"escaped backslash before u", `"\\ud800"`, `"\\ud800"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := canonical([]byte(tt.in))
			if err != nil || string(got) != tt.want {
				t.Errorf("canonical(%s) = %s, %v, want %s", tt.in, got, err, tt.want)
			}
		})
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for _, in := range []string{
		``, `{`, `{"a":1}{}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `"\ud800"`, `"\ud800\u0041"`, `"\udc00"`, `"\ud83d\\ude00"`,
		"\"\xff\"", `9007199254740992`, `1e999`, `01`, `[1,]`, `{1:2}`, `nul`, strings.Repeat("[", 200) + strings.Repeat("]", 200),
	} {
		if got, err := canonical([]byte(in)); err == nil {
			t.Errorf("canonical(%s) = %s, want an error", in, got)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`{"b":[1.5,"é\u0000"],"a":null}`, `"\ud83d\ude00"`, `-0`, `{"a":{"a":true}}`, `1e-400`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		once, err := canonical(in)
		if err != nil {
			return
		}
		if !json.Valid(in) || !json.Valid(once) {
			t.Fatalf("canonical(%q) = %q: not JSON", in, once)
		}
		if twice, err := canonical(once); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("canonical(%q) = %q, %v: not stable", once, twice, err)
		}
	})
}

func TestNetworkFileSystems(t *testing.T) {
	for magic, want := range map[uint32]string{0x6969: "NFS", 0xfe534d42: "SMB2", 0x65735546: "FUSE", 0xef53: "", 0x01021994: ""} {
		err := judgeType("/x", magic)
		if want == "" {
			if err != nil {
				t.Errorf("%#x: %v", magic, err)
			}
			continue
		}
		if n, ok := errors.AsType[*NetworkError](err); !ok || n.Type != want {
			t.Errorf("%#x: %v, want %s", magic, err, want)
		}
	}
}

func TestConnectionsAreSafe(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		if err := j.db.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %s, %v, want %s", pragma, got, err, want)
		}
	}
	if _, err := j.Reader.db.Exec(`INSERT INTO plan VALUES ('n', 'r')`); err == nil {
		t.Error("the reader can write")
	}
}
