package world_test

import (
	"testing"

	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// TestWordsOfRunbooksAreThoseOfGateways: what lint lets through, a gateway
// understands.
func TestWordsOfRunbooksAreThoseOfGateways(t *testing.T) {
	read := map[string]func(string) error{
		"mode":    func(w string) error { return new(gateway.Mode).UnmarshalText([]byte(w)) },
		"refuse":  func(w string) error { return new(gateway.Refuse).UnmarshalText([]byte(w)) },
		"running": func(w string) error { return new(gateway.RunState).UnmarshalText([]byte(w)) },
	}
	seen := 0
	for _, a := range machine.ActionNames() {
		for _, f := range a.Forms() {
			for _, k := range f.Keys() {
				for _, w := range k.Words {
					if r := read[k.Name]; r != nil {
						seen++
						if err := r(w); err != nil {
							t.Errorf("%s %s: %v", a, k.Name, err)
						}
					}
				}
			}
		}
	}
	if seen < 10 {
		t.Errorf("%d words are known to both, want at least 10", seen)
	}
}
