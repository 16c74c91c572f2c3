package config

import (
	"fmt"
	"reflect"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/gateway"
)

// SchemaFile is the name of the schema of configuration files.
const SchemaFile = "ims-v1.schema.json"

// Schema is the JSON Schema (draft-07, which editors understand) of
// configuration files, made from the types that Load decodes into. What a
// value may be beyond its type is Load's affair.
func Schema() ([]byte, error) {
	return strictyaml.JSONSchema(reflect.TypeFor[document](), strictyaml.Schema{
		Title: "ims configuration", Required: []string{"apiVersion", "kind", "organization", "gateways"},
		Scalar: []string{"string", "number", "boolean"}, Words: words,
	})
}

// words lists the values of keys that take one of a few.
func words(_ reflect.Type, key string) []string {
	switch key {
	case "apiVersion":
		return []string{"ims/v1"}
	case "kind":
		return []string{"Config"}
	case "adapter":
		return []string{"embedded"}
	case "writer":
		return []string{"rfc2136"}
	case "apply":
		return []string{"start", "live"}
	case "may":
		return []string{"view", "operate", "approve"}
	case "mode":
		return each(gateway.InboundOutbound, gateway.InboundOnly, gateway.OutboundOnly, gateway.None)
	case "refuse":
		return each(gateway.RefuseRcpt, gateway.RefuseConnect, gateway.RefuseClosed)
	case "scope":
		return each(gateway.ScopeOrganization, gateway.ScopeSite, gateway.ScopeLocation)
	}
	return nil
}

func each[T fmt.Stringer](values ...T) []string {
	var list []string
	for _, v := range values {
		list = append(list, v.String())
	}
	return list
}
