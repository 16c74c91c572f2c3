package wire

import (
	"context"
	"time"

	"example.org/ims/internal/preflight"
	"example.org/ims/pkg/gateway"
)

// standing is how a gateway of the configuration stands; nil if none is named.
func (s *site) standing(ctx context.Context, name string) *preflight.Standing {
	if name == "" {
		return nil
	}
	out := standing(ctx, s.gateway(name))
	out.Name = name // also of one that does not answer
	return out
}

// standing is how a gateway stands, with what waits in it to be sent.
func standing(ctx context.Context, g gateway.Gateway) *preflight.Standing {
	at := time.Now()
	c, err := g.Config(ctx)
	if err != nil {
		return &preflight.Standing{At: at, Err: err.Error()}
	}
	return preflight.StandingOf(c, waiting(ctx, g), at)
}

// waiting counts what a gateway would send in a mode that sends; -1 if a store
// could not be counted.
func waiting(ctx context.Context, g gateway.Gateway) int64 {
	census, err := g.Census(ctx)
	if err != nil {
		return -1
	}
	var n int64
	for _, store := range []gateway.Store{gateway.MTA, gateway.MTSOut, gateway.Out} {
		count := census.Stores[store]
		if count.Known == gateway.Unknown {
			return -1
		}
		n += count.Messages
	}
	return n
}
