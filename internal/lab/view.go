package lab

// View is a lab as people see it.
type View struct {
	Dir       string    `json:"dir"`
	Config    string    `json:"config"`
	Processes []Running `json:"processes"`
	Try       []Try     `json:"try"`
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
