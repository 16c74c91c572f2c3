package strictyaml

import (
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

func kind(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.IntegerNode:
		return "a number"
	case *ast.FloatNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.NullNode:
		return "nothing"
	}
	return "text"
}

// unquote is a key or scalar without its quotes.
func unquote(n ast.Node) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	return n.GetToken().Value
}

// scalar is a node's text, whatever scalar it is.
func (d *decoder) scalar(n ast.Node, path, want string) (string, bool) {
	switch n := n.(type) {
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.StringNode:
		if n.Token.Type == token.StringType && yaml11Bool(n.Value) {
			d.add(n, "yaml11-bool", "a plain %q is a boolean to YAML 1.1 tools: quote it, or write true or false", n.Value)
			return n.Value, want == "text"
		}
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	d.add(n, "type", "%s wants %s, this is %s", orDocument(path), want, kind(n))
	return "", false
}

func yaml11Bool(s string) bool {
	switch strings.ToLower(s) {
	case "on", "off", "yes", "no", "y", "n":
		return true
	}
	return false
}

// leaf decodes a Go scalar.
func (d *decoder) leaf(n ast.Node, v reflect.Value, path string) {
	want := wanted(v)
	text, ok := d.scalar(n, path, want)
	if !ok {
		return
	}
	wrong := func() { d.add(n, "type", "%s wants %s, this is %q", orDocument(path), want, text) }
	switch {
	case v.Type() == durationType:
		dur, err := ParseDuration(text)
		if err != nil {
			wrong()
			return
		}
		v.SetInt(int64(dur))
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.Kind() == reflect.Bool:
		b, isBool := n.(*ast.BoolNode)
		if !isBool {
			wrong()
			return
		}
		v.SetBool(b.Value)
	case v.CanInt():
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v.OverflowInt(i) {
			wrong()
			return
		}
		v.SetInt(i)
	case v.CanUint():
		i, err := strconv.ParseUint(text, 10, 64)
		if err != nil || v.OverflowUint(i) {
			wrong()
			return
		}
		v.SetUint(i)
	case v.CanFloat():
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			wrong()
			return
		}
		v.SetFloat(f)
	}
}

func wanted(v reflect.Value) string {
	switch {
	case v.Type() == durationType:
		return "a duration such as 90s, 15m, 48h or 3d"
	case v.Kind() == reflect.Bool:
		return "true or false"
	case v.CanInt(), v.CanUint():
		return "a whole number"
	case v.CanFloat():
		return "a number"
	}
	return "text"
}

// ParseDuration reads a duration as time.ParseDuration does, and also whole or
// decimal days ("3d") and, as the Connections page does, decimal hours (".25h").
func ParseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		f, err := strconv.ParseFloat(days, 64)
		if err != nil {
			return 0, err
		}
		return time.Duration(f * 24 * float64(time.Hour)), nil
	}
	return time.ParseDuration(s)
}
