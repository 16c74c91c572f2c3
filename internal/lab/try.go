package lab

import "fmt"

// Try is a command to type, with what comes of it.
type Try struct {
	Command string `json:"command"`
	Exit    int    `json:"exit"`
	Says    string `json:"says,omitempty"` // among what it prints; "" if that is different each time
}

// try is what to do from a second terminal, from top to bottom: each command
// needs what those before it have left, with senders or without.
func (l *Layout) try() []Try {
	all := l.looks()
	if l.Runbook == FolkName {
		return append(all, l.folkTries()...)
	}
	all = append(all, l.rehearsal()...)
	return append(all, l.performances()...)
}

// looks change nothing that a run is about.
func (l *Layout) looks() []Try {
	dig := func(server, what string) string {
		return fmt.Sprintf("dig @127.0.0.1 -p %d %s +norecurse +short", l.Ports[server], what)
	}
	mx, east := Domain+" MX", fmt.Sprintf("10 %s.%s.", Retiring, Domain)
	update := fmt.Sprintf("server 127.0.0.1 %d\\nzone %s.\\nupdate add note.%s. 60 TXT hello\\nsend\\n", l.Ports["dns-primary"], Domain, Domain)
	return []Try{
		{Command: "export IMS_CONFIG=" + l.Config()},
		{dig("dns-primary", mx), 0, east},
		{dig("dns-secondary", mx), 0, east},
		{Command: fmt.Sprintf("printf '%s' | nsupdate -k %s", update, l.keyFile())},
		{dig("dns-primary", "note."+Domain+" TXT"), 0, `"hello"`},
		{fmt.Sprintf("swaks --server %s --from you@alpha.test --to ann@%s", l.addr(Retiring), Domain), 0, "<-  250"},
		{fmt.Sprintf("swaks --server %s --from ann@%s --to you@%s", l.addr("submission"), Domain, Slow), 0, "<-  250"},
		{Command: "ims queue list " + Retiring},
		{"ims route list", 0, "site branch"},
		{"ims gateway show " + Retiring, 0, "gateway " + Retiring + ": running"},
	}
}

// rehearsal takes a route away, looks at what that means, and mends it.
func (l *Layout) rehearsal() []Try {
	const asked = "consent_no_route"
	run := Retiring + "-1"
	return []Try{
		{"ims retire --dry-run", 0, "Verdict: READY"},
		{"ims route remove " + Heir + " --pattern '*' --reason try", 0, Heir + ": SMTP:*@" + Fast + " cost 1"},
		{"ims retire --dry-run", 2, "or mend it before: ims route add " + Heir},
		{"ims retire", 3, "ims approve " + run + " " + asked},
		{"ims status", 3, "Next: approve " + asked},
		{"ims approve " + run + " " + asked, 0, run + ": approved"},
		{"ims abort " + run + " --yes --reason rehearsal", 0, "run " + run + ": aborted"},
		{fmt.Sprintf("ims route add %s --pattern '*' --cost %d --reason tried", Heir, heirCost), 0, fmt.Sprintf("SMTP:* cost %d", heirCost)},
		{"ims retire --dry-run", 0, "Verdict: READY"},
	}
}

// performances are runs to their end; what removes the gateway comes last.
func (l *Layout) performances() []Try {
	shared := fmt.Sprintf("_spaces=SMTP:* 1,SMTP:*@%s 1'", Fast)
	ends := func(n int, outcome string) string { return fmt.Sprintf("run %s-%d: %s", Retiring, n, outcome) }
	return []Try{
		{"ims retire --runbook maintenance --param work_within=5s --yes", 0, ends(2, "succeeded")},
		{"ims retire --runbook add-successor --param verify_for=5s --param 'next" + shared + " --param 'here" + shared + " --yes", 0, ends(3, "succeeded")},
		{"ims retire --runbook replace --dry-run", 0, "Verdict: READY"},
		{"ims retire --yes", 0, ends(4, "retired")},
		{"ims status", 0, "ended: retired"},
		{"ims report", 0, "0 unaccounted"},
	}
}

// folkTries go as it goes for who reads no procedure: nothing objects, and mail
// is deleted with the gateway.
func (l *Layout) folkTries() []Try {
	return []Try{
		{"ims retire --dry-run", 0, "Verdict: READY"},
		{"ims retire --yes", 0, "run " + Retiring + "-1: retired"},
		{"ims status --ledger", 0, " deleted "},
	}
}
