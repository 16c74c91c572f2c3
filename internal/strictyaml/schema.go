package strictyaml

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Schema describes what a JSON Schema says beside the types.
type Schema struct {
	Title    string
	Required []string // keys of the document
	Scalar   []string // JSON types that a Text may have
	// Words are the values of a key that takes one of a few, or a list of them.
	Words func(in reflect.Type, key string) []string
}

// JSONSchema is the JSON Schema (draft-07, which editors understand) of the
// documents that Decode reads into a type, so that the two cannot differ.
func JSONSchema(document reflect.Type, about Schema) ([]byte, error) {
	s := about.object(document)
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	s["title"] = about.Title
	s["required"] = about.Required
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode JSON Schema of %s: %w", about.Title, err)
	}
	return append(out, '\n'), nil
}

func (s Schema) object(t reflect.Type) map[string]any {
	properties := map[string]any{}
	for i := range t.NumField() {
		key := t.Field(i).Tag.Get("yaml")
		if key == "" {
			continue
		}
		p := s.of(t.Field(i).Type)
		if w := s.Words(t, key); w != nil {
			p = enum(t.Field(i).Type, w, p)
		}
		properties[key] = p
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
}

// enum is the schema of a text, or of each text of a list, that takes one of a
// few words; anything else keeps its own.
func enum(t reflect.Type, words []string, own map[string]any) map[string]any {
	one := map[string]any{"type": "string", "enum": words}
	switch {
	case deref(t) == textType:
		return one
	case t.Kind() == reflect.Slice && t.Elem() == textType:
		return map[string]any{"type": "array", "items": one}
	}
	return own
}

func deref(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func (s Schema) of(t reflect.Type) map[string]any {
	t = deref(t)
	switch {
	case t == textType && len(s.Scalar) == 1:
		return map[string]any{"type": s.Scalar[0]}
	case t == textType:
		return map[string]any{"type": s.Scalar}
	case t.Kind() == reflect.Slice && strings.HasPrefix(t.Name(), "Map["):
		value, _ := t.Elem().FieldByName("Value")
		return map[string]any{"type": "object", "additionalProperties": s.of(value.Type)}
	}
	switch t.Kind() {
	case reflect.Slice:
		return map[string]any{"type": "array", "items": s.of(t.Elem())}
	case reflect.Struct:
		return s.object(t)
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	default:
		return map[string]any{"type": "integer", "minimum": 0}
	}
}
