package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/gateway"
)

// TestWhatIsSelectedTheGatewaySelects: entries are chosen where all of them are,
// not among as many as can be listed, and are acted on in one request, which is
// done whole or not at all.
func TestWhatIsSelectedTheGatewaySelects(t *testing.T) {
	hold := gateway.Hold
	want := gateway.Selection{Store: &hold, Held: "run east-1, hold_aged", NoReports: true, Limit: 250_000}
	const flags = " east --store hold --held-for 'run east-1, hold_aged' --without-reports --limit 250000 --reason x"
	for _, verb := range []string{"hold", "release", "retry", "return --yes", "delete --yes"} {
		d := &desk{items: make([]gateway.Item, 3)}
		code, out, words := onDesk(t, d, &desk{}, pasted(t, "ims queue "+verb+flags)...)
		if diff := cmp.Diff([]gateway.Selection{want}, d.acted); diff != "" || code != 0 || !strings.Contains(out, "3 entries ") {
			t.Errorf("queue %s: exit %d, %s%s (-want +got):\n%s", verb, code, out, words, diff)
		}
	}
}

// TestAnActThatFailsIsNoted: a run's journal says what was done before an act
// failed, and that something may have been done.
func TestAnActThatFailsIsNoted(t *testing.T) {
	o := &queueActOptions{queueVerb: queueVerb{done: "held"}, name: "east", reason: "legal"}
	reset := errors.New("connection reset")
	for _, tt := range []struct {
		name string
		n    int
		err  error
		note string
		kind output.Kind
		says string
	}{
		{"done", 2, nil, "2 entries held: legal", output.Done, ""},
		{"nothing to do", 0, nil, "", output.Done, ""},
		{"broke off", 200, reset, "200 entries held, and then it broke off (connection reset): legal", output.Unknown, "200 entries held, and then it broke off: connection reset"},
		{"refused in the middle", 1, fmt.Errorf("no: %w", gateway.ErrRefused), "1 entry held, and then it broke off (no: the gateway refused): legal", output.Failed, "1 entry held, and then"},
		{"no answer", 0, reset, "it is not known whether entries were held (connection reset): legal", output.Unknown, "not known whether this was done"},
		{"interrupted", 0, context.Canceled, "it is not known whether entries were held (context canceled): legal", output.Unknown, "not known whether this was done"},
		{"refused", 0, gateway.ErrRefused, "", output.Failed, ""},
		{"never sent", 0, gateway.ErrUnreachable, "", output.Unknown, ""},
	} {
		note := o.note(tt.n, tt.err)
		if want := strings.ReplaceAll(tt.note, "the gateway refused", gateway.ErrRefused.Error()); note != want {
			t.Errorf("%s: note %q, want %q", tt.name, note, want)
		}
		if tt.err == nil {
			continue
		}
		if err := o.broken(tt.n, tt.err); output.KindOf(err) != tt.kind || !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, of kind %v, want %v and %q", tt.name, err, output.KindOf(err), tt.kind, tt.says)
		}
	}
}
