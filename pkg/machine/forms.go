package machine

import (
	"slices"

	"example.org/ims/pkg/facts"
)

// Key is an argument as a runbook writes it, under `with`.
type Key struct {
	Name  string
	Words []string // the only values that it may have; none: a value of its own kind
}

// Form is one way to write the arguments of an action: all of Needs, at least
// one of Some if there are any, and any of May.
type Form struct{ Needs, Some, May []Key }

// Keys lists every argument of a form.
func (f Form) Keys() []Key { return slices.Concat(f.Needs, f.Some, f.May) }

// Forms are the ways to write an action's arguments: what the abstract world
// gives a meaning, and nothing else. A word stands as it is and is no parameter,
// because a proof is of one word.
func (a ActionName) Forms() []Form {
	mode, refuse, restart := keys("mode", facts.GwMode.Definition().Enum...), keys("refuse", "rcpt", "connect", "closed"), keys("restart", "true")
	there, held, drain := keys("gateway", "successor"), keys("select", SelectHeld), keys("drain", "true")
	switch a {
	case GatewayMode:
		return []Form{{Needs: mode, May: slices.Concat(refuse, restart)}}
	case GatewayConfig:
		return []Form{
			{Some: slices.Concat(mode, refuse, keys("retry"), keys("timeouts")), May: restart},
			{Some: slices.Concat(keys("max_inbound"), keys("max_outbound")), May: slices.Concat(there, restart)},
		}
	case GatewayRunning:
		return []Form{{Needs: keys("running", "stopped", "started", "restarted")}}
	case GatewayAbsent:
		return []Form{{May: keys("discard", "true")}}
	case GatewayDependents:
		return []Form{{Needs: keys("successor", "successor")}}
	case RouteSpaces:
		return []Form{{Needs: keys("empty", "true")}, {Needs: keys("spaces"), May: there}}
	case RouteSites:
		return []Form{{Needs: keys("empty", "true")}}
	case DNSRRset:
		return records(drain)
	case QueueHold:
		return []Form{{Needs: keys("older_than")}}
	case QueueRelease:
		return []Form{{Needs: held}}
	case QueueReturn, QueueExport:
		return []Form{{May: held}}
	case QueueRetry, RunRestore:
		return []Form{{}}
	case QueueRedirect, ProbeSend:
	}
	return nil
}

// records are the forms of dns.rrset.
func records(drain []Key) []Form {
	mx, address, successor := keys("type", "MX"), keys("type", "A", "AAAA"), keys("successor", "successor")
	return []Form{
		{Needs: slices.Concat(mx, successor), May: keys("also", "true")},
		{Needs: slices.Concat(mx, keys("null_mx", "true"))},
		{Needs: slices.Concat(address, successor)},
		{Needs: slices.Concat(keys("type", "A", "AAAA", "PTR", "TXT"), drain)},
		{Needs: slices.Concat(keys("type", "TXT"), keys("spf", "none"))},
	}
}

// keys is one argument, for the lists of a Form.
func keys(name string, words ...string) []Key { return []Key{{name, words}} }

// Destructive reports whether an effect wants a guard that nothing falsifies
// and a fresh decision: a runbook says so, or nothing brings back what it takes.
func (d *Do) Destructive() bool {
	return d.Risk || d.Action == GatewayAbsent || d.Undo.Kind == UndoImpossible
}
