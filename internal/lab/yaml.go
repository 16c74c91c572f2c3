package lab

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// params compress the runbooks' times; nothing else makes a lab faster than
// the world, and people are as slow as ever. stalled_after is longer than the gateways' time-outs: what waits
// for a host that is down does not move until then.
var params = map[string]string{
	"floor": "1s", "late_window": "3s", "quiet": "2s", "settle": "2s", "drained": "2s", "refuse_for": "3s",
	"watch": "4s", "patience": "60s", "stalled_after": "25s", "poll": "200ms",
}

// more are parameters that only one runbook has.
var more = map[string]map[string]string{
	"eleven-steps": {"flush_retry": "500ms", "flush_timeout": "8s"},
	"replace":      {"drain_known": "1s"},
}

// paramsOf are the parameters for a runbook.
func paramsOf(runbook string, decide time.Duration) map[string]string {
	if runbook == FolkName {
		return map[string]string{"poll": params["poll"]}
	}
	all := maps.Clone(params)
	all["decide_within"] = decide.String()
	maps.Copy(all, more[runbook])
	return all
}

// yaml is the lab's configuration.
func (l *Layout) yaml(decide time.Duration) string {
	runbook, name := l.Runbook, l.Runbook
	if runbook == FolkName {
		name = l.path("folk.yaml")
	}
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# The configuration of a lab. Times are compressed; nothing else is special.")
	p("apiVersion: ims/v1\nkind: Config\nstate_dir: state\n")
	p("organization:\n  domains: [%s]\n  mailhost: %s\n  replication: %s\n  handover: 300ms", Domain, l.addr("mailhost"), replication(runbook))
	p("  sites:\n    hq: {submission: \"%s\"}\n    branch: {domains: [%s]}", l.addr("submission"), Branch)
	p("  recipients:")
	for _, u := range users {
		p("    - %s@%s", u, Domain)
	}
	p("    - postmaster@%s\n    - %s  # has no mailbox any more\n    - office@%s\n", Domain, former, Branch)
	p("gateways:")
	l.gatewayYAML(p, Retiring, timeout(runbook), 1)
	l.gatewayYAML(p, Heir, "8s", heirCost)
	p("\nzones:\n  %s:\n    server: %s\n    key_file: %s\n    authorities: [\"%s\", \"%s\"]\n    domains: [%s, %s]", Domain,
		l.addr("dns-primary"), l.keyFile(), l.addr("dns-primary"), l.addr("dns-secondary"), Domain, Branch)
	p("  %s: {server: \"%s\", key_file: %s, authorities: [\"%s\"]}\n", reverseName, l.addr("dns-reverse"), l.keyFile(), l.addr("dns-reverse"))
	p("resolver:\n  servers: [\"%s\", \"%s\", \"%s\"]\n  hosts:", l.addr("dns-primary"), l.addr("dns-secondary"), l.addr("dns-internet"))
	for _, h := range slices.Sorted(maps.Keys(l.Hosts)) {
		p("    %s: %s", h, l.Hosts[h])
	}
	p("\nretire:\n  default: %s\n  successor: %s\n  runbook: %s\n  params:", Retiring, Heir, name)
	all := paramsOf(runbook, decide)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		p("    %s: %s", k, all[k])
	}
	p("\nwaivers:")
	for _, class := range []string{"urgent", "normal", "non-urgent"} {
		p("  - {id: compare:timeout-%s, reason: the heir of a lab gives up sooner, by: operator, expires: %s}", class, time.Now().AddDate(0, 1, 0).Format(time.DateOnly))
	}
	p("\nnotify:\n  targets:\n    file: {exec: [sh, -c, 'cat >>\"$0\"', \"%s\"]}", l.path("notified.jsonl"))
	p("\npeople:\n  operator: {user: \"%d\", may: approve}", os.Getuid())
	return b.String()
}

// timeout is how long the gateway that retires tries to deliver. The eleven
// steps shorten it, so it is longer there.
func timeout(runbook string) string {
	if runbook == "eleven-steps" {
		return "40s"
	}
	return "12s"
}

// replication is how long a routing change takes to reach the other site. Who
// stops and deletes waits for no copy of a table, so there is none to lag.
func replication(runbook string) string {
	if runbook == FolkName {
		return "0s"
	}
	return "500ms"
}

// heirCost is the cost of what the other gateway has a better route for.
const heirCost = 10

// gatewayYAML is one gateway. Both cover the same address spaces: the one that
// retires is preferred for most, and both share the mail for one domain.
func (l *Layout) gatewayYAML(p func(string, ...any), name, timeout string, cost int) {
	p("  %s:\n    site: hq\n    hostname: %s.%s\n    listen: %s", name, name, Domain, l.addr(name))
	p("    addresses: [%s]", machines[name])
	p("    drain: {name: drain-%s.%s}", name, Domain)
	p("    retry: [500ms, 1s, 2s]\n    timeouts: {urgent: %s, normal: %s, non_urgent: %s, report: 60s}", timeout, timeout, timeout)
	p("    spaces:\n      - {type: SMTP, pattern: \"*\", cost: %d}\n      - {type: SMTP, pattern: \"*@%s\", cost: 1}", cost, Fast)
	p("    sites:\n      - {name: branch, cost: %d, routing_address: bridgehead.%s}", cost, Domain)
}
