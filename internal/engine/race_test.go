//go:build race

package engine_test

// stride is how many crash points of a kind are left out: the race detector
// makes each ten times as slow, and internal/runner kills at every one. It is
// odd, so that before and after take turns.
const stride = 7
