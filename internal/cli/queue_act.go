package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/gateway"
)

// queueVerb is a command that acts on queue entries.
type queueVerb struct {
	verb        gateway.Verb
	short, long string
	example     string
	done        string // what was done to the entries
	destructive bool   // wants to know how many entries it destroys
}

type queueActOptions struct {
	queueVerb
	format output.Format
	name   string
	sel    gateway.Selection
	reason string
	expect int
	yes    bool
}

func newQueueRetry(s *session) *cobra.Command {
	return newQueueAct(s, queueVerb{
		verb: gateway.Retry, done: "to be tried now", short: "Try entries now",
		long:    `Try entries of out and mts-in now, whatever their retry time is.`,
		example: "  ims queue retry east --dest slow.test --reason 'the host is back'",
	})
}

func newQueueHold(s *session) *cobra.Command {
	return newQueueAct(s, queueVerb{
		verb: gateway.Suspend, done: "held", short: "Hold entries: they stay until they are released",
		long:    `Move entries to the hold store: nothing delivers or returns them there.`,
		example: "  ims queue hold east ID --reason 'looks like a loop'",
	})
}

func newQueueRelease(s *session) *cobra.Command {
	return newQueueAct(s, queueVerb{
		verb: gateway.Release, done: "released", short: "Release held and bad entries",
		long:    `Move entries of hold and bad back to where they were.`,
		example: "  ims queue release east ID --reason 'no loop'",
	})
}

func newQueueReturn(s *session) *cobra.Command {
	return newQueueAct(s, queueVerb{
		verb: gateway.Return, done: "returned", destructive: true, short: "Give entries up: their senders get a report",
		long: `Give entries up: their senders get a report, which leaves through this gateway.
Reports themselves are not reported on (RFC 3464 2): of one that is given up,
nobody is told. --without-reports leaves them to their own time-out.`,
		example: "  ims queue return east --dest down.test --expect 3 --reason 'the host is gone for good'\n" +
			"  ims queue return east --store out --without-reports --reason 'nobody takes these'",
	})
}

func newQueueDelete(s *session) *cobra.Command {
	return newQueueAct(s, queueVerb{
		verb: gateway.Delete, done: "deleted", destructive: true, short: "Delete entries and tell nobody",
		long: `Delete entries and tell nobody, neither sender nor recipient. The tracking log
keeps who did it and why.`,
		example: "  ims queue delete east ID --expect 1 --reason 'spam'",
	})
}

func newQueueAct(s *session, verb queueVerb) *cobra.Command {
	opts := queueActOptions{queueVerb: verb}
	var flags selectionFlags
	cmd := &cobra.Command{
		Use:     string(verb.verb) + " GATEWAY [ID]",
		Short:   verb.short,
		Long:    verb.long + "\n\nWithout an id and a selection, every entry to which it applies is meant.",
		Example: verb.example,
		Args:    args(cobra.RangeArgs(1, 2), "a gateway, and the id of a message or an entry or none"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			var err error
			if opts.sel, err = flags.selection(cmd); err != nil {
				return err
			}
			opts.name = argv[0]
			if len(argv) == 2 {
				opts.sel.ID = argv[1]
			}
			switch given := cmd.Flags().Changed("expect"); {
			case given && opts.expect < 1:
				return output.As(output.Usage, "", fmt.Errorf("%s: --expect wants at least 1", cmd.CommandPath()))
			case given && opts.yes:
				return output.As(output.Usage, "", fmt.Errorf("%s: give --expect or --yes, not both", cmd.CommandPath()))
			}
			if err := checkReason(cmd, opts.reason); err != nil {
				return err
			}
			return runQueueAct(cmd.Context(), s, opts)
		},
	}
	flags.add(cmd)
	cmd.Flags().IntVar(&opts.expect, "expect", 0, "do nothing if another `number` of entries matches")
	ends := []output.Kind{output.Done, output.Unknown}
	if verb.destructive {
		ends = append(ends, output.Blocked)
		cmd.Flags().BoolVar(&opts.yes, "yes", false, "do it to however many entries match")
	}
	reasonFlag(cmd, &opts.reason)
	formatFlag(cmd, &opts.format, output.Text, output.JSON)
	return exits(cmd, ends...)
}

type queueActData struct {
	Gateway string         `json:"gateway"`
	Verb    gateway.Verb   `json:"verb"`
	Touched int            `json:"touched"`
	Would   []gateway.Item `json:"would,omitempty"` // what it would have touched
}

