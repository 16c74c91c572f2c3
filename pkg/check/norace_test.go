//go:build !race

package check_test

// raced says that the race detector slows everything down.
const raced = false
