package cli

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

func newQueue(s *session) *cobra.Command {
	return group(&cobra.Command{
		Use:   "queue COMMAND",
		Short: "Look at and act on the messages in a gateway's stores",
		Long: `Look at and act on the messages in a gateway's stores.

The stores are mta, mts-out, out, in and mts-in, in the order of the flow, and
bad, hold and corrupt beside it. In out, a message has one entry per destination.

Of the entries that match, the oldest come first, and as many as --limit says. A
run that is open on the gateway notes in its journal what is done here.`,
		Example: "  ims queue list east\n  ims queue show east ID\n  ims queue return east --dest down.test --expect 3 --reason 'the host is gone for good'",
	}, newQueueDelete(s), newQueueHold(s), newQueueList(s), newQueueRelease(s), newQueueRetry(s), newQueueReturn(s), newQueueShow(s))
}

// selectionFlags pick queue entries.
type selectionFlags struct {
	store gateway.Store
	sel   gateway.Selection
}

func (f *selectionFlags) add(cmd *cobra.Command) {
	wordFlag(cmd, &f.store, "store", "only in this store", storeWords())
	cmd.Flags().StringVar(&f.sel.Dest, "dest", "", "only for this destination `host` or domain")
	cmd.Flags().Var(durationValue{&f.sel.OlderThan}, "older-than", "only what was accepted longer ago, as in 90s, 15m, .5h, 2d")
	cmd.Flags().StringVar(&f.sel.Held, "held-for", "", "only what is held for a reason with this `text` in it")
	cmd.Flags().BoolVar(&f.sel.NoReports, "without-reports", false, "no reports: nobody is told of a report that is given up")
	cmd.Flags().IntVar(&f.sel.Limit, "limit", 0, "at most this `many`, the oldest first; 0 is 1000")
}

func (f *selectionFlags) selection(cmd *cobra.Command) (gateway.Selection, error) {
	sel := f.sel
	if cmd.Flags().Changed("store") {
		sel.Store = &f.store
	}
	if sel.Limit < 0 {
		return sel, output.As(output.Usage, "", fmt.Errorf("%s: limit is %d, want at least 0", cmd.CommandPath(), sel.Limit))
	}
	return sel, nil
}

// defaultLimit is gateway.Selection.Limit when it is not set.
const defaultLimit = 1000

func newQueueList(s *session) *cobra.Command {
	var flags selectionFlags
	var format output.Format
	cmd := &cobra.Command{
		Use:     "list GATEWAY",
		Short:   "List queued messages, the oldest first",
		Example: "  ims queue list east\n  ims queue list east --store out --dest down.test --older-than 1h",
		Args:    args(cobra.ExactArgs(1), "a gateway"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			sel, err := flags.selection(cmd)
			if err != nil {
				return err
			}
			queues, err := able[gateway.Queues](s, argv[0], "list its queues")
			if err != nil {
				return err
			}
			return runQueueList(cmd.Context(), s.printer(format), queues, argv[0], sel)
		},
	}
	flags.add(cmd)
	formatFlag(cmd, &format, output.Text, output.JSON)
	return exits(cmd, output.Done, output.Unknown)
}

type queueData struct {
	Gateway string         `json:"gateway"`
	Items   []gateway.Item `json:"items"`
	More    bool           `json:"more"` // the limit cut the list
}

func runQueueList(ctx context.Context, p *output.Printer, queues gateway.Queues, name string, sel gateway.Selection) error {
	limit := cmp.Or(sel.Limit, defaultLimit)
	sel.Limit = limit + 1
	items, err := queues.List(ctx, sel)
	if err != nil {
		return reading(err)
	}
	data := queueData{Gateway: name, Items: append([]gateway.Item{}, items...), More: len(items) > limit}
	data.Items = data.Items[:min(len(items), limit)]
	return p.Result("queue-list", data, func(page *output.Page) {
		if len(data.Items) == 0 {
			page.Line("No entry matches.")
			return
		}
		itemTable(page, data.Items)
		if data.More {
			page.Line("More entries match: --limit.")
		}
	})
}

