package service

import (
	"fmt"
	"sync/atomic"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
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
	// FlushPicksUp makes mode None pick up mts-out, although the gateway is
	// configured to leave it alone (Q189587).
	FlushPicksUp Fault = "flush-picks-up"
	// RerouteQueued makes a change of address spaces send what is queued back
	// to the MTA, which routes it anew: what people expect of removing a
	// route, and what the service never did (Q263714).
	RerouteQueued Fault = "reroute-queued"
)

type faults struct {
	refuse550     atomic.Bool
	loseOne       atomic.Bool
	flushPicksUp  atomic.Bool
	rerouteQueued atomic.Bool
}

// SetFault switches a fault on or off.
func (g *Gateway) SetFault(f Fault, on bool) error {
	switch f {
	case Refuse550:
		g.faults.refuse550.Store(on)
	case LoseOne:
		g.faults.loseOne.Store(on)
	case FlushPicksUp:
		g.faults.flushPicksUp.Store(on)
	case RerouteQueued:
		g.faults.rerouteQueued.Store(on)
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

// rerouteQueued commits the fault RerouteQueued if it is on.
func (g *Gateway) rerouteQueued() error {
	if !g.faults.rerouteQueued.Load() {
		return nil
	}
	for _, st := range []gateway.Store{gateway.MTA, gateway.MTSOut} {
		if err := g.o.each(g.name, st, &g.flow, g.sendBack); err != nil {
			return fmt.Errorf("route what is queued anew: %w", err)
		}
	}
	return nil
}

// sendBack gives an entry back to the MTA, as one submitted at the gateway's
// site.
func (g *Gateway) sendBack(tx *spool.Tx, e mail.Entry, now time.Time) ([]mail.Entry, error) {
	tx.Delete(e)
	left := event(&e, ledger.Delivered, addresses(e.Rcpts))
	left.Peer = "mta"
	tx.Track(left)
	n := e
	n.ID, n.Gateway, n.Store, n.Dest, n.Since = mail.NewID(now), "", gateway.MTA, siteDest+g.site, now
	tx.Put(n)
	tx.Track(event(&n, ledger.Accepted, addresses(n.Rcpts)))
	return []mail.Entry{n}, nil
}
