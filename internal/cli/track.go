package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

type trackOptions struct {
	format  output.Format
	gateway string
	message string
	after   uint64
	limit   int
}

func newTrack(s *session) *cobra.Command {
	var opts trackOptions
	cmd := &cobra.Command{
		Use:   "track",
		Short: "Read the tracking log of one gateway or of all",
		Long: `Read the tracking log: what happened to which message and recipient, in order.
The ledger is computed from it alone. To go on where a list ended, give the last
number as --after.`,
		Example: "  ims track --gateway east\n  ims track --message ID\n  ims track --after 4711 --limit 100 -o jsonl",
		Args:    args(cobra.NoArgs, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opts.limit < 1 {
				return output.As(output.Usage, "", fmt.Errorf("ims track: limit is %d, want at least 1", opts.limit))
			}
			return runTrack(cmd.Context(), s, opts)
		},
	}
	cmd.Flags().StringVar(&opts.gateway, "gateway", "", "only of this `gateway`")
	cmd.Flags().StringVar(&opts.message, "message", "", "only of the message with this `id`, and of reports on it")
	cmd.Flags().Uint64Var(&opts.after, "after", 0, "only events after this `number`")
	cmd.Flags().IntVar(&opts.limit, "limit", defaultLimit, "at most this `many`")
	formatFlag(cmd, &opts.format, output.Text, output.JSON, output.JSONL)
	return exits(cmd, output.Done, output.Unknown)
}

type trackData struct {
	Events []ledger.Event `json:"events"`
	More   bool           `json:"more"` // the limit cut the list
}

func runTrack(ctx context.Context, s *session, opts trackOptions) error {
	names := []string{opts.gateway}
	if opts.gateway == "" {
		c, err := s.configuration()
		if err != nil {
			return err
		}
		names = gatewayNames(c)
	}
	data := trackData{Events: []ledger.Event{}}
	for _, name := range names {
		tracker, err := able[gateway.Tracker](s, name, "show its tracking log")
		if err != nil {
			return err
		}
		taken := 0
		_, err = trackAll(ctx, tracker, opts.after, func(e ledger.Event) bool {
			if opts.message == "" || e.Message == opts.message || e.Report == opts.message {
				data.Events = append(data.Events, e)
				taken++
			}
			return taken <= opts.limit
		})
		if err != nil {
			return reading(err)
		}
	}
	slices.SortFunc(data.Events, func(a, b ledger.Event) int { return cmp.Compare(a.Seq, b.Seq) })
	if len(data.Events) > opts.limit {
		data.Events, data.More = data.Events[:opts.limit], true
	}
	return showTrack(s.printer(opts.format), data)
}

func showTrack(p *output.Printer, data trackData) error {
	if p.Format() == output.JSONL {
		var errs []error
		for _, e := range data.Events {
			errs = append(errs, p.Event("track-event", e, ""))
		}
		return errors.Join(errs...)
	}
	return p.Result("track", data, func(page *output.Page) {
		if len(data.Events) == 0 {
			page.Line("No event matches.")
			return
		}
		eventTable(page, data.Events, 60)
		if data.More {
			page.Line("More events match: --after %d.", data.Events[len(data.Events)-1].Seq)
		}
	})
}

// pageSize is how many events are asked for at once.
const pageSize = 5000

// trackAll calls f with the events after a number until f has enough, and
// returns the number of the last one.
func trackAll(ctx context.Context, t gateway.Tracker, after uint64, f func(ledger.Event) bool) (uint64, error) {
	for {
		events, err := t.Track(ctx, after, pageSize)
		if err != nil {
			return after, err
		}
		for _, e := range events {
			after = e.Seq
			if !f(e) {
				return after, nil
			}
		}
		if len(events) < pageSize {
			return after, nil
		}
	}
}

// eventTable shows events, their reasons cut to a width unless it is 0.
func eventTable(page *output.Page, events []ledger.Event, width int) {
	t := output.Table{Columns: output.Columns("SEQ#", "AT", "GATEWAY", "EVENT", "STORE", "MESSAGE", "TO", "PEER", "BY", "REASON")}
	for drop, i := range []int{0, 2, 7, 4, 8} {
		t.Columns[i].Drop = drop + 1
	}
	t.Columns[9].Below = true // why is never cut
	t.Columns[6].Max, t.Columns[7].Max, t.Columns[9].Max = 40, 40, width
	for _, e := range events {
		t.Add(e.Seq, page.Time(e.At), e.Gateway, e.Kind, e.Store, e.Message, rcptsWord(e.Rcpts), e.Peer, e.Actor, e.Reason)
	}
	page.Table(t)
}
