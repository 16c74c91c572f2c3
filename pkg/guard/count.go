package guard

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"example.org/ims/pkg/facts"
)

// A proof about a runbook knows of a count only whether there is anything at
// all: it explores one message or two, never forty. A guard that told thirty
// from forty would be proved in a world in which it never fails, so a number
// that is a fact, or a sum of them, is compared with nothing but 0, or with 1
// where that means the same. What a decision allows is the exception: it and
// what it is about are counted alike.

// counted checks how an expression uses facts that are numbers.
func counted(tree *ast.AST, name func(ast.Expr) (facts.ID, bool)) (errs []*Error) {
	for _, e := range ast.MatchDescendants(ast.NavigateAST(tree), ast.AllMatcher()) {
		id, ok := name(e)
		t := id.Definition().Type
		if !ok || (t != facts.TypeInt && t != facts.TypeDuration) || told(e, id, name) {
			continue
		}
		// CEL's place of a name is its last dot.
		loc := tree.SourceInfo().GetStartLocation(e.ID())
		errs = append(errs, &Error{loc.Line(), loc.Column() + 1 - strings.LastIndexByte(id.String(), '.'), fmt.Sprintf(
			"%s can only be compared with 0: a proof knows whether there is any, and no other number; %s may be compared with %s by <= or >",
			id, facts.GwExpiring, facts.RunMayExpire)})
	}
	return errs
}

// told reports whether a number stands in a comparison that a proof can
// tell apart.
func told(e ast.NavigableExpr, id facts.ID, name func(ast.Expr) (facts.ID, bool)) bool {
	p, ok := e.Parent()
	sum := false
	for ok && p.Kind() == ast.CallKind && p.AsCall().FunctionName() == operators.Add {
		e, sum = p, true
		p, ok = e.Parent()
	}
	if !ok || p.Kind() != ast.CallKind || len(p.AsCall().Args()) != 2 {
		return false
	}
	op, args := p.AsCall().FunctionName(), p.AsCall().Args()
	other := args[1]
	if other.ID() == e.ID() {
		other, op = args[0], mirrored[op]
	}
	if n, ok := number(other); ok {
		switch op {
		case operators.Equals, operators.NotEquals, operators.Greater, operators.LessEquals:
			return n == 0
		case operators.GreaterEquals, operators.Less:
			return n == 1
		}
		return false
	}
	allowed, ok := name(other)
	switch {
	case !ok || sum:
		return false
	case id == facts.GwExpiring && allowed == facts.RunMayExpire:
		return op == operators.LessEquals || op == operators.Greater
	case id == facts.RunMayExpire && allowed == facts.GwExpiring:
		return op == operators.GreaterEquals || op == operators.Less
	}
	return false
}

// mirrored is a comparison with its sides exchanged.
var mirrored = map[string]string{
	operators.Equals: operators.Equals, operators.NotEquals: operators.NotEquals,
	operators.Less: operators.Greater, operators.Greater: operators.Less,
	operators.LessEquals: operators.GreaterEquals, operators.GreaterEquals: operators.LessEquals,
}

func number(e ast.Expr) (int64, bool) {
	if e.Kind() != ast.LiteralKind {
		return 0, false
	}
	n, ok := e.AsLiteral().(types.Int)
	return int64(n), ok
}
