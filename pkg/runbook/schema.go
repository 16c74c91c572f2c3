package runbook

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// SchemaFile is the name of the schema beside the shipped runbooks.
const SchemaFile = "runbook-v1.schema.json"

// Schema is the JSON Schema (draft-07, which editors understand) of a runbook,
// made from the types that Load decodes into, so that the two cannot differ.
func Schema() ([]byte, error) {
	s := object(reflect.TypeFor[Doc]())
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	s["title"] = "ims runbook"
	s["required"] = []string{"apiVersion", "kind", "metadata", "start", "states"}
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode runbook schema: %w", err)
	}
	return append(out, '\n'), nil
}

type schema map[string]any

// words lists the values of keys that take one of a few.
func words(key string) []string {
	switch key {
	case "apiVersion":
		return []string{APIVersion}
	case "kind":
		return []string{"Runbook"}
	case "action":
		var names []string
		for _, a := range machine.ActionNames() {
			names = append(names, string(a))
		}
		return names
	case "begins":
		var names []string
		for _, b := range machine.AllBegins() {
			names = append(names, string(b))
		}
		return names
	case "grants":
		return facts.GrantNames()
	case "risk":
		return []string{"destructive"}
	case "end":
		return []string{machine.Retired.String(), machine.ReleasePending.String(), machine.Succeeded.String(), machine.Aborted.String(), machine.FailedRun.String()}
	}
	return nil
}

func object(t reflect.Type) schema {
	properties := schema{}
	for i := range t.NumField() {
		key := t.Field(i).Tag.Get("yaml")
		if key == "" {
			continue
		}
		s := of(t.Field(i).Type)
		if w := words(key); w != nil && s["type"] == "string" {
			s["enum"] = w
		}
		properties[key] = s
	}
	return schema{"type": "object", "additionalProperties": false, "properties": properties}
}

func of(t reflect.Type) schema {
	if t.Kind() == reflect.Pointer {
		return of(t.Elem())
	}
	if t == reflect.TypeFor[strictyaml.Text]() {
		return schema{"type": "string"}
	}
	if t.Kind() == reflect.Slice && strings.HasPrefix(t.Name(), "Map[") { // strictyaml.Map
		value, _ := t.Elem().FieldByName("Value")
		return schema{"type": "object", "additionalProperties": of(value.Type)}
	}
	switch t.Kind() {
	case reflect.Slice:
		return schema{"type": "array", "items": of(t.Elem())}
	case reflect.Struct:
		return object(t)
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Float64:
		return schema{"type": "number"}
	default:
		return schema{"type": "integer", "minimum": 0}
	}
}
