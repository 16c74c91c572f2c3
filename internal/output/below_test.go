package output_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/output"
)

// TestBelow: a column that may go below its row is never cut on a terminal, and
// what a terminal is too narrow for is folded between words.
func TestBelow(t *testing.T) {
	page := func(p *output.Page) {
		tab := output.Table{Columns: output.Columns("ENTRY", "STORE", "LAST")}
		tab.Columns[2].Max, tab.Columns[2].Below = 30, true
		tab.Add("e1", "out", "450 4.3.2 mailbox is busy, come back later")
		tab.Add("e2", "mts-out", "")
		p.Table(tab)
		p.Words("  note: does not follow MX: 192.0.2.9 (printer.floor2.example)")
	}
	for _, c := range []struct {
		name string
		opt  output.Options
		want string
	}{
		{"no terminal", output.Options{Width: 20}, "" +
			"ENTRY  STORE    LAST\n" +
			"e1     out      450 4.3.2 mailbox is busy, co…\n" +
			"e2     mts-out  -\n" +
			"  note: does not follow MX: 192.0.2.9 (printer.floor2.example)\n"},
		{"wide", output.Options{Terminal: true, Width: 80}, "" +
			"ENTRY  STORE    LAST\n" +
			"e1     out      450 4.3.2 mailbox is busy, come back later\n" +
			"e2     mts-out  -\n" +
			"  note: does not follow MX: 192.0.2.9 (printer.floor2.example)\n"},
		{"narrow", output.Options{Terminal: true, Width: 36}, "" +
			"ENTRY  STORE\n" +
			"    LAST\n" +
			"e1     out\n" +
			"    450 4.3.2 mailbox is busy, come\n" +
			"    back later\n" +
			"e2     mts-out\n" +
			"  note: does not follow MX:\n" +
			"    192.0.2.9\n" +
			"    (printer.floor2.example)\n"},
	} {
		var out strings.Builder
		if err := output.New(&out, nil, c.opt).Result("x", struct{}{}, page); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
