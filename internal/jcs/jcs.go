// Package jcs writes JSON in the one form that can be hashed: RFC 8785, the
// JSON Canonicalization Scheme. It refuses what two readers could disagree
// about (RFC 7493): a name twice in one object, half a surrogate pair, invalid
// UTF-8, a number that a double cannot hold, an integer beyond 2^53-1.
package jcs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a body.
const maxDepth = 100

// Canonical returns one JSON value in canonical form. Keys are sorted by UTF-16
// code units, strings escape only what they must, numbers are written as
// ECMAScript writes a double. The error says what is refused, without a place.
func Canonical(raw []byte) ([]byte, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("not UTF-8")
	}
	if err := surrogates(raw); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	out, err := appendValue(nil, dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON value")
	}
	return out, nil
}

func appendValue(dst []byte, dec *json.Decoder, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch v := tok.(type) {
	case json.Delim:
		if v == '[' {
			return appendArray(dst, dec, depth)
		}
		return appendObject(dst, dec, depth)
	case string:
		return AppendString(dst, v), nil
	case json.Number:
		return appendNumber(dst, v.String())
	case bool:
		return strconv.AppendBool(dst, v), nil
	default: // Token gives nil for null, and no other type
		return append(dst, "null"...), nil
	}
}

func appendArray(dst []byte, dec *json.Decoder, depth int) (_ []byte, err error) {
	dst = append(dst, '[')
	for n := 0; dec.More(); n++ {
		if n > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendValue(dst, dec, depth+1); err != nil {
			return nil, err
		}
	}
	_, err = dec.Token()
	return append(dst, ']'), err
}

func appendObject(dst []byte, dec *json.Decoder, depth int) ([]byte, error) {
	members := make(map[string][]byte)
	var names []string
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, ok := tok.(string)
		if !ok {
			return nil, errors.New("a name is not a string")
		}
		if _, twice := members[name]; twice {
			return nil, fmt.Errorf("name %q twice in one object", name)
		}
		names = append(names, name)
		if members[name], err = appendValue(nil, dec, depth+1); err != nil {
			return nil, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	slices.SortFunc(names, compareUTF16)
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendString(dst, name), ':')
		dst = append(dst, members[name]...)
	}
	return append(dst, '}'), nil
}

// compareUTF16 orders as RFC 8785 section 3.2.3 does; it differs from the order
// of bytes only above the basic multilingual plane.
func compareUTF16(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

// AppendString appends s as a canonical JSON string; s must be UTF-8.
func AppendString(dst []byte, s string) []byte {
	const short = "\b\t\n\f\r\"\\"
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		c := s[i]
		if k := strings.IndexByte(short, c); k >= 0 {
			dst = append(dst, '\\', `btnfr"\`[k])
		} else if c < 0x20 {
			dst = fmt.Appendf(dst, `\u%04x`, c)
		} else {
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

func appendNumber(dst []byte, lit string) ([]byte, error) {
	f, err := strconv.ParseFloat(lit, 64)
	if err != nil {
		return nil, fmt.Errorf("number %s is out of range", lit)
	}
	if f == math.Trunc(f) && math.Abs(f) > 1<<53-1 {
		return nil, fmt.Errorf("number %s is not exact in a double, write it as a string", lit)
	}
	if f == 0 {
		return append(dst, '0'), nil // also for -0
	}
	out, err := json.Marshal(f) // in ECMAScript's format
	return append(dst, out...), err
}

// surrogates refuses \u escapes that are half a character; package json would
// replace them silently. In valid JSON a backslash stands only in strings.
func surrogates(raw []byte) error {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		first := escaped(raw[i:])
		if !utf16.IsSurrogate(first) {
			i++ // the escaped byte may be a backslash itself
			continue
		}
		if i+6 > len(raw) || utf16.DecodeRune(first, escaped(raw[i+6:])) == utf8.RuneError {
			return errors.New("half a surrogate pair")
		}
		i += 11
	}
	return nil
}

// escaped returns the code unit of the \uXXXX at the start of b, or -1.
func escaped(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(n)
}
