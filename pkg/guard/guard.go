// Package guard compiles and evaluates the conditions of a runbook.
//
// A guard is a CEL expression over the typed facts, checked, and bounded in
// cost, when the runbook is loaded. Its answer has three values: a fact that
// could not be observed makes it unknown unless the other facts decide, and
// the answer then names what to observe. This is the only room that knows CEL
// (cel.dev/cel-go): a typed, total, cost-bounded language that people know
// from Kubernetes.
package guard

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"example.org/ims/internal/suggest"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// costLimit bounds one evaluation, in CEL's units. A guard of a dozen
// comparisons costs some tens.
const costLimit = 1000

// Guard is a compiled condition. It is immutable and safe for concurrent use.
type Guard struct {
	Name string
	Expr string
	Why  string // why the condition matters, for people
	Fix  string // the command or edit that makes it true
	Refs []facts.ID
	prog cel.Program
	vars []string
}

// Answer is a guard's verdict with the facts that it missed.
type Answer struct {
	Verdict machine.Verdict
	Missing []facts.ID
}

// Error says where in the expression something is wrong. Line and Column count
// from 1.
type Error struct {
	Line, Column int
	Message      string
}

func (e *Error) Error() string { return e.Message }

// Compiler checks expressions against the fact schema.
type Compiler struct{ env *cel.Env }

// NewCompiler builds the environment once; it is safe for concurrent use.
func NewCompiler() (*Compiler, error) {
	opts := []cel.EnvOption{
		cel.ClearMacros(),
		cel.Macros(grantedMacro()),
	}
	for _, id := range facts.All() {
		opts = append(opts, cel.Variable(spell(id.String()), celType(id.Definition().Type)))
	}
	env, err := cel.NewEnv(opts...)
	if err != nil {
		return nil, fmt.Errorf("build guard environment: %w", err)
	}
	return &Compiler{env}, nil
}

func celType(t facts.Type) *cel.Type {
	switch t {
	case facts.TypeBool:
		return cel.BoolType
	case facts.TypeEnum:
		return cel.StringType
	case facts.TypeInt, facts.TypeDuration:
	}
	return cel.IntType
}

// CEL reserves the words "in" and "null", in which the names of facts end:
// gw.q.in and mx.null are spelt another way inside, of the same length so that
// columns stay true.
var (
	reserved = regexp.MustCompile(`\b(gw\.q\.i|mx\.nul)(?:n|l)\b`)
	spelt    = strings.NewReplacer("gw.q.iN", "gw.q.in", "mx.nulL", "mx.null")
	spelling = strings.NewReplacer("gw.q.in", "gw.q.iN", "mx.null", "mx.nulL")
)

func spell(expr string) string { return reserved.ReplaceAllStringFunc(expr, spelling.Replace) }

func unspell(s string) string { return spelt.Replace(s) }

// grantedMacro turns run.granted('kind') into the fact run.granted.kind, so
// that a misspelt kind is found when the runbook is loaded.
func grantedMacro() cel.Macro {
	return cel.ReceiverMacro("granted", 1, func(f cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
		if target.Kind() != ast.IdentKind || target.AsIdent() != "run" {
			return nil, nil
		}
		kind, ok := stringLiteral(args[0])
		if !ok {
			return nil, f.NewError(args[0].ID(), "run.granted takes a quoted kind: "+strings.Join(facts.GrantNames(), ", "))
		}
		if _, ok := facts.GrantIndex(kind); !ok {
			return nil, f.NewError(args[0].ID(), fmt.Sprintf("unknown kind of consent %q: want one of %s", kind, strings.Join(facts.GrantNames(), ", ")))
		}
		return f.NewSelect(f.NewSelect(f.NewIdent("run"), "granted"), kind), nil
	})
}

func stringLiteral(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}

// Compile checks an expression. It returns every finding at once.
func (c *Compiler) Compile(name, expr string) (*Guard, []*Error) {
	tree, issues := c.env.Compile(spell(expr))
	if issues != nil && issues.Err() != nil {
		var errs []*Error
		for _, e := range issues.Errors() {
			errs = append(errs, &Error{e.Location.Line(), e.Location.Column() + 1, clarify(unspell(e.Message), selector(expr, e.Location.Line(), e.Location.Column()))})
		}
		return nil, errs
	}
	if tree.OutputType() != cel.BoolType {
		return nil, []*Error{{1, 1, fmt.Sprintf("a guard is true or false, this is a %s", tree.OutputType())}}
	}
	g := &Guard{Name: name, Expr: expr}
	if errs := g.inspect(tree.NativeRep()); len(errs) > 0 {
		return nil, errs
	}
	prog, err := c.env.Program(tree, cel.EvalOptions(cel.OptPartialEval), cel.CostLimit(costLimit))
	if err != nil {
		return nil, []*Error{{1, 1, err.Error()}}
	}
	g.prog = prog
	return g, nil
}

// written is a fact as it is written.
var written = regexp.MustCompile(`^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*`)

