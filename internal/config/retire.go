package config

import (
	"path/filepath"
	"strconv"
	"strings"

	"example.org/ims/internal/strictyaml"
)

func (r *reader) retire(d *retireDoc, c *Config) Retire {
	out := Retire{
		Default: value(d.Default, ""), Successor: value(d.Successor, ""), Runbook: value(d.Runbook, "q285090"),
		ArchiveDir: r.path(d.ArchiveDir, filepath.Join(c.StateDir, "archive")),
	}
	var names []string
	for _, g := range c.Gateways {
		names = append(names, g.Name)
	}
	for _, t := range []*text{d.Default, d.Successor} {
		if t != nil && t.Value != "" {
			r.known(*t, "gateway", names)
		}
	}
	if out.Default != "" && out.Default == out.Successor {
		r.add(d.Successor.Pos, "successor", "gateway %q cannot succeed itself", out.Successor)
	}
	if strings.ContainsRune(out.Runbook, filepath.Separator) || filepath.Ext(out.Runbook) == ".yaml" {
		out.Runbook = r.path(d.Runbook, "")
		r.writable(d.Runbook.Pos, out.Runbook)
	}
	if len(d.Params) > 0 {
		out.Params, out.Places = map[string]string{}, map[string]strictyaml.Pos{}
	}
	for _, p := range d.Params {
		out.Params[p.Key.Value], out.Places[p.Key.Value] = p.Value.Value, p.Value.Pos
	}
	return out
}

func (r *reader) people(list strictyaml.Map[personDoc]) []Person {
	var out []Person
	taken := map[uint32]string{}
	for i := range list {
		name, d := list[i].Key, &list[i].Value
		p := Person{Name: r.name(name, "person")}
		if m, ok := r.need(d.May, d.Pos, "people."+name.Value+".may"); ok {
			p.May = r.one(&m, "may", "view", "operate", "approve")
		}
		if u, ok := r.need(d.User, d.Pos, "people."+name.Value+".user"); ok {
			p.User = u.Value
			uid, known := r.user(u)
			if other, twice := taken[uid]; known && twice {
				r.add(u.Pos, "duplicate", "user %q is already %s", u.Value, other)
			}
			if known {
				p.UID, taken[uid] = uid, p.Name
			}
		}
		out = append(out, p)
	}
	return out
}

// user is a uid, or a user name that this machine knows.
func (r *reader) user(t text) (uid uint32, ok bool) {
	if n, err := strconv.ParseUint(t.Value, 10, 32); err == nil {
		return uint32(n), true
	}
	uid, err := r.sys.uid(t.Value)
	if err != nil {
		r.add(t.Pos, "user", "user %q is neither a uid nor a user of this machine: %v", t.Value, err)
	}
	return uid, err == nil
}
