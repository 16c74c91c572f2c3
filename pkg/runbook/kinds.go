package runbook

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

func (b *binder) do(e *strictyaml.Entry[StateDoc]) *machine.Do {
	s := &e.Value
	w := &s.Do.With
	do := &machine.Do{
		Action: machine.ActionName(s.Do.Action.Value),
		Pre:    b.guard(e.Key.Value+".pre", s.Pre),
		Risk:   s.Risk.Value == "destructive",
		Retry:  b.retry(s.Retry),
		Args: machine.Args{
			Gateway: b.book.Bound.Gateway, Mode: b.text(w.Mode), Refuse: b.text(w.Refuse),
			Timeouts: b.positive(w.Timeouts), Restart: w.Restart, Running: b.text(w.Running),
			Empty: w.Empty, Type: b.text(w.Type), Successor: b.successor(w.Successor), Select: b.text(w.Select),
			Discard: w.Discard, NullMX: w.NullMX, Also: w.Also, SPF: b.text(w.SPF), Drain: w.Drain, OlderThan: b.positive(w.OlderThan),
			MaxInbound: b.number(w.MaxInbound), MaxOutbound: b.number(w.MaxOutbound), Spaces: b.spaces(w.Spaces),
		},
	}
	if w.Gateway.Value != "" {
		do.Args.Gateway, do.Args.OnSuccessor = b.successor(w.Gateway), true
	}
	for _, r := range w.Retry {
		do.Args.Retry = append(do.Args.Retry, b.positive(r))
	}
	if u := s.Undo; u != nil {
		switch {
		case u.Nothing.Value != "":
			do.Undo = machine.Undo{Kind: machine.UndoNothing, Why: u.Nothing.Value}
		case u.Impossible.Value != "":
			do.Undo = machine.Undo{Kind: machine.UndoImpossible, Why: u.Impossible.Value}
		}
	}
	do.Targets = b.targets(do)
	return do
}

// targets are what an effect is applied to, one after the other: the accepted
// domains for their MX and SPF, else a gateway, which for records means the
// names and addresses of its host.
func (b *binder) targets(do *machine.Do) []string {
	switch {
	case do.Action != machine.DNSRRset, do.Args.Type != "MX" && do.Args.Type != "TXT":
		return []string{do.Args.Gateway}
	case do.Args.Drain: // the SPF of the drain name itself, too
		return append(slices.Clone(b.book.Bound.Domains), do.Args.Gateway)
	}
	return b.book.Bound.Domains
}

func (b *binder) number(t strictyaml.Text) int {
	if t.Value == "" {
		return 0
	}
	n, err := strconv.Atoi(b.text(t))
	if err != nil || n < 1 {
		b.add(t, "number", "%q is no whole number above zero", b.text(t))
	}
	return n
}

// spaces reads a wanted list of address spaces.
func (b *binder) spaces(list []strictyaml.Text) (all []string) {
	for _, t := range list {
		for one := range strings.SplitSeq(b.text(t), ",") {
			one = strings.TrimSpace(one)
			kind, rest, ok := strings.Cut(one, ":")
			pattern, cost, two := strings.Cut(rest, " ")
			if n, err := strconv.Atoi(cost); !ok || !two || err != nil || kind == "" || pattern == "" || n < 1 || n > 100 {
				b.add(t, "spaces", "%q is no address space such as \"SMTP:*.example 1\": TYPE:PATTERN COST, with a cost within 1 and 100", one)
			}
			all = append(all, one)
		}
	}
	return all
}

// successor resolves the word "successor" to the bound one.
func (b *binder) successor(t strictyaml.Text) string {
	if t.Value == "successor" {
		return b.book.Bound.Successor
	}
	return b.text(t)
}

func (b *binder) retry(own *RetryDoc) machine.Retry {
	r := &b.doc.Defaults.Retry
	if own != nil {
		r = own
	}
	out := machine.Retry{Max: max(r.Max, 1), First: b.duration(r.First), Factor: max(r.Factor, 1), Cap: b.duration(r.Cap)}
	if out.Cap == 0 {
		out.Cap = max(out.First, time.Minute)
	}
	return out
}

func (b *binder) wait(e *strictyaml.Entry[StateDoc]) *machine.Wait {
	w := e.Value.Wait
	out := &machine.Wait{
		Drift: b.guard(e.Key.Value+".drift", w.Drift), Until: b.guard(e.Key.Value+".until", w.Until),
		For: b.duration(w.For), Timeout: b.positive(w.Timeout), Poll: b.positive(w.Poll),
	}
	if out.Poll == 0 {
		out.Poll = b.positive(b.doc.Defaults.Poll)
	}
	if out.Poll == 0 {
		out.Poll = 30 * time.Second
	}
	if w.Follows.Value != "" {
		id, ok := facts.Lookup(w.Follows.Value)
		if !ok || !isClock(id.Definition()) {
			b.add(w.Follows, "follows", "%q is no fact of class clock%s", w.Follows, meant(w.Follows.Value, factsThat(isClock), "want "))
		}
		out.Derived = w.Follows.Value
	}
	if w.Stall != nil && w.Stall.None.Value == "" {
		id, ok := facts.Lookup(w.Stall.Of.Value)
		if !ok || !isCount(id.Definition()) {
			b.add(w.Stall.Of, "stall", "%q is no counted fact%s", w.Stall.Of, meant(w.Stall.Of.Value, factsThat(isCount), "want "))
		}
		out.Metric, out.Stall = w.Stall.Of.Value, b.positive(w.Stall.For)
	}
	return out
}

func isClock(d facts.Definition) bool { return d.Class == facts.Clock }

func isCount(d facts.Definition) bool { return d.Type == facts.TypeInt }

// factsThat are the names of some facts.
func factsThat(are func(facts.Definition) bool) (names []string) {
	for _, id := range facts.All() {
		if are(id.Definition()) {
			names = append(names, id.String())
		}
	}
	return names
}

func (b *binder) approve(e *strictyaml.Entry[StateDoc]) *machine.Approve {
	a := e.Value.Approve
	out := &machine.Approve{
		When: b.guard(e.Key.Value+".when", a.When), Ask: a.Ask.Value, Min: a.Min, NotSelf: a.NotSelf, Expires: b.positive(a.Expires),
	}
	for _, f := range a.From {
		out.From = append(out.From, f.Value)
	}
	for _, s := range a.Shows {
		out.Shows = append(out.Shows, s.Value)
	}
	for _, c := range a.Choices {
		out.Choices = append(out.Choices, machine.Choice{
			Name: c.Key.Value, Title: c.Value.Title.Value, Target: b.target(c.Value.To),
			Grants: b.grants(c.Value.Grants), Names: b.subject(c.Value.Names),
		})
	}
	return out
}

func (b *binder) subject(t strictyaml.Text) machine.Subject {
	switch s := machine.Subject(t.Value); s {
	case "", machine.SubjectLate, machine.SubjectAbsorbed, machine.SubjectExpiring, machine.SubjectNoRoute, machine.SubjectSide,
		machine.SubjectAged, machine.SubjectDiffers:
		return s
	}
	b.add(t, "names", "%q is nothing a decision can name: want late, absorbed, expiring, no_route, side, aged or differs", t)
	return ""
}
