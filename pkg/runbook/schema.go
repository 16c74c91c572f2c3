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
