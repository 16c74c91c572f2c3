package world

import (
	"strings"
	"testing"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// TestASplitDropsNothing: an address space that neither gateway would have is
// not taken away.
func TestASplitDropsNothing(t *testing.T) {
	w := &World{}
	w.want.split = []splitWish{{true, []string{"SMTP:*@a.test 1"}}, {false, []string{"smtp:* 1"}}}
	e := engine.Effect{Action: machine.RouteSpaces, Args: machine.Args{Spaces: []string{"smtp:* 1"}}}
	c := gateway.Config{Name: "east", Spaces: []gateway.Space{{Type: "SMTP", Pattern: "*"}, {Type: "SMTP", Pattern: "*@a.test"}}}
	if got := w.dropped(e, c); got != "" {
		t.Errorf("a split that keeps everything: %s", got)
	}
	c.Spaces = append(c.Spaces, gateway.Space{Type: "X400", Pattern: "c=us"})
	if got := w.dropped(e, c); !strings.Contains(got, "X400:c=us") {
		t.Errorf("a split that drops a space: %q", got)
	}
	e.Args = machine.Args{Empty: true}
	if got := w.dropped(e, c); got != "" {
		t.Errorf("a removal, which has its own guard: %s", got)
	}
}