func itemTable(page *output.Page, items []gateway.Item) {
	t := output.Table{Columns: output.Columns("ENTRY", "STORE", "ACCEPTED", "CLASS", "SIZE#", "FROM", "TO", "DEST", "TRIES#", "NEXT", "LAST")}
	// Where a terminal is narrow, which message it is, where, and for whom stays,
	// and what is wrong with it goes below.
	for drop, i := range []int{1, 9, 2, 8, 7, 5, 4, 3} {
		t.Columns[i].Drop = drop + 1
	}
	t.Columns[5].Max, t.Columns[6].Max, t.Columns[7].Max, t.Columns[10].Max = 40, 40, 40, 60
	t.Columns[10].Below = true
	for _, it := range items {
		t.Add(it.Entry, it.Store, page.Time(it.Accepted), it.Class, output.Bytes(it.Size), path(it.From), rcptsWord(it.Rcpts),
			it.Dest, it.Attempts, when(page, it.Next), cmp.Or(it.Held, it.Last))
	}
	page.Table(t)
}

// path is a reverse-path as people know it.
func path(from string) string { return cmp.Or(from, "<>") }

func rcptsWord(rcpts []string) string {
	if len(rcpts) == 0 {
		return ""
	}
	if len(rcpts) == 1 {
		return rcpts[0]
	}
	return fmt.Sprintf("%s +%d", rcpts[0], len(rcpts)-1)
}

// when is a moment that may never come.
func when(page *output.Page, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return page.Time(t)
}

func newQueueShow(s *session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:   "show GATEWAY ID",
		Short: "Show a queued message or entry, and what happened to it",
		Long: `Show a queued message, with all its entries, or one entry, and what the tracking
log says of it.`,
		Example: "  ims queue show east ID",
		Args:    args(cobra.ExactArgs(2), "a gateway and the id of a message or an entry"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			queues, err := able[gateway.Queues](s, argv[0], "list its queues")
			if err != nil {
				return err
			}
			return runQueueShow(cmd.Context(), s.printer(format), queues, argv[0], argv[1])
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON)
	return exits(cmd, output.Done, output.Unknown)
}

type queueShowData struct {
	Gateway string         `json:"gateway"`
	Items   []gateway.Item `json:"items"`
	Events  []ledger.Event `json:"events"`
}

func runQueueShow(ctx context.Context, p *output.Printer, queues gateway.Queues, name, id string) error {
	items, err := queues.List(ctx, gateway.Selection{ID: id})
	if err != nil {
		return reading(err)
	}
	if len(items) == 0 {
		return output.As(output.Failed, fmt.Sprintf("ims track --gateway %s --message %s", name, quoted(id)), fmt.Errorf("gateway %s holds no message or entry %q", name, id))
	}
	data := queueShowData{Gateway: name, Items: items, Events: []ledger.Event{}}
	if tracker, ok := queues.(gateway.Tracker); ok {
		_, err := trackAll(ctx, tracker, 0, func(e ledger.Event) bool {
			if e.Message == items[0].Message {
				data.Events = append(data.Events, e)
			}
			return true
		})
		if err != nil {
			return reading(err)
		}
	}
	return p.Result("queue-show", data, func(page *output.Page) {
		for i := range items {
			itemPage(page, &items[i])
			page.Blank()
		}
		eventTable(page, data.Events, 0)
	})
}

func itemPage(page *output.Page, it *gateway.Item) {
	page.Line("entry %s of message %s", it.Entry, it.Message)
	for _, f := range [][2]string{
		{"store", fmt.Sprintf("%s (%s), since %s", it.Store, it.Store.Title(), page.Time(it.Since))},
		{"held", it.Held},
		{"from", path(it.From)},
		{"to", strings.Join(it.Rcpts, ", ")},
		{"destination", it.Dest},
		{"class", it.Class},
		{"size", output.Bytes(it.Size)},
		{"accepted", page.Time(it.Accepted)},
		{"attempts", strconv.Itoa(it.Attempts)},
		{"next", when(page, it.Next)},
		{"expires", when(page, it.Expires)},
		{"last", it.Last},
	} {
		if f[1] != "" {
			page.Line("  %-12s %s", f[0], f[1])
		}
	}
}
