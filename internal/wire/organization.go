package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"example.org/ims/internal/cli"
	"example.org/ims/internal/config"
	"example.org/ims/internal/gateway/embedded"
	"example.org/ims/internal/mail/control"
	"example.org/ims/internal/mail/service"
	"example.org/ims/pkg/gateway"
)

// serveOrganization hosts the organization of a configuration in this process:
// it opens the spool, every listener and the control socket, calls ready with
// the organization and its gateways as they then are, and serves until ctx is
// done. Sessions, attempts and changes under way may end before it returns.
func serveOrganization(ctx context.Context, c *config.Config, log *slog.Logger, ready func(*service.Organization, []gateway.Config)) (err error) {
	people, err := peopleOf(c.People)
	if err != nil {
		return err
	}
	resolver, err := newResolver(c.Resolver)
	if err != nil {
		return err
	}
	// The socket comes first: it makes folders that people may enter, where the
	// spool makes them for nobody else, and it finds out that another process is
	// at work.
	ln, err := control.Listen(c.Organization.Socket)
	if err != nil {
		return err
	}
	org, err := service.Open(ctx, serviceConfig(c), service.Deps{
		Spool: c.Organization.DataDir, Archives: c.Retire.ArchiveDir, Resolver: resolver, Log: log,
	})
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	defer func() { err = errors.Join(err, org.Close()) }()
	gateways := map[string]gateway.Gateway{}
	for _, name := range org.Gateways() {
		if gateways[name], err = org.Gateway(name); err != nil {
			return errors.Join(err, ln.Close())
		}
	}
	server := control.NewServer(control.Options{Gateways: gateways, People: people, Log: log})
	return runOrganization(ctx, org, server, ln, func() error {
		list, err := configsOf(ctx, org)
		if err == nil {
			ready(org, list)
		}
		return err
	})
}

// runOrganization runs both parts until ctx is done or one of them ends, and
// then waits for the other. Callers that come early wait at the socket.
func runOrganization(ctx context.Context, org *service.Organization, server *control.Server, ln net.Listener, ready func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 2)
	go func() { done <- org.Run(ctx) }()
	select {
	case <-org.Ready():
	case err := <-done:
		return errors.Join(err, ln.Close())
	}
	go func() { done <- server.Serve(ctx, ln) }()
	err := ready()
	if err == nil {
		err = <-done
	} else {
		cancel()
		err = errors.Join(err, <-done)
	}
	cancel()
	return errors.Join(err, <-done)
}

// configsOf are the gateways of an organization as they are now.
func configsOf(ctx context.Context, org *service.Organization) ([]gateway.Config, error) {
	var list []gateway.Config
	for _, name := range org.Gateways() {
		g, err := org.Gateway(name)
		if err != nil {
			return nil, err
		}
		c, err := g.Config(context.WithoutCancel(ctx))
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// serviceConfig is the organization as the service wants it. A gateway with a
// control socket of its own is hosted by another process.
func serviceConfig(c *config.Config) service.Config {
	o := c.Organization
	out := service.Config{
		Domains: o.Domains, Recipients: o.Recipients, MailHost: o.MailHost, LMTP: o.LMTP,
		Replication: o.Replication, Recalculation: o.Recalculation, Handover: o.Handover,
	}
	for _, s := range o.Sites {
		out.Sites = append(out.Sites, service.Site{
			Name: s.Name, Submission: s.Submission, Locations: s.Locations, Domains: s.Domains,
		})
	}
	for _, g := range c.Gateways {
		if g.Socket != o.Socket {
			continue
		}
		out.Gateways = append(out.Gateways, service.GatewayConfig{
			Name: g.Name, Site: g.Site, Location: g.Location, Hostname: g.Hostname, Listen: g.Listen,
			Settings: g.Settings, Spaces: g.Spaces, Sites: g.Sites, ApplyLive: g.ApplyLive, NonePicksUp: g.NonePicksUp, KeepNames: g.KeepNames,
		})
	}
	return out
}

// peopleOf are those who may use the control socket.
func peopleOf(list []config.Person) (control.People, error) {
	people := control.People{}
	for _, p := range list {
		var may control.Right
		if err := may.UnmarshalText([]byte(p.May)); err != nil {
			return nil, fmt.Errorf("read rights of %q: %w", p.Name, err)
		}
		people[p.UID] = control.Person{Name: p.Name, May: may}
	}
	return people, nil
}

// newGateway is the adapter of a configured gateway. It does not connect.
func newGateway(g config.Gateway) (gateway.Gateway, error) {
	if g.Adapter == "embedded" {
		return embedded.New(g.Socket, g.Name), nil
	}
	return nil, fmt.Errorf("make gateway %q: no adapter %q", g.Name, g.Adapter)
}

// organizations are what the commands about gateways need.
type organizations struct{}

var _ cli.Organizations = organizations{}

// Serve implements cli.Organizations.
func (organizations) Serve(ctx context.Context, c *config.Config, log *slog.Logger, ready func([]gateway.Config)) error {
	return serveOrganization(ctx, c, log, func(_ *service.Organization, list []gateway.Config) { ready(list) })
}

// Gateway implements cli.Organizations.
func (organizations) Gateway(g config.Gateway) (gateway.Gateway, error) { return newGateway(g) }
