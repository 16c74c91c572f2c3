// Package strictyaml decodes YAML into Go structs and reports every mistake at
// once, each with file, line and column, what was expected, and for a
// misspelt key the nearest valid one. It parses with github.com/goccy/go-yaml,
// whose syntax tree carries positions; that module's own strict decoder stops
// at the first error.
//
// Struct fields take the name in their `yaml` tag; a field without one is not
// decoded. Keys that no field takes, duplicate keys, aliases and anchors are
// mistakes. A plain on, off, yes or no is text here and a boolean to YAML 1.1
// tools, so it is refused: quote it, or write true or false. JSONSchema writes
// for editors what the same structs accept.
package strictyaml

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"example.org/ims/internal/suggest"
)

// Pos is a place in a file. Lines and columns count from 1.
type Pos struct {
	File      string
	Line, Col int
}

// String is FILE:LINE:COLUMN; of a place that is no line of a file, such as a
// flag, File alone.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Mistake is one thing that is wrong, and where.
type Mistake struct {
	Pos     Pos
	Rule    string // a stable id, for machines
	Message string
}

func (m Mistake) Error() string { return m.Pos.String() + ": " + m.Message }

// Mistakes are all the things wrong with a file.
type Mistakes []Mistake

func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i := range m {
		lines[i] = m[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Add appends a mistake.
func (m *Mistakes) Add(pos Pos, rule, format string, args ...any) {
	*m = append(*m, Mistake{pos, rule, fmt.Sprintf(format, args...)})
}

// Err returns nil if nothing is wrong.
func (m Mistakes) Err() error {
	if len(m) == 0 {
		return nil
	}
	return m
}

// Text is a string that remembers where it stands.
type Text struct {
	Value string
	Pos   Pos
}

func (t Text) String() string { return t.Value }

// Map is a mapping that keeps its order and the place of each key.
type Map[T any] []Entry[T]

// Entry is one key of a Map.
type Entry[T any] struct {
	Key   Text
	Value T
}

// mapping is implemented by *Map[T] for every T.
type mapping interface {
	grow(key Text) any
}

func (m *Map[T]) grow(key Text) any {
	*m = append(*m, Entry[T]{Key: key})
	return &(*m)[len(*m)-1].Value
}

// positioned lets a struct learn where it begins.
type positioned interface{ SetPos(Pos) }

// At is embedded in a struct that wants to know where it begins.
type At struct{ Pos Pos }

// SetPos is called by the decoder.
func (a *At) SetPos(p Pos) { a.Pos = p }

// Decode reads one document into the struct that out points to.
func Decode(file string, data []byte, out any) Mistakes {
	d := &decoder{file: file}
	tree, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.syntax(err)
		return d.mistakes
	}
	switch {
	case len(tree.Docs) == 0 || tree.Docs[0].Body == nil:
		d.mistakes.Add(Pos{file, 1, 1}, "empty", "the file is empty")
	case len(tree.Docs) > 1:
		d.add(tree.Docs[1].Body, "documents", "only one document a file")
	default:
		d.value(tree.Docs[0].Body, reflect.ValueOf(out).Elem(), "")
	}
	return d.mistakes
}

type decoder struct {
	file     string
	mistakes Mistakes
}

func (d *decoder) pos(n ast.Node) Pos {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		n = m.Key
	}
	t := n.GetToken()
	return Pos{d.file, t.Position.Line, t.Position.Column}
}

func (d *decoder) add(n ast.Node, rule, format string, args ...any) {
	d.mistakes.Add(d.pos(n), rule, format, args...)
}

// syntax takes the position out of goccy's message, which begins "[line:col] ".
func (d *decoder) syntax(err error) {
	pos, msg := Pos{d.file, 1, 1}, err.Error()
	if first, _, ok := strings.Cut(msg, "\n"); ok {
		msg = first
	}
	if _, scanErr := fmt.Sscanf(msg, "[%d:%d]", &pos.Line, &pos.Col); scanErr == nil {
		_, msg, _ = strings.Cut(msg, "] ")
	}
	d.mistakes.Add(pos, "syntax", "%s", msg)
}

