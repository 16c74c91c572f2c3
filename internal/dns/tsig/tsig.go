// Package tsig holds TSIG keys (RFC 8945): it reads them from BIND key files
// and signs and verifies with them. It refuses key files that others can read
// or change, keys that are used with another algorithm than their own, and
// HMAC-MD5. A Key never prints its secret.
//
// It imports miekg/dns for the interface of its signer and its TSIG record.
package tsig

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"strings"

	"github.com/miekg/dns"

	"example.org/ims/pkg/zone"
)

// Fudge is the permitted clock difference in seconds (RFC 8945 10). It is
// never raised to get a message through.
const Fudge = 300

// Key is one shared secret.
type Key struct {
	Name      string // canonical
	Algorithm string // canonical, "hmac-sha256."
	secret    []byte
}

// hashes are the algorithms of RFC 8945 6 that are not deprecated, and SHA-1,
// which must be implemented.
var hashes = map[string]func() hash.Hash{
	dns.HmacSHA1:   sha1.New,
	dns.HmacSHA224: sha256.New224,
	dns.HmacSHA256: sha256.New,
	dns.HmacSHA384: sha512.New384,
	dns.HmacSHA512: sha512.New,
}

// NewKey makes a key from a base64 secret.
func NewKey(name, algorithm, secret string) (Key, error) {
	k := Key{Name: zone.CanonicalName(name), Algorithm: zone.CanonicalName(algorithm)}
	if k.Name == "." {
		return Key{}, errors.New("make key: no name")
	}
	if hashes[k.Algorithm] == nil {
		return Key{}, fmt.Errorf("make key %q: algorithm %q is not supported", name, algorithm)
	}
	raw, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		return Key{}, fmt.Errorf("make key %q: secret is not base64", name)
	}
	if len(raw) < 16 {
		return Key{}, fmt.Errorf("make key %q: secret is shorter than 16 bytes", name)
	}
	k.secret = raw
	return k, nil
}

// String names the key and its algorithm.
func (k Key) String() string { return k.Name + " (" + strings.TrimSuffix(k.Algorithm, ".") + ")" }

// GoString is String, so that no %#v prints the secret.
func (k Key) GoString() string { return k.String() }

// LogValue is String.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// Sign attaches a TSIG stub to m; the signature is made when m is sent. Sign a
// message once: sending takes the stub away again, and a message that was not
// sent keeps it.
func (k Key) Sign(m *dns.Msg, unix int64) { m.SetTsig(k.Name, k.Algorithm, Fudge, unix) }

// File is the key in the syntax of a BIND key file.
func (k Key) File() string {
	return fmt.Sprintf("key %q {\n\talgorithm %s;\n\tsecret %q;\n};\n",
		strings.TrimSuffix(k.Name, "."), strings.TrimSuffix(k.Algorithm, "."), base64.StdEncoding.EncodeToString(k.secret))
}

// Ring is a set of keys by canonical name. It signs and verifies for miekg/dns
// and is safe for concurrent use while nobody changes it.
type Ring map[string]Key

var _ dns.TsigProvider = Ring(nil)

// NewRing makes a ring.
func NewRing(keys ...Key) Ring {
	r := Ring{}
	for _, k := range keys {
		r[k.Name] = k
	}
	return r
}

// Generate signs msg. It fails for a key that is not in the ring and for an
// algorithm that is not the key's own.
func (r Ring) Generate(msg []byte, t *dns.TSIG) ([]byte, error) {
	k, ok := r[zone.CanonicalName(t.Hdr.Name)]
	if !ok {
		return nil, dns.ErrSecret
	}
	if k.Algorithm != zone.CanonicalName(t.Algorithm) {
		return nil, dns.ErrKeyAlg
	}
	h := hmac.New(hashes[k.Algorithm], k.secret)
	h.Write(msg)
	return h.Sum(nil), nil
}

// Verify checks the whole signature; truncated ones (RFC 8945 5.2.2.1) do not
// verify.
func (r Ring) Verify(msg []byte, t *dns.TSIG) error {
	want, err := r.Generate(msg, t)
	if err != nil {
		return err
	}
	got, err := hex.DecodeString(t.MAC)
	if err != nil || !hmac.Equal(got, want) {
		return dns.ErrSig
	}
	return nil
}
