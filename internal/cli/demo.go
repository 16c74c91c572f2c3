package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
)

// DemoOptions say how to run a demonstration.
type DemoOptions struct {
	Dir      string // "" makes a temporary folder
	Keep     bool   // leave the folder
	Yes      bool   // answer every question
	Runbook  string
	Messages int
	Crash    bool
	Sabotage string
	Ask      func(question string) (bool, error) // without Yes
	// Opened is called once the run is open, with the lab's configuration.
	Opened func(ctx context.Context, config, run string)
}

// DemoLine is something that happened.
type DemoLine struct {
	At   string `json:"at"` // seconds since the start
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// DemoResult is what came out of it.
type DemoResult struct {
	Outcome    string         `json:"outcome"`
	Runbook    string         `json:"runbook"`
	Seconds    float64        `json:"seconds"`
	Ledger     DemoLedger     `json:"ledger"`
	Resumes    int            `json:"resumes"`
	Runners    []int          `json:"runners"` // process ids
	States     []DemoState    `json:"states"`
	Traffic    DemoTraffic    `json:"traffic"`
	Prediction DemoPrediction `json:"prediction"`
	Stores     map[string]int `json:"stores"` // the most messages seen in each
	Outward    map[string]int `json:"outward"`
	Lost       []string       `json:"lost,omitempty"`
	Caught     string         `json:"caught,omitempty"` // what noticed the sabotage
	Problems   []string       `json:"problems,omitempty"`
	Thin       []string       `json:"thin,omitempty"` // too little mail there for the result to mean much
	Dir        string         `json:"dir,omitempty"`  // if it was kept
}

// DemoLedger is the account of the gateway that was retired.
type DemoLedger struct {
	Accepted    int `json:"accepted"`
	Generated   int `json:"generated"`
	Delivered   int `json:"delivered"`
	Returned    int `json:"returned"`
	Absorbed    int `json:"absorbed"`
	Deleted     int `json:"deleted"`
	Redirected  int `json:"redirected"`
	Present     int `json:"present"`
	Unaccounted int `json:"unaccounted"`
}

// DemoState is a state that the run was in.
type DemoState struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	Source  []string `json:"source"`
	Because string   `json:"because,omitempty"`
	Before  string   `json:"before"`
	After   string   `json:"after"`
}

// DemoTraffic is the mail that makes the result worth something.
type DemoTraffic struct {
	EastAfterSwitch      int `json:"east_after_switch"`
	WestAfterSwitch      int `json:"west_after_switch"`
	DeferredDelivered    int `json:"deferred_then_delivered"`
	Rejected             int `json:"rejected"`
	Expired              int `json:"expired"`
	SplitRecipients      int `json:"split_recipients"`
	MTSOutAtModeChange   int `json:"mts_out_at_mode_change"`
	RefusedWhileRefusing int `json:"refused_while_refusing"`
	Sent                 int `json:"sent"`
}

// DemoPrediction compares the dry run with the run.
type DemoPrediction struct {
	Predicted []string `json:"predicted"`
	Taken     []string `json:"taken"`
	Equal     bool     `json:"equal"`
}

// What can be broken, and run.
var (
	sabotages    = []string{"lose-one", "mx-back", "route-back", "refuse-550"}
	demoRunbooks = []string{"q285090", "eleven-steps", "folk"}
)