var (
	textType     = reflect.TypeFor[Text]()
	durationType = reflect.TypeFor[time.Duration]()
)

func (d *decoder) value(n ast.Node, v reflect.Value, path string) {
	switch n := n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		d.add(n, "alias", "anchors and aliases are not allowed: write the value out")
		return
	case *ast.TagNode:
		d.add(n, "tag", "tags are not allowed")
		return
	case *ast.NullNode:
		d.add(n, "null", "%s has no value", orDocument(path))
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if m, ok := v.Addr().Interface().(mapping); ok {
		d.ordered(n, m, path)
		return
	}
	switch {
	case v.Type() == textType:
		if s, ok := d.scalar(n, path, "text"); ok {
			v.Set(reflect.ValueOf(Text{s, d.pos(n)}))
		}
	case v.Kind() == reflect.Struct:
		d.structure(n, v, path)
	case v.Kind() == reflect.Slice:
		d.sequence(n, v, path)
	case v.Kind() == reflect.Map:
		d.plainMap(n, v, path)
	default:
		d.leaf(n, v, path)
	}
}

func orDocument(path string) string {
	if path == "" {
		return "the document"
	}
	return path
}

// pairs lists a mapping's entries, refusing duplicate keys.
func (d *decoder) pairs(n ast.Node, path string) ([]*ast.MappingValueNode, bool) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		d.add(n, "type", "%s wants a mapping, this is %s", orDocument(path), kind(n))
		return nil, false
	}
	seen := map[string]Pos{}
	for _, kv := range values {
		key, pos := unquote(kv.Key), d.pos(kv.Key)
		if first, twice := seen[key]; twice {
			d.add(kv.Key, "duplicate", "key %q stands twice, first in line %d", key, first.Line)
			continue
		}
		seen[key] = pos
	}
	return values, true
}

func (d *decoder) structure(n ast.Node, v reflect.Value, path string) {
	values, ok := d.pairs(n, path)
	if !ok {
		return
	}
	if p, ok := v.Addr().Interface().(positioned); ok {
		p.SetPos(d.pos(n))
	}
	fields := map[string]reflect.Value{}
	var names []string
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("yaml"); name != "" {
			fields[name] = v.Field(i)
			names = append(names, name)
		}
	}
	for _, kv := range values {
		key := unquote(kv.Key)
		f, ok := fields[key]
		if !ok {
			d.unknownKey(kv.Key, key, path, names)
			continue
		}
		d.value(kv.Value, f, join(path, key))
	}
}

func (d *decoder) unknownKey(n ast.Node, key, path string, names []string) {
	hint := "valid keys are " + strings.Join(names, ", ")
	if near, ok := suggest.Nearest(key, names); ok {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	where := ""
	if path != "" {
		where = " in " + path
	}
	d.add(n, "key", "unknown key %q%s; %s", key, where, hint)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func (d *decoder) sequence(n ast.Node, v reflect.Value, path string) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.add(n, "type", "%s wants a list, this is %s", orDocument(path), kind(n))
		return
	}
	for i, item := range seq.Values {
		e := reflect.New(v.Type().Elem()).Elem()
		d.value(item, e, fmt.Sprintf("%s[%d]", path, i))
		v.Set(reflect.Append(v, e))
	}
}

func (d *decoder) plainMap(n ast.Node, v reflect.Value, path string) {
	values, ok := d.pairs(n, path)
	if !ok {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, kv := range values {
		e := reflect.New(v.Type().Elem()).Elem()
		key := unquote(kv.Key)
		d.value(kv.Value, e, join(path, key))
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), e)
	}
}

func (d *decoder) ordered(n ast.Node, m mapping, path string) {
	values, ok := d.pairs(n, path)
	if !ok {
		return
	}
	for _, kv := range values {
		key := unquote(kv.Key)
		slot := m.grow(Text{key, d.pos(kv.Key)})
		d.value(kv.Value, reflect.ValueOf(slot).Elem(), join(path, key))
	}
}
