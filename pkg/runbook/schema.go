package runbook

import (
	"reflect"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// SchemaFile is the name of the schema beside the shipped runbooks.
const SchemaFile = "runbook-v1.schema.json"

// Schema is the JSON Schema (draft-07, which editors understand) of a runbook,
// made from the types that Load decodes into, so that the two cannot differ.
func Schema() ([]byte, error) {
	return strictyaml.JSONSchema(reflect.TypeFor[Doc](), strictyaml.Schema{
		Title: "ims runbook", Required: []string{"apiVersion", "kind", "metadata", "start", "states"},
		Scalar: []string{"string"}, Words: words,
	})
}

// words lists the values of keys that take one of a few.
func words(in reflect.Type, key string) []string {
	switch in {
	case reflect.TypeFor[WithDoc]():
		return argumentWords(key)
	case reflect.TypeFor[Param]():
		if key == "type" {
			return []string{"duration", "text"}
		}
		return nil
	}
	switch key {
	case "apiVersion":
		return []string{APIVersion}
	case "kind":
		return []string{"Runbook"}
	case "action":
		return texts(machine.ActionNames())
	case "begins":
		return texts(machine.AllBegins())
	case "grants":
		return facts.GrantNames()
	case "shows":
		return factGroups()
	case "risk":
		return []string{"destructive"}
	case "end":
		return []string{machine.Retired.String(), machine.ReleasePending.String(), machine.Succeeded.String(), machine.Aborted.String(), machine.FailedRun.String()}
	}
	return nil
}

// argumentWords are the words that an argument may be, of whatever action.
func argumentWords(key string) (words []string) {
	for _, a := range machine.ActionNames() {
		for _, f := range a.Forms() {
			for _, k := range f.Keys() {
				if k.Name == key {
					words = append(words, k.Words...)
				}
			}
		}
	}
	return unique(words)
}

func texts[T ~string](names []T) []string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = string(n)
	}
	return list
}
