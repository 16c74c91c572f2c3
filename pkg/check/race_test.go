//go:build race

package check_test

// raced says that the race detector slows everything down, some tenfold. The
// explorer has one goroutine, so smaller bounds show as much of races.
const raced = true
