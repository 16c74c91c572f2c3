// Package service is one organization in one process: the MTA that routes for
// its users, and the gateways below it, each a faithful Internet Mail Service
// with five stores.
//
//	submission ─▶ MTA ─▶ mta ─▶ mts-out ─▶ out ─▶ Internet
//	              └─ local domains ─▶ mail host
//	Internet ─▶ in ─▶ mts-in ─▶ mail host
//
// Every step is one commit of the spool together with its tracking event, and
// a 2xx reply is never sent before that commit. Faithful means the traps too:
// the MTA routes by address spaces and connected sites alone, and hands over
// whether or not the gateway runs and whatever its mode is (Q285090, Q238719);
// what is queued to a gateway is never routed again (Q263714); settings are
// stored at once and take effect when the service starts; a report made for
// inbound mail goes into the gateway's own mts-out (Q266205).
//
// It refuses to relay for the Internet, to answer 5xx while a gateway is
// refusing, to report on a report, and to remove a gateway that holds mail.
// The historical flush mode on low disk space (Q189587) is not imitated:
// without space the spool takes no new mail, and says 452.
package service

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"

	"example.org/ims/internal/mail/delivery"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
)

// Deps are what an organization needs of the world. Spool and Resolver are
// required.
type Deps struct {
	Spool    string        // folder of the spool
	Options  spool.Options // Log is filled in
	Archives string        // folder for archives of removed gateways; "" means Spool/archives
	Resolver delivery.Resolver
	// Dial opens connections to next hops, the mail host included; nil means TCP.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// Listen opens listeners; nil means TCP.
	Listen func(ctx context.Context, addr string) (net.Listener, error)
	Log    *slog.Logger // nil discards
}

// Organization is an opened organization. Its methods are safe for concurrent
// use.
type Organization struct {
	cfg      Config
	deps     Deps
	log      *slog.Logger
	spool    *spool.Spool
	instance string
	routes   *routes
	who      *directory
	mta      *mta
	gateways []*Gateway // in order of the names
	byName   map[string]*Gateway
	ready    chan struct{}

	mu      sync.Mutex
	running bool // Run is at work: gateways may be started
	ran     bool
}

// Open opens the organization's spool and reads what earlier processes left
// there. What Apply changed wins over cfg; the rest of cfg counts. Nothing
// listens and nothing moves before Run. ctx bounds the opening only.
func Open(ctx context.Context, cfg Config, deps Deps) (*Organization, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("open organization: %w", err)
	}
	if deps.Resolver == nil || deps.Spool == "" {
		return nil, errors.New("open organization: a spool folder and a resolver are required")
	}
	deps = deps.withDefaults()
	o := &Organization{
		cfg: cfg, deps: deps, log: deps.Log, instance: rand.Text(), who: newDirectory(cfg),
		byName: map[string]*Gateway{}, ready: make(chan struct{}),
	}
	o.mta = newMTA(o)
	deps.Options.Log = deps.Log
	var err error
	if o.spool, err = spool.Open(deps.Spool, deps.Options); err != nil {
		return nil, fmt.Errorf("open organization: %w", err)
	}
	if err := o.load(ctx); err != nil {
		return nil, fmt.Errorf("open organization: %w", errors.Join(err, o.spool.Close()))
	}
	return o, nil
}

func (d Deps) withDefaults() Deps {
	if d.Archives == "" {
		d.Archives = filepath.Join(d.Spool, "archives")
	}
	if d.Dial == nil {
		d.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}
	}
	if d.Listen == nil {
		d.Listen = func(ctx context.Context, addr string) (net.Listener, error) {
			return new(net.ListenConfig).Listen(ctx, "tcp", addr)
		}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return d
}

// Close closes the spool. Run must have returned, or never have been called.
func (o *Organization) Close() error {
	if err := o.spool.Close(); err != nil {
		return fmt.Errorf("close organization: %w", err)
	}
	return nil
}

// Ready is closed when Run has opened every listener and started every gateway
// that can be started.
func (o *Organization) Ready() <-chan struct{} { return o.ready }

// Gateways names all gateways, removed ones included, in order.
func (o *Organization) Gateways() []string {
	names := make([]string, len(o.gateways))
	for i, g := range o.gateways {
		names[i] = g.name
	}
	return names
}

// Gateway finds a gateway, removed ones included. The error wraps
// [gateway.ErrNotFound].
func (o *Organization) Gateway(name string) (*Gateway, error) {
	g := o.byName[name]
	if g == nil {
		return nil, fmt.Errorf("find gateway %q: %w", name, gateway.ErrNotFound)
	}
	return g, nil
}

// bell wakes one loop; rings while it is awake are one.
type bell chan struct{}

func newBell() bell { return make(bell, 1) }

func (b bell) ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}
