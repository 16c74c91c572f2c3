package tsig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

const secret = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

func key(t testing.TB, name, alg string) Key {
	t.Helper()
	k, err := NewKey(name, alg, secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestParse(t *testing.T) {
	k := key(t, "Ims-Update", "HMAC-SHA256")
	for _, c := range []struct {
		name, text string
		keys       int
		err        string
	}{
		{"tsig-keygen", k.File(), 1, ""},
		{"comments, bare words, other order", "# a\n// b\nkey x.y. { secret " + secret + ";/* c\n */ algorithm hmac-sha512; };", 1, ""},
		{"two", k.File() + key(t, "b", "hmac-sha1").File(), 2, ""},
		{"empty", " \n", 0, ""},
		{"options", "options { directory \"x\"; };", 0, "want key"},
		{"md5", "key a { algorithm hmac-md5; secret \"" + secret + "\"; };", 0, "not supported"},
		{"short", "key a { algorithm hmac-sha256; secret \"AAAA\"; };", 0, "shorter"},
		{"not base64", "key a { algorithm hmac-sha256; secret \"hunter2!\"; };", 0, "not base64"},
		{"no secret", "key a { algorithm hmac-sha256; algorithm hmac-sha1; };", 0, "one secret"},
		{"open comment", "/*", 0, "comment"},
		{"open string", "key \"a", 0, "string"},
		{"cut short", "key a { algorithm hmac-sha256;", 0, "want key"},
	} {
		keys, err := Parse(c.text)
		if len(keys) != c.keys || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, %v", c.name, keys, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error shows the secret: %v", c.name, err)
		}
	}
}

func TestLoadFileMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k.key")
	k := key(t, "ims-update", "hmac-sha256")
	if err := os.WriteFile(path, []byte(k.File()), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o640: true, 0o400: true, 0o644: false, 0o660: false, 0o602: false, 0o666: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		got, err := LoadFile(path)
		if (err == nil) != ok {
			t.Errorf("mode %04o: %v", mode, err)
		}
		if ok && got.Name != "ims-update." {
			t.Errorf("mode %04o: %v", mode, got)
		}
	}
	if _, err := LoadFile(t.TempDir()); err == nil {
		t.Error("a directory is no key file")
	}
}

func TestKeyNeverPrintsItsSecret(t *testing.T) {
	k := key(t, "a", "hmac-sha256")
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%v %+v %#v %s", k, k, k, &k), k.LogValue().String()} {
		if strings.Contains(s, secret) || strings.Contains(s, "0123456789") || strings.Contains(s, "48 49 50") {
			t.Errorf("prints the secret: %s", s)
		}
	}
}

func TestRing(t *testing.T) {
	a, b := key(t, "a", "hmac-sha256"), key(t, "b", "hmac-sha384")
	other, err := NewKey("a", "hmac-sha256", "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=")
	if err != nil {
		t.Fatal(err)
	}
	same := a
	same.Algorithm = dns.HmacSHA512
	for _, c := range []struct {
		name   string
		signer Key
		ring   Ring
		want   error
	}{
		{"good", a, NewRing(a, b), nil},
		{"sha384", b, NewRing(a, b), nil},
		{"unknown", b, NewRing(a), dns.ErrSecret},
		{"other secret", other, NewRing(a), dns.ErrSig},
		{"other algorithm", same, NewRing(a), dns.ErrKeyAlg},
	} {
		m := new(dns.Msg)
		m.SetUpdate("example.test.")
		c.signer.Sign(m, time.Now().Unix())
		wire, _, err := dns.TsigGenerateWithProvider(m, NewRing(c.signer), "", false)
		if err != nil {
			t.Fatal(err)
		}
		if err := dns.TsigVerifyWithProvider(wire, c.ring, "", false); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`key "a" { algorithm hmac-sha256; secret "` + secret + `"; };`)
	f.Add(`/* */ key`)
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := Parse(text)
		if err != nil {
			return
		}
		for _, k := range keys {
			if hashes[k.Algorithm] == nil || len(k.secret) < 16 {
				t.Errorf("parsed an unusable key %v", k)
			}
		}
	})
}
