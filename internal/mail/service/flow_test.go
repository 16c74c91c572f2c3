package service

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/gateway"
)

// TestEndToEnd sends mail both ways and looks at every station.
func TestEndToEnd(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		id := w.submit("hq", "ann@corp.example", "joe@far.example", "bob@corp.example", "sue@away.example")
		if got := w.inbound("alpha", "bob@corp.example"); !strings.HasPrefix(got, "250 ") {
			t.Errorf("inbound: %s", got)
		}
		pass(time.Second)
		for name, h := range map[string]struct {
			host *host
			want map[string]int
		}{
			"far":  {w.far, map[string]int{"joe@far.example": 1}},
			"away": {w.away, map[string]int{"sue@away.example": 1}},
			"mail": {w.mail, map[string]int{"bob@corp.example": 2}},
		} {
			if d := cmp.Diff(h.want, h.host.rcpts()); d != "" {
				t.Errorf("host %s (-want +got):\n%s", name, d)
			}
		}
		got := w.far.letters()[0].data
		if !strings.HasPrefix(got, "Received: from client.example ([198.51.100.7])\r\n\tby mta.corp.example with ESMTP id "+id) ||
			!strings.HasSuffix(got, text) {
			t.Errorf("message at its destination:\n%s", got)
		}
		want := []string{
			" delivered bob@corp.example", " delivered joe@far.example,sue@away.example",
			"alpha delivered joe@far.example", "alpha delivered sue@away.example",
		}
		if d := cmp.Diff(want, w.ends(id)); d != "" {
			t.Errorf("log (-want +got):\n%s", d)
		}
		c, err := w.gw("alpha").Census(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := c.Total(); n != 0 || !ok || c.Accepted != 1 || c.Routed != 1 || c.AtRest || c.InFlight != 0 {
			t.Errorf("census %+v", c)
		}
		for st, n := range c.Stores {
			main := gateway.Store(st) <= gateway.MTSIn
			if main != (n.Entered > 0) || n.Entered != n.Left {
				t.Errorf("store %s: entered %d, left %d", gateway.Store(st), n.Entered, n.Left)
			}
		}
	})
}
