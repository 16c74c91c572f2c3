package main

import (
	"context"

	"github.com/rogpeppe/go-internal/testscript"

	"example.org/ims/internal/conformance"
)

// followed requires that the abstract world of the proofs can follow every run
// that a state directory has the journal of: `followed FOLDER`, or with people
// who start and handle by hand what a run waits for, `followed FOLDER people`.
func followed(ts *testscript.TestScript, neg bool, args []string) {
	people := len(args) == 2 && args[1] == "people"
	if neg || (len(args) != 1 && !people) {
		ts.Fatalf("usage: followed FOLDER [people]")
	}
	if err := conformance.Journal(context.Background(), ts.MkAbs(args[0]), conformance.Around{People: people}); err != nil {
		ts.Fatalf("the model does not allow what was journalled in %s: %v", args[0], err)
	}
}
