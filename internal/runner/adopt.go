package runner

import (
	"context"
	"fmt"

	"example.org/ims/internal/engine"
)

// above is the epoch that a run must be above: the gateways refuse changes under
// one that is not greater than what they remember. If they remember a greater
// one than this journal ever gave, a run of another journal changed them, and
// may still be alive on another host; only somebody who knows that it is not can
// adopt the gateway.
func (s *Server) above(ctx context.Context, st stored) (int64, error) {
	remembered, err := s.opts.Site.Epoch(ctx, st.Binding)
	if err != nil {
		return 0, usage(fmt.Errorf("%w: the epoch that the gateways remember: %w", ErrUnknown, err))
	}
	next, err := s.journal.NextEpoch(ctx)
	if err != nil {
		return 0, err
	}
	above := int64(remembered) //nolint:gosec // epochs are given by journals, as int64
	if above >= next && st.Adopted == "" {
		return 0, fmt.Errorf("%w: the gateways remember changes of epoch %d, and this journal has come to %d: they were changed by a run of another journal; if that is gone for good: ims adopt %s",
			engine.ErrRefused, above, next-1, st.Binding.Gateway)
	}
	return above, nil
}
