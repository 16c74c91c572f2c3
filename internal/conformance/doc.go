// Package conformance compares the abstract world of pkg/model with what is
// real. A proof about a runbook is a proof about that world; here is the
// evidence that the world is the one that a gateway lives in.
//
// Its tests do the same things to the embedded gateway and to the model, and
// require after each that the gateway shows what the model allows, under both
// readings of what the sources dispute; a gateway with a seeded fault must be
// told apart. [Accept] requires the same of a run that was performed: the model
// must be able to follow its journal. What the model leaves out on purpose is
// listed where the comparison is made, with the reason.
//
// The sequences are random, and each run of the tests tries 30 new ones under
// each reading; IMS_TEST_CONFORM_ALL=1 has 100 tried, and more runs of the model
// accepted; seeded faults, which a short sequence each shows in every run, are then
// searched for by chance, too.
//
// It changes nothing, and decides nothing that a program needs: only tests
// import it.
package conformance
