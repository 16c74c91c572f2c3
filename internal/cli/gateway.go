package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/gateway"
)

func newGateway(s *session) *cobra.Command {
	return group(&cobra.Command{
		Use:   "gateway COMMAND",
		Short: "Run, show and change mail gateways",
		Long: `Run, show and change mail gateways.

Every change needs a reason. Who asks is taken from the kernel, and what that
person may do from people in the configuration file.`,
		Example: "  ims gateway run\n  ims gateway show east\n  ims gateway set east --mode outbound-only --restart --reason 'MX moved'",
	},
		newGatewayClients(s), newGatewayPause(s), newGatewayRestart(s), newGatewayResume(s), newGatewayRun(s),
		newGatewaySet(s), newGatewayShow(s), newGatewayStart(s), newGatewayStop(s),
	)
}

func newGatewayClients(s *session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:   "clients NAME",
		Short: "List the hosts that connected to a gateway from the Internet",
		Long: `List the hosts that connected to a gateway from the Internet, since its log
began. LAST VALID is when a host last named a valid recipient: those hosts would
notice if the gateway were gone.`,
		Example: "  ims gateway clients east",
		Args:    args(cobra.ExactArgs(1), "a gateway"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			log, err := able[gateway.ClientLog](s, argv[0], "list its clients")
			if err != nil {
				return err
			}
			return runGatewayClients(cmd.Context(), s.printer(format), log, argv[0])
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON)
	return exits(cmd, output.Done, output.Unknown)
}

type clientsData struct {
	Gateway string           `json:"gateway"`
	Clients []gateway.Client `json:"clients"`
}

func runGatewayClients(ctx context.Context, p *output.Printer, log gateway.ClientLog, name string) error {
	list, err := log.Clients(ctx)
	if err != nil {
		return reading(err)
	}
	data := clientsData{Gateway: name, Clients: append([]gateway.Client{}, list...)}
	return p.Result("gateway-clients", data, func(page *output.Page) {
		if len(list) == 0 {
			page.Line("Nobody has connected to %s from the Internet.", name)
			return
		}
		clientsTable(page, list)
	})
}

func clientsTable(page *output.Page, list []gateway.Client) {
	t := output.Table{Columns: output.Columns("HOST", "HELO", "SESSIONS#", "ACCEPTED#", "DEFERRED#", "REJECTED#", "LAST", "LAST VALID", "LAST FROM")}
	for drop, i := range []int{2, 6, 1, 5} {
		t.Columns[i].Drop = drop + 1
	}
	t.Columns[1].Max, t.Columns[8].Max = 40, 60
	for _, c := range list {
		t.Add(c.Host, c.Helo, c.Sessions, c.Accepted, c.Deferred, c.Rejected, page.Time(c.Last), page.Time(c.LastValid), c.LastFrom)
	}
	page.Table(t)
}

// stored says that settings are stored and not in effect yet.
func stored(name string) string {
	return fmt.Sprintf("stored; it takes effect when the service starts: ims gateway restart %s --reason …", name)
}
