package lab

import (
	"fmt"
)

// View is a lab as people see it.
type View struct {
	Dir       string    `json:"dir"`
	Config    string    `json:"config"`
	Processes []Running `json:"processes"`
	Try       []string  `json:"try"`
}

// Running is one process of it.
type Running struct {
	Role  string   `json:"role"`
	PID   int      `json:"pid"`
	Ports []string `json:"ports,omitempty"` // NAME=127.0.0.1:PORT
	Log   string   `json:"log"`
}

// portsOf are the listeners of each role.
var portsOf = map[string][]string{
	"dns-primary": {"dns-primary"}, "dns-secondary": {"dns-secondary"}, "mailhost": {"mailhost"},
	"remotes":      {Fast, Slow, Defers, Refuse, "reports", "bridgehead", "dns-internet", "dns-reverse"},
	"organization": {"submission", Retiring, Heir},
}

// View describes the lab.
func (l *Lab) View() View {
	v := View{Dir: l.Dir, Config: l.Config(), Try: l.try()}
	for _, p := range l.Parts() {
		r := Running{Role: p.Role, PID: p.PID, Log: l.path("log", p.Role+".log")}
		for _, name := range portsOf[p.Role] {
			r.Ports = append(r.Ports, name+"="+l.addr(name))
		}
		v.Processes = append(v.Processes, r)
	}
	return v
}

// try is what to do from a second terminal.
func (l *Layout) try() []string {
	dig := func(name string) string {
		return fmt.Sprintf("dig @127.0.0.1 -p %d %s MX +norecurse +short", l.Ports[name], Domain)
	}
	update := fmt.Sprintf("server 127.0.0.1 %d\\nzone %s.\\nupdate add note.%s. 60 TXT hello\\nsend\\n", l.Ports["dns-primary"], Domain, Domain)
	shared := fmt.Sprintf("_spaces=SMTP:* 1,SMTP:*@%s 1'", Fast)
	return []string{
		"export IMS_CONFIG=" + l.Config(),
		dig("dns-primary"), dig("dns-secondary"),
		fmt.Sprintf("swaks --server %s --from you@alpha.test --to ann@%s", l.addr(Retiring), Domain),
		fmt.Sprintf("swaks --server %s --from ann@%s --to you@%s", l.addr("submission"), Domain, Slow),
		fmt.Sprintf("printf '%s' | nsupdate -k %s", update, l.keyFile()),
		"ims queue list " + Retiring, "ims route list", "ims gateway show " + Retiring,
		"ims retire --dry-run",
		"ims route remove " + Heir + " --pattern '*' --reason try   # now the dry run ends with exit 2, and says what to mend",
		"ims route add " + Heir + " --pattern '*' --cost 1 --reason tried",
		"ims retire", "ims status",
		"ims retire --runbook maintenance --param work_within=10m", "ims retire --runbook replace", "ims retire --runbook add-successor --param verify_for=5s --param 'next" + shared + " --param 'here" + shared,
		"ims approve " + Retiring + "-1 confirm", "ims abort " + Retiring + "-1 --reason rehearsal",
	}
}