func runQueueAct(ctx context.Context, s *session, opts queueActOptions) error {
	queues, err := able[gateway.Queues](s, opts.name, "act on its queues")
	if err != nil {
		return err
	}
	p := s.printer(opts.format)
	if opts.destructive && opts.expect == 0 && !opts.yes {
		return rehearse(ctx, p, queues, opts)
	}
	sel := opts.sel
	sel.Expect, sel.Limit = opts.expect, cmp.Or(sel.Limit, opts.expect, defaultLimit)
	n, err := queues.Act(ctx, opts.verb, sel, "", opts.reason)
	if text := opts.note(n, err); text != "" {
		s.noteInRun(ctx, p, opts.name, text)
	}
	if err != nil {
		return opts.broken(n, err)
	}
	if n == 0 && sel.ID != "" {
		return output.As(output.Failed, "ims queue list "+opts.name, fmt.Errorf("gateway %s holds no message or entry %q that can be %s", opts.name, sel.ID, opts.done))
	}
	return p.Result("queue-act", queueActData{Gateway: opts.name, Verb: opts.verb, Touched: n}, func(page *output.Page) {
		page.Line("%s: %s %s", opts.name, entries(n), opts.done)
		if n == sel.Limit && opts.expect == 0 {
			page.Line("More may match: the limit is %d.", sel.Limit)
		}
	})
}

// note is what a run's journal gets to read of an act: nothing, if nothing was
// done.
func (o *queueActOptions) note(n int, err error) string {
	switch {
	case err != nil && n > 0:
		return fmt.Sprintf("%s %s, and then it broke off (%v): %s", entries(n), o.done, err, o.reason)
	case err != nil && unclear(o.name, err):
		return fmt.Sprintf("it is not known whether entries were %s (%v): %s", o.done, err, o.reason)
	case n > 0:
		return fmt.Sprintf("%s %s: %s", entries(n), o.done, o.reason)
	}
	return ""
}

// unclear reports whether an act that failed may have been done all the same.
func unclear(name string, err error) bool {
	return output.KindOf(changing(name, err)) == output.Unknown && !errors.Is(err, gateway.ErrUnreachable)
}

// broken is the error of an act that touched n entries before it.
func (o *queueActOptions) broken(n int, err error) error {
	if n > 0 {
		err = fmt.Errorf("%s %s, and then it broke off: %w", entries(n), o.done, err)
	}
	return changing(o.name, err)
}

// noteWithin is how long the note about an act may take; whoever interrupts the
// act does not interrupt the note.
const noteWithin = 5 * time.Second

// noteInRun writes what was done to a gateway's queues into the journal of the
// run that is open on it; the tracking log has it in any case.
func (s *session) noteInRun(ctx context.Context, p *output.Printer, name, text string) {
	c, err := s.configuration()
	if err != nil {
		return // said already by what was done
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), noteWithin)
	defer done()
	all, err := runner.ReadList(ctx, c.StateDir)
	if err != nil {
		p.Note("not in the journal of any run: %s", err)
		return
	}
	for _, one := range all {
		if one.Closed != nil || one.Gateway != name {
			continue
		}
		err := runner.NewClient(c.StateDir).Note(ctx, one.Run, text)
		if errors.Is(err, runner.ErrNoRunner) {
			err = runner.Note(ctx, c.StateDir, one.Run, text)
		}
		if err != nil {
			p.Note("not in the journal of run %s: %s", one.Run, err)
		}
	}
}

// rehearse shows what a destructive verb would do, and does nothing.
func rehearse(ctx context.Context, p *output.Printer, queues gateway.Queues, opts queueActOptions) error {
	sel := opts.sel
	sel.Limit = cmp.Or(sel.Limit, defaultLimit)
	items, err := queues.List(ctx, sel)
	if err != nil {
		return reading(err)
	}
	if opts.verb == gateway.Return {
		items = slices.DeleteFunc(items, func(it gateway.Item) bool { return it.Store == gateway.Corrupt })
	}
	if len(items) == 0 {
		return errors.New("no entry matches")
	}
	data := queueActData{Gateway: opts.name, Verb: opts.verb, Would: items}
	err = p.Result("queue-act", data, func(page *output.Page) {
		page.Line("%s: nothing was %s. These would be:", opts.name, opts.done)
		itemTable(page, items)
	})
	if err != nil {
		return err
	}
	p.Note("ims: hint: to have %s %s, and no other number: --expect %d", entries(len(items)), opts.done, len(items))
	return output.Said(output.Blocked)
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}