func newDemo(s *session) *cobra.Command {
	var opts DemoOptions
	var format output.Format
	var plain bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Retire a gateway of a lab on this machine, under real mail",
		Long: `Retire a gateway of a lab on this machine, under real mail.

It starts a lab, makes a dry run, then runs the procedure on the gateway east
while users, hosts on the Internet, a printer and a spammer send, and ends with
the account of every message. Times are compressed by the runbook's parameters
and the configuration alone. On a terminal the run is shown by the monitor (see
ims monitor) while it lasts.`,
		Example: "  ims demo --yes\n  ims demo --yes --crash\n  ims demo --yes --runbook folk\n  ims demo --yes --sabotage lose-one -o json | tail -n 1",
		Args:    args(cobra.NoArgs, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.check(cmd); err != nil {
				return err
			}
			p := s.printer(format)
			view := &demoView{s: s, p: p, screen: s.screens(format, plain)}
			opts.Opened = view.open
			res, err := s.deps.Labs.Demo(cmd.Context(), opts, view.say)
			if err := errors.Join(err, view.close()); err != nil {
				return err
			}
			if err := p.Result("demo", res, res.page); err != nil {
				return err
			}
			return output.Said(res.kind())
		},
	}
	f := cmd.Flags()
	f.BoolVar(&opts.Yes, "yes", false, "answer every question")
	f.StringVar(&opts.Runbook, "runbook", "q285090", "`name`: q285090, eleven-steps, or folk (stop it, delete it)")
	f.IntVar(&opts.Messages, "messages", 1000, "messages to send at least")
	f.BoolVar(&opts.Crash, "crash", false, "kill the runner between an act and its outcome, and the gateways' process")
	f.StringVar(&opts.Sabotage, "sabotage", "", "`what` to break: lose-one, mx-back, route-back, refuse-550")
	f.BoolVar(&plain, "plain", false, "print lines on a terminal, too")
	f.BoolVar(&opts.Keep, "keep", false, "leave the lab's files")
	f.StringVar(&opts.Dir, "dir", "", "`folder` to use, which must be empty; a temporary one if not given")
	formatFlag(cmd, &format, output.Text, output.JSON, output.JSONL)
	return exits(cmd, output.Done, output.Failed, output.Blocked, output.Stalled)
}

func (o *DemoOptions) check(cmd *cobra.Command) error {
	if err := oneOf(cmd, "runbook", o.Runbook, demoRunbooks); err != nil {
		return err
	}
	if cmd.Flags().Changed("sabotage") {
		if err := oneOf(cmd, "sabotage", o.Sabotage, sabotages); err != nil {
			return err
		}
	}
	return atLeastOne(cmd, "messages", o.Messages)
}

// kind is how the demonstration ended.
func (r *DemoResult) kind() output.Kind {
	switch {
	case r.Outcome == "retired" && r.Ledger.Unaccounted == 0 && r.Prediction.Equal && len(r.Lost)+len(r.Problems) == 0:
		return output.Done
	case r.Caught != "":
		return output.Blocked
	}
	return output.Failed
}

func (r *DemoResult) page(p *output.Page) {
	p.Blank()
	p.Line("outcome      %s with %s, after %.0f s; %s", r.Outcome, r.Runbook, r.Seconds, output.Count(int64(r.Resumes), "resume"))
	l := r.Ledger
	p.Words("ledger       %d accepted + %d generated = %d delivered + %d returned + %d absorbed + %d deleted + %d redirected + %d present",
		l.Accepted, l.Generated, l.Delivered, l.Returned, l.Absorbed, l.Deleted, l.Redirected, l.Present)
	p.Line("unaccounted  %d", l.Unaccounted)
	if r.Prediction.Equal {
		p.Line("prediction   the run took the %d states that the dry run had named", len(r.Prediction.Taken))
	} else {
		p.Line("prediction   the dry run had named %d states, the run took %d", len(r.Prediction.Predicted), len(r.Prediction.Taken))
	}
	t := r.Traffic
	p.Words("traffic      %d messages; after the switch east took %d, west %d; %d put off and delivered, %d rejected, %d expired, %d split",
		t.Sent, t.EastAfterSwitch, t.WestAfterSwitch, t.DeferredDelivered, t.Rejected, t.Expired, t.SplitRecipients)
	p.Words("outbound     waiting then: %s", counts(r.Outward))
	p.Line("stores       at most: %s", counts(r.Stores))
	for _, kind := range []struct {
		word string
		list []string
	}{{"LOST", r.Lost}, {"PROBLEM", r.Problems}, {"thin", r.Thin}} {
		for _, one := range kind.list {
			p.Words("%-12s %s", kind.word, one)
		}
	}
	if r.Caught != "" {
		p.Words("caught       %s", r.Caught)
	}
	if r.Dir != "" {
		p.Line("files        %s", r.Dir)
	}
}

// counts are numbers by name, in order.
func counts(m map[string]int) string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(list, ", ")
}
