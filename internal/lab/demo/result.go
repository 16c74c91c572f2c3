package demo

import "fmt"

// Result is what came out of a demonstration.
type Result struct {
	Outcome    string
	Runbook    string
	Seconds    float64
	Ledger     Ledger
	Resumes    int
	Runners    []int // process ids
	States     []State
	Traffic    Traffic
	Prediction struct {
		Predicted, Taken []string
		Equal            bool // the states were first entered as predicted
	}
	Stores   map[string]int // the most messages seen in each
	Outward  map[string]int // outbound messages there, by moment
	Lost     []string
	Caught   string
	Problems []string
	Thin     []string // too little mail somewhere for the result to mean much
	Dir      string
}

// Ledger is the account of the gateway that was to retire, in pairs of message
// and recipient.
type Ledger struct {
	Accepted, Generated, Delivered, Returned, Absorbed, Deleted, Redirected, Present, Unaccounted int
}

// State is a state that the run was in.
type State struct {
	ID            string
	Title         string
	Source        []string
	Because       string
	Before, After string
}

// Traffic is the mail that makes the result worth something.
type Traffic struct {
	EastAfterSwitch, WestAfterSwitch int // messages accepted
	DeferredDelivered                int // recipients that were put off, then delivered
	Rejected, Expired                int // recipients
	SplitRecipients                  int // messages to several destinations
	MTSOutAtModeChange               int // messages
	RefusedWhileRefusing             int // tries that were answered 450
	Sent                             int // messages that were taken by anybody
}

func (r *Result) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}
