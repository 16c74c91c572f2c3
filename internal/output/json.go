package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf16"
)

// object marshals data as one JSON object whose first field is its schema.
func object(name string, data any, indent bool) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(data); err != nil {
		return nil, fmt.Errorf("marshal %s: %w", name, err)
	}
	raw := bytes.TrimSpace(body.Bytes())
	if len(raw) < 2 || raw[0] != '{' {
		return nil, fmt.Errorf("marshal %s: want a JSON object, have %.20q", name, raw)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"schema":"ims/%s/v1"`, name)
	if raw[1] != '}' {
		b.WriteByte(',')
	}
	b.Write(raw[1:])
	out := tame(b.Bytes())
	if indent {
		b.Reset()
		if err := json.Indent(&b, out, "", "  "); err != nil {
			return nil, fmt.Errorf("indent %s: %w", name, err)
		}
		out = b.Bytes()
	}
	return append(out, '\n'), nil
}

// tame escapes the characters that Safe escapes and encoding/json does not.
// Outside ASCII they stand only within strings, where \u escapes are allowed.
func tame(raw []byte) []byte {
	var b bytes.Buffer
	for _, r := range string(raw) {
		switch {
		case r < 0x7f, !unsafeRune(r):
			b.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.Bytes()
}
