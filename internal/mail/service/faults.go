package service

import (
	"fmt"
	"sync/atomic"

	"example.org/ims/pkg/gateway"
)

// Fault is deliberate misbehaviour of a gateway. It exists so that a
// laboratory can show that the orchestrator, the ledger and the checks notice
// it. No fault is on unless somebody asked for it, and none is stored.
type Fault string

// Faults.
const (
	// Refuse550 makes a refusing gateway answer 550 instead of 450: senders
	// then return mail that the successor would have taken.
	Refuse550 Fault = "refuse-550"
	// LoseOne makes the gateway lose the next outbound entry that it converts,
	// body and all, without a word in the tracking log. It then switches
	// itself off.
	LoseOne Fault = "lose-one"
)

type faults struct {
	refuse550 atomic.Bool
	loseOne   atomic.Bool
}

// SetFault switches a fault on or off.
func (g *Gateway) SetFault(f Fault, on bool) error {
	switch f {
	case Refuse550:
		g.faults.refuse550.Store(on)
	case LoseOne:
		g.faults.loseOne.Store(on)
	default:
		return fmt.Errorf("set fault of gateway %q: unknown fault %q", g.name, f)
	}
	g.o.log.Warn("fault injection", "gateway", g.name, "fault", string(f), "on", on)
	return nil
}

// loseOne commits the fault LoseOne if it is on and there is an entry to lose.
func (g *Gateway) loseOne() error {
	if !g.faults.loseOne.Load() {
		return nil
	}
	list, err := g.o.some(g.name, gateway.MTSOut, 1, nil)
	if err != nil || len(list) == 0 {
		return err
	}
	g.faults.loseOne.Store(false)
	return g.o.spool.Lose(g.name, list[0].ID)
}
