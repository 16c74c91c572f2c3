package lab

import (
	"errors"
	"io"
	"testing"
)

// TestLabsShareNoPort: what a lab has not taken yet, or has given up for a
// moment, no other lab takes.
func TestLabsShareNoPort(t *testing.T) {
	of := map[int]int{}
	var guards []io.Closer
	for lab := range 100 { // of a thousand blocks
		ports, guard, err := freePorts(listeners)
		if err != nil {
			t.Fatal(err)
		}
		guards = append(guards, guard)
		if len(ports) != len(listeners) {
			t.Fatalf("lab %d has ports %v", lab, ports)
		}
		for name, port := range ports {
			if other, taken := of[port]; taken {
				t.Fatalf("labs %d and %d have port %d, the second for %s", other, lab, port, name)
			}
			of[port] = lab
		}
	}
	var errs []error
	for _, g := range guards {
		errs = append(errs, g.Close())
	}
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}