// selector is the fact that is written at a place of an expression; lines count
// from 1, columns from 0.
func selector(expr string, line, column int) string {
	lines := strings.Split(expr, "\n")
	if line < 1 || line > len(lines) || column < 0 || column > len(lines[line-1]) {
		return ""
	}
	return written.FindString(lines[line-1][column:])
}

// clarify puts CEL's commonest message into the words of a runbook. CEL names
// the first part only of what it does not know; whole is all of it.
func clarify(msg, whole string) string {
	ref, ok := strings.CutPrefix(msg, "undeclared reference to '")
	if !ok {
		return msg
	}
	ref, _, _ = strings.Cut(ref, "'")
	if strings.HasPrefix(whole, ref+".") {
		ref = whole
	}
	if near, ok := suggest.Nearest(ref, factNames()); ok {
		return fmt.Sprintf("unknown fact %q; did you mean %q?", ref, near)
	}
	group, _, _ := strings.Cut(ref, ".")
	var known []string
	for _, name := range factNames() {
		if strings.HasPrefix(name, group+".") {
			known = append(known, name)
		}
	}
	if len(known) == 0 {
		return fmt.Sprintf("unknown fact %q", ref)
	}
	return fmt.Sprintf("unknown fact %q; there are %s", ref, strings.Join(known, ", "))
}

func factNames() []string {
	var names []string
	for _, id := range facts.All() {
		names = append(names, id.String())
	}
	return names
}

// inspect collects the facts an expression reads, and checks that an
// enumeration is compared with one of its words only.
func (g *Guard) inspect(tree *ast.AST) []*Error {
	var errs []*Error
	refs := tree.ReferenceMap()
	name := func(e ast.Expr) (facts.ID, bool) {
		r, ok := refs[e.ID()]
		if !ok || r.Name == "" {
			return 0, false
		}
		return facts.Lookup(unspell(r.Name))
	}
	ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if id, ok := name(e); ok && !slices.Contains(g.Refs, id) {
			g.Refs = append(g.Refs, id)
		}
		if e.Kind() != ast.CallKind || len(e.AsCall().Args()) != 2 {
			return
		}
		a, b := e.AsCall().Args()[0], e.AsCall().Args()[1]
		for _, pair := range [][2]ast.Expr{{a, b}, {b, a}} {
			id, ok := name(pair[0])
			word, lit := stringLiteral(pair[1])
			if !ok || !lit || id.Definition().Type != facts.TypeEnum || slices.Contains(id.Definition().Enum, word) {
				continue
			}
			loc := tree.SourceInfo().GetStartLocation(pair[1].ID())
			errs = append(errs, &Error{
				loc.Line(), loc.Column() + 1,
				fmt.Sprintf("%s is never %q: want one of %s", id, word, strings.Join(id.Definition().Enum, ", ")),
			})
		}
	}))
	errs = append(errs, counted(tree, name)...)
	slices.Sort(g.Refs)
	for _, id := range g.Refs {
		g.vars = append(g.vars, spell(id.String()))
	}
	return errs
}

// Eval answers on a vector of facts.
func (g *Guard) Eval(v *facts.Vector) Answer {
	act, err := cel.PartialVars(activation{v}, g.unknowns(v)...)
	if err != nil {
		return Answer{Verdict: machine.Unknown, Missing: g.Refs}
	}
	out, _, err := g.prog.Eval(act)
	switch {
	case err != nil:
		return Answer{Verdict: machine.Unknown, Missing: g.missing(v)}
	case types.IsUnknown(out):
		return Answer{Verdict: machine.Unknown, Missing: g.missing(v)}
	case out == types.True:
		return Answer{Verdict: machine.Pass}
	}
	return Answer{Verdict: machine.Fails}
}

func (g *Guard) unknowns(v *facts.Vector) []*cel.AttributePatternType {
	var patterns []*cel.AttributePatternType
	for i, id := range g.Refs {
		if v[id] == facts.Unknown {
			patterns = append(patterns, cel.AttributePattern(g.vars[i]))
		}
	}
	return patterns
}

func (g *Guard) missing(v *facts.Vector) []facts.ID {
	var ids []facts.ID
	for _, id := range g.Refs {
		if v[id] == facts.Unknown {
			ids = append(ids, id)
		}
	}
	return ids
}

// activation reads facts by name out of a vector.
type activation struct{ v *facts.Vector }

var _ interpreter.Activation = activation{}

func (a activation) ResolveName(name string) (any, bool) {
	id, ok := facts.Lookup(unspell(name))
	if !ok {
		return nil, false
	}
	return celValue(id, a.v[id]), true
}

func (a activation) Parent() interpreter.Activation { return nil }

func celValue(id facts.ID, v facts.Value) ref.Val {
	d := id.Definition()
	switch d.Type {
	case facts.TypeBool:
		return types.Bool(v != 0)
	case facts.TypeEnum:
		if v >= 0 && int(v) < len(d.Enum) {
			return types.String(d.Enum[v])
		}
		return types.NewErr("%s has no value %d", d.Name, v)
	case facts.TypeInt, facts.TypeDuration:
	}
	return types.Int(v)
}
