package check

import (
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/model"
)

// From lets a check begin in the worlds that observed facts allow, instead of
// all that the runbook is for. What the facts do not tell, or tell beyond the
// bounds, joins the runbook's assumptions. The error says that too little is
// known to begin anywhere.
func (o *Options) From(v *facts.Vector, b *Runbook) error {
	starts, assumed, err := model.Live(v, o.Bounds, b.Def.Begins)
	if err != nil {
		return err
	}
	o.Starts = starts
	b.Assumes = append(b.Assumes[:len(b.Assumes):len(b.Assumes)], assumed...)
	return nil
}
