package preflight

import (
	"cmp"
	"fmt"
)

// Told is a target that is told what happens in a run.
type Told struct {
	Target string `json:"target"`
	Way    string `json:"way"` // exec, webhook or mail
	// Through says why what it is told would pass through the gateway that goes;
	// "" if it would not.
	Through string `json:"through,omitempty"`
	Err     string `json:"error,omitempty"` // why that is not known
}

// told judges whether somebody is told what happens while nobody watches, by a
// way that does not depend on the gateway.
func (r *Report) told(s *Snapshot) {
	c := Check{
		ID: "notify", Group: GroupNotify, Provenance: s.provenance(), At: s.Made,
		That: "somebody is told when a run needs people, stalls or ends",
	}
	if s.Told == nil {
		why := cmp.Or(s.toldWhy, "the facts do not say who is told: another version of this program saved them")
		r.add(c.unknown(why, "ims facts "+s.Gateway+" --out FILE, and judge that file"))
		return
	}
	if len(s.Told) == 0 {
		r.add(c.fail("add notify: {targets: {NAME: {exec: [PROGRAM]}}} to ims.yaml, then: ims notify test",
			"a run takes weeks, and nobody is told what happens in it"))
		return
	}
	for _, t := range s.Told {
		c := c
		c.ID, c.That = "notify."+t.Target, fmt.Sprintf("what target %s is told does not pass through %s", t.Target, s.Gateway)
		switch {
		case t.Through != "":
			c = c.fail("change notify.targets."+t.Target+".via in ims.yaml, then: ims notify test "+t.Target, "%s", t.Through)
		case t.Err != "":
			c = c.unknown(t.Err, "ims notify test "+t.Target)
		default:
			c = c.pass("it is told by %s", t.Way)
		}
		r.add(c)
	}
}
