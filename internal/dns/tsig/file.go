package tsig

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
)

// maxFile bounds a key file, in bytes.
const maxFile = 64 << 10

// LoadFile reads the one key of a BIND key file, as tsig-keygen writes it. The
// file must be a regular one that only its owner can write and that nobody but
// owner and group can read.
func LoadFile(path string) (Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return Key{}, fmt.Errorf("load key: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return Key{}, fmt.Errorf("load key: %w", err)
	}
	if !st.Mode().IsRegular() {
		return Key{}, fmt.Errorf("load key %q: not a regular file", path)
	}
	if m := st.Mode().Perm(); m&0o027 != 0 {
		return Key{}, fmt.Errorf("load key %q: mode %04o lets others read it or the group change it; use 0600 or 0640", path, m)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Key{}, fmt.Errorf("load key %q: %w", path, err)
	}
	if len(b) > maxFile {
		return Key{}, fmt.Errorf("load key %q: larger than %d bytes", path, maxFile)
	}
	keys, err := Parse(string(b))
	if err != nil {
		return Key{}, fmt.Errorf("load key %q: %w", path, err)
	}
	if len(keys) != 1 {
		return Key{}, fmt.Errorf("load key %q: %d keys, want one", path, len(keys))
	}
	return keys[0], nil
}

// Parse reads key statements: key "name" { algorithm A; secret "S"; }; with
// comments as named.conf has them. Any other statement is an error. Errors
// never quote the text, which may be a secret.
func Parse(text string) ([]Key, error) {
	tok, err := tokens(text)
	if err != nil {
		return nil, err
	}
	var keys []Key
	for len(tok) > 0 {
		if len(tok) < 11 || tok[0] != "key" || tok[2] != "{" {
			return nil, fmt.Errorf("parse key %d: want key NAME { algorithm …; secret …; };", len(keys)+1)
		}
		field := map[string]string{}
		for i := 3; i < 9; i += 3 {
			if tok[i+2] != ";" {
				return nil, fmt.Errorf("parse key %d: want ';' after its fields", len(keys)+1)
			}
			field[tok[i]] = tok[i+1]
		}
		if tok[9] != "}" || tok[10] != ";" || field["algorithm"] == "" || field["secret"] == "" {
			return nil, fmt.Errorf("parse key %d: want one algorithm and one secret", len(keys)+1)
		}
		k, err := NewKey(tok[1], field["algorithm"], field["secret"])
		if err != nil {
			return nil, err
		}
		keys, tok = append(keys, k), tok[11:]
	}
	return keys, nil
}

// tokens splits named.conf text into words, strings and punctuation.
func tokens(s string) ([]string, error) {
	var out []string
	for s != "" {
		switch {
		case unicode.IsSpace(rune(s[0])):
			s = s[1:]
		case s[0] == '#', strings.HasPrefix(s, "//"):
			_, s, _ = strings.Cut(s, "\n")
		case strings.HasPrefix(s, "/*"):
			_, rest, ok := strings.Cut(s[2:], "*/")
			if !ok {
				return nil, errors.New("parse keys: comment does not end")
			}
			s = rest
		case s[0] == '{', s[0] == '}', s[0] == ';':
			out, s = append(out, s[:1]), s[1:]
		case s[0] == '"':
			word, rest, ok := strings.Cut(s[1:], `"`)
			if !ok {
				return nil, errors.New("parse keys: string does not end")
			}
			out, s = append(out, word), rest
		default:
			n := strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`{};"`, r) })
			if n < 0 {
				n = len(s)
			}
			out, s = append(out, s[:n]), s[n:]
		}
	}
	return out, nil
}
