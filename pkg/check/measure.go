package check

import (
	"fmt"
	"slices"
	"strings"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/guard"
	"example.org/ims/pkg/machine"
)

// WithoutMeasure is the runbook without a state, and without the guards
// elsewhere that ask again for what it makes sure of: as long as one of them is
// left, the measure is still taken.
func WithoutMeasure(b *Runbook, state string) (*Runbook, error) {
	c, _, err := withoutCopies(b, state)
	if err != nil {
		return nil, err
	}
	return Without(c, state)
}

// WithoutGuardAnywhere is the runbook in which an effect has no guard, and in
// which nothing elsewhere makes sure of what that guard asks for.
func WithoutGuardAnywhere(b *Runbook, state string) (*Runbook, error) {
	c, _, err := withoutCopies(b, state)
	if err != nil {
		return nil, err
	}
	return WithoutGuard(c, state)
}

// Repeats lists the states whose guards ask again for what a state makes sure of.
func Repeats(b *Runbook, state string) ([]string, error) {
	_, where, err := withoutCopies(b, state)
	return where, err
}

// withoutCopies is the runbook in which no other effect and no other wait
// repeats what a state makes sure of, and where they did.
func withoutCopies(b *Runbook, state string) (c *Runbook, where []string, err error) {
	i, err := b.find(state)
	if err != nil {
		return nil, nil, err
	}
	parts := ensured(b, i)
	compiler, err := guard.NewCompiler()
	if err != nil {
		return nil, nil, err
	}
	c, where = b.clone(), []string{}
	for j := range c.Def.States {
		st := &c.Def.States[j]
		g := machine.Here
		switch {
		case j == i:
		case st.Do != nil:
			g = st.Do.Pre
		case st.Wait != nil:
			g = st.Wait.Until
		}
		if g == machine.Here {
			continue
		}
		kept, stripped, err := strip(compiler, c.Guards[g], parts)
		if err != nil {
			return nil, nil, err
		}
		if c.Guards[g] = kept; stripped {
			where = append(where, st.ID)
		}
	}
	return c, where, nil
}

// ensured are the parts of conditions that a state makes sure of.
func ensured(b *Runbook, state int) (parts []string) {
	st := &b.Def.States[state]
	g := machine.Here
	switch st.Kind {
	case machine.KindDo:
		g = st.Do.Pre
		parts = append(parts, ensuredByEffect(st.Do)...)
	case machine.KindWait:
		g = st.Wait.Until
	case machine.KindAssert:
		g = st.Assert
	case machine.KindApprove:
		for _, c := range st.Approve.Choices {
			for n, name := range facts.GrantNames() {
				if c.Grants&(1<<n) != 0 {
					parts = append(parts, "run.granted('"+name+"')")
				}
			}
			parts = append(parts, ensuredByDecision(c.Names)...)
		}
	case machine.KindEnd:
	}
	if g != machine.Here {
		for _, one := range b.Guards[g] {
			parts = append(parts, conjuncts(one.Expr)...)
		}
	}
	return parts
}

// ensuredByEffect is what an effect makes sure of, beside its guard.
func ensuredByEffect(do *machine.Do) []string {
	switch do.Action {
	case machine.QueueHold:
		return []string{"gw.aged == 0"}
	case machine.GatewayDependents:
		return []string{"route.dependents == 0"}
	case machine.GatewayMode, machine.GatewayConfig, machine.GatewayRunning, machine.GatewayAbsent, machine.RouteSpaces, machine.RouteSites,
		machine.DNSRRset, machine.QueueRelease, machine.QueueReturn, machine.QueueRedirect, machine.QueueExport, machine.QueueRetry,
		machine.ProbeSend, machine.RunRestore:
	}
	return nil
}

// ensuredByDecision is what a decision on a subject makes sure of.
func ensuredByDecision(s machine.Subject) []string {
	switch s {
	case machine.SubjectExpiring:
		return []string{facts.RunMayExpire.String()}
	case machine.SubjectLate:
		return []string{"late.never_follow == 0"}
	case machine.SubjectAbsorbed:
		return []string{"ledger.absorbed == 0"}
	case machine.SubjectDiffers:
		return []string{"next.differs == 0"}
	case machine.SubjectNoRoute, machine.SubjectSide, machine.SubjectAged:
	}
	return nil
}

// strip drops from conditions the parts that are ensured elsewhere.
func strip(c *guard.Compiler, all guard.All, elsewhere []string) (kept guard.All, stripped bool, err error) {
	for _, g := range all {
		whole := conjuncts(g.Expr)
		parts := slices.DeleteFunc(slices.Clone(whole), func(part string) bool {
			return slices.ContainsFunc(elsewhere, func(s string) bool {
				return part == s || (strings.HasPrefix(s, "run.") && strings.Contains(part, s))
			})
		})
		if len(parts) == len(whole) {
			kept = append(kept, g)
			continue
		}
		stripped = true
		if len(parts) == 0 {
			continue
		}
		one, errs := c.Compile(g.Name, strings.Join(parts, " && "))
		if len(errs) > 0 {
			return nil, false, fmt.Errorf("compile what is left of %s: %w", g.Name, errs[0])
		}
		one.Why, one.Fix = g.Why, g.Fix
		kept = append(kept, one)
	}
	return kept, stripped, nil
}

// conjuncts splits an expression at its outermost &&.
func conjuncts(expr string) (parts []string) {
	depth, from, quote := 0, 0, byte(0)
	either := false
	for i := 0; i < len(expr); i++ {
		switch c := expr[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case depth == 0 && strings.HasPrefix(expr[i:], "||"):
			either = true
		case depth == 0 && strings.HasPrefix(expr[i:], "&&"):
			parts = append(parts, strings.TrimSpace(expr[from:i]))
			from = i + 2
		}
	}
	if either { // a choice at the outermost level binds weaker
		return []string{strings.TrimSpace(expr)}
	}
	return append(parts, strings.TrimSpace(expr[from:]))
}
