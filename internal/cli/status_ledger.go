package cli

import (
	"context"
	"fmt"

	"example.org/ims/internal/config"
	"example.org/ims/internal/output"
	"example.org/ims/internal/report"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/ledger"
)

type statusLedgerData struct {
	Run string `json:"run"`
	ledger.Ledger
}

// statusLedger shows by id what of a run's gateway is in no set, in two, or was
// given up. The exit code says whether every message is accounted for.
func statusLedger(ctx context.Context, s *session, p *output.Printer, c *config.Config, st *runner.Status) error {
	var in report.Input
	if err := s.tracked(ctx, c, st.Gateway, &in); err != nil {
		return output.As(output.Unknown, "ims gateway run", fmt.Errorf("no tracking log, so no message is accounted for: %w", err))
	}
	book := ledger.NewBook(st.Gateway)
	book.Add(in.Events...)
	data := statusLedgerData{st.Run, book.Ledger(in.Present, in.Taken)}
	if err := p.Result("ledger", data, data.page); err != nil {
		return err
	}
	if data.Unaccounted > 0 || len(data.Conflicts) > 0 {
		return output.Said(output.Blocked)
	}
	return nil
}

func (d *statusLedgerData) page(page *output.Page) {
	page.Words("run %s, gateway %s: %s", d.Run, d.Gateway, ledger.Law(d.Counts()))
	t := output.Table{Columns: output.Columns("SET", "MESSAGE", "TO", "STORE", "WHY"), Fold: true}
	t.Columns[4].Below = true // why is never cut
	for _, set := range []struct {
		name string
		all  []ledger.Finding
	}{{"unaccounted", d.UnaccountedPairs}, {"conflict", d.Conflicts}, {"absorbed", d.AbsorbedPairs}} {
		for _, f := range set.all {
			t.Add(set.name, f.Message, f.Rcpt, f.Store, f.Why)
		}
	}
	page.Blank()
	if len(d.UnaccountedPairs)+len(d.Conflicts)+len(d.AbsorbedPairs) == 0 {
		page.Line("Every message is accounted for, and none was given up without a report.")
		return
	}
	page.Table(t)
	page.Words("What happened to one: ims track --gateway %s --message MESSAGE", d.Gateway)
}
