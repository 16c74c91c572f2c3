package output_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/output"
)

func TestTableFitsTheTerminal(t *testing.T) {
	table := func(p *output.Page) {
		tab := output.Table{Columns: output.Columns("ENTRY", "STORE", "TRIES#", "TO", "LAST")}
		tab.Columns[1].Drop, tab.Columns[2].Drop = 1, 2
		tab.Columns[3].Max, tab.Columns[4].Max = 30, 60
		tab.Add("e1", "out", 3, "ann@example.test", "450 4.3.2 mailbox is busy, come back later")
		tab.Add("e2", "mts-out", 12, "a.very.long.name@department.example.test", "")
		p.Table(tab)
	}
	tests := []struct {
		name string
		opt  output.Options
		want string
	}{
		{"no terminal", output.Options{Width: 20}, "" +
			"ENTRY  STORE    TRIES  TO                              LAST\n" +
			"e1     out          3  ann@example.test                450 4.3.2 mailbox is busy, come back later\n" +
			"e2     mts-out     12  a.very.long.name@department.e…  -\n"},
		{"wide", output.Options{Terminal: true, Width: 200}, "" +
			"ENTRY  STORE    TRIES  TO                              LAST\n" +
			"e1     out          3  ann@example.test                450 4.3.2 mailbox is busy, come back later\n" +
			"e2     mts-out     12  a.very.long.name@department.e…  -\n"},
		{"80 columns by default", output.Options{Terminal: true}, "" +
			"ENTRY  STORE    TRIES  TO                              LAST\n" +
			"e1     out          3  ann@example.test                450 4.3.2 mailbox is bus…\n" +
			"e2     mts-out     12  a.very.long.name@department.e…  -\n"},
		{"60 columns", output.Options{Terminal: true, Width: 60}, "" +
			"ENTRY  TO                              LAST\n" +
			"e1     ann@example.test                450 4.3.2 mailbox is…\n" +
			"e2     a.very.long.name@department.e…  -\n(no room for TRIES, STORE)\n"},
		{"40 columns", output.Options{Terminal: true, Width: 40}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			if err := output.New(&out, nil, tt.opt).Result("x", struct{}{}, table); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, out.String()); diff != "" && tt.want != "" {
				t.Errorf("table (-want +got):\n%s", diff)
			}
			for line := range strings.Lines(out.String()) {
				if n := len([]rune(line)) - 1; tt.opt.Terminal && tt.opt.Width > 0 && n > tt.opt.Width {
					t.Errorf("%q has %d columns, want at most %d", line, n, tt.opt.Width)
				}
			}
		})
	}
}
