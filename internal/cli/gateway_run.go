package cli

import (
	"context"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"example.org/ims/internal/config"
	"example.org/ims/internal/output"
	"example.org/ims/pkg/gateway"
)

func newGatewayRun(s *session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the organization with all its gateways in the foreground",
		Long: `Run the organization of the configuration file with all its gateways, in the
foreground: the submission listeners of its sites, the MTA that routes for its
users, the gateways, and the control socket.

A gateway is started unless it was stopped by an operator. Settings, address
spaces and connected sites that operators changed win over the file; its spool
remembers them. SIGTERM or Ctrl-C lets sessions and attempts under way end.`,
		Example: "  ims gateway run\n  ims --config /etc/ims/ims.yaml gateway run -o json",
		Args:    args(cobra.NoArgs, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.configuration()
			if err != nil {
				return err
			}
			return runGatewayRun(cmd.Context(), s, s.printer(format), c)
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON)
	return exits(cmd, output.Done)
}

type runData struct {
	PID        int              `json:"pid"`
	Socket     string           `json:"socket"`
	Submission []submissionData `json:"submission"`
	Gateways   []listenData     `json:"gateways"`
}

type submissionData struct {
	Site   string `json:"site"`
	Listen string `json:"listen"`
}

type listenData struct {
	Gateway  string `json:"gateway"`
	Listen   string `json:"listen"`
	Hostname string `json:"hostname"`
	State    string `json:"state"`
	Mode     string `json:"mode"`
}

func runGatewayRun(ctx context.Context, s *session, p *output.Printer, c *config.Config) error {
	log := slog.New(slog.NewTextHandler(s.io.Err, nil))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := s.deps.Organizations.Serve(ctx, c, log, func(list []gateway.Config) {
		if err := showServing(p, c, list); err != nil {
			cancel(err) // nobody can learn where it listens
		}
	})
	if err == nil && ctx.Err() != nil {
		p.Note("ims: stopped; mail in the stores stays there")
	}
	return err
}

func showServing(p *output.Printer, c *config.Config, list []gateway.Config) error {
	data := runData{PID: os.Getpid(), Socket: c.Organization.Socket, Submission: []submissionData{}, Gateways: []listenData{}}
	t := output.Table{Columns: output.Columns("LISTENS", "ADDRESS", "STATE", "MODE")}
	for _, site := range c.Organization.Sites {
		if site.Submission != "" {
			data.Submission = append(data.Submission, submissionData{site.Name, site.Submission})
			t.Add("submission "+site.Name, site.Submission, "running", "")
		}
	}
	for _, g := range list {
		l := listenData{g.Name, g.Listen, g.Hostname, stateWord(g), g.Stored.Mode.String()}
		data.Gateways = append(data.Gateways, l)
		t.Add("gateway "+g.Name, l.Listen, l.State, g.Stored.Mode.Title())
	}
	return p.Result("gateway-run", data, func(page *output.Page) {
		page.Table(t)
		page.Line("control socket %s", data.Socket)
		page.Line("pid %d; Ctrl-C or SIGTERM stops it", data.PID)
	})
}

// stateWord is whether a gateway's service runs.
func stateWord(c gateway.Config) string {
	switch {
	case !c.Exists:
		return "removed"
	case c.Paused && c.Running:
		return "paused"
	case c.Running:
		return "running"
	}
	return "stopped"
}
