package routing

import "example.org/ims/pkg/gateway"

// CoverEach answers as Cover does, for each origin at which the space counts by
// itself. An unknown gateway and a type other than SMTP are Undecided, at no
// origin.
func CoverEach(org Org, name string, space gateway.Space) []Coverage {
	g, ok := org.gateway(name)
	if !ok || !isSMTP(space) {
		return []Coverage{{}}
	}
	var out []Coverage
	for _, from := range org.Origins() {
		if !visible(g, space.Scope, from) {
			continue
		}
		c := CoverFrom(org.Without(name), space, from)
		c.Origin = from
		out = append(out, c)
	}
	return out
}
