package service

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"example.org/ims/internal/mail/smtpd"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
)

const (
	clientPrefix = "client/" // setting of the gateway, one a host
	clientSave   = 5 * time.Second
	maxClients   = 20000
)

// clients is a gateway's client log: who connected, and since when not any
// more. It is kept in the spool, at most clientSave behind, so a crash may
// forget the last seconds but never a client that was seen before. Above
// maxClients hosts, those that never named a valid recipient are forgotten
// first, the longest unseen of them; safe for concurrent use.
type clients struct {
	mu    sync.Mutex
	hosts map[string]*gateway.Client
	dirty map[string]bool
	ring  bell
}

func newClients() *clients {
	return &clients{hosts: map[string]*gateway.Client{}, dirty: map[string]bool{}, ring: newBell()}
}

// connect notes a connection and returns the host's key.
func (c *clients) connect(p smtpd.Peer) string {
	host := "unknown"
	if a := p.Addr.Addr(); a.IsValid() {
		host = a.Unmap().WithZone("").String()
	}
	c.note(host, func(l *gateway.Client) { l.Sessions++ })
	return host
}

func (c *clients) mail(host, helo, from string) {
	c.note(host, func(l *gateway.Client) { l.Helo, l.LastFrom = helo, from })
}

func (c *clients) valid(host string) {
	c.note(host, func(l *gateway.Client) { l.LastValid = l.Last })
}

func (c *clients) deferred(host string) {
	c.note(host, func(l *gateway.Client) { l.Deferred++; l.LastValid = l.Last })
}

func (c *clients) rejected(host string) { c.note(host, func(l *gateway.Client) { l.Rejected++ }) }

// accepted notes a message. Whoever delivers one is a client, whatever it calls
// itself.
func (c *clients) accepted(host string) {
	c.note(host, func(l *gateway.Client) { l.Accepted++; l.LastValid = l.Last })
}

// note changes a host's line.
func (c *clients) note(host string, change func(*gateway.Client)) {
	now := time.Now().UTC()
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.hosts[host]
	if l == nil {
		c.makeRoom()
		l = &gateway.Client{Host: host, First: now}
		c.hosts[host] = l
	}
	l.Last = now
	change(l)
	c.dirty[host] = true
	c.ring.ring()
}

func (c *clients) makeRoom() {
	if len(c.hosts) < maxClients {
		return
	}
	var oldest *gateway.Client
	for _, l := range c.hosts {
		if oldest == nil || cmp.Or(boolOrder(!l.LastValid.IsZero(), !oldest.LastValid.IsZero()), l.Last.Compare(oldest.Last)) < 0 {
			oldest = l
		}
	}
	delete(c.hosts, oldest.Host)
	c.dirty[oldest.Host] = true // and gone: its line is removed
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// take returns what changed since the last call; nil means that the host is
// forgotten.
func (c *clients) take() map[string]*gateway.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[string]*gateway.Client, len(c.dirty))
	for host := range c.dirty {
		out[host] = nil
		if l := c.hosts[host]; l != nil {
			line := *l
			out[host] = &line
		}
	}
	clear(c.dirty)
	return out
}

// putBack marks what could not be saved.
func (c *clients) putBack(lines map[string]*gateway.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for host := range lines {
		c.dirty[host] = true
	}
}

func (c *clients) list() []gateway.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]gateway.Client, 0, len(c.hosts))
	for _, l := range c.hosts {
		out = append(out, *l)
	}
	slices.SortFunc(out, func(a, b gateway.Client) int { return cmp.Compare(a.Host, b.Host) })
	return out
}

// Clients implements gateway.ClientLog, sorted by host.
func (g *Gateway) Clients(ctx context.Context) ([]gateway.Client, error) {
	if err := ended(ctx); err != nil {
		return nil, fmt.Errorf("read client log of gateway %q: %w", g.name, err)
	}
	return g.clients.list(), nil
}

// loadClients reads the log that earlier processes kept.
func (g *Gateway) loadClients() error {
	var bad error
	err := g.o.spool.Settings(g.name, clientPrefix, func(_ string, value []byte) bool {
		var l gateway.Client
		if bad = json.Unmarshal(value, &l); bad == nil {
			g.clients.hosts[l.Host] = &l
		}
		return bad == nil
	})
	if err = errors.Join(err, bad); err != nil {
		return fmt.Errorf("read client log of gateway %q: %w", g.name, err)
	}
	return nil
}

// saveLoop saves the client log, at most clientSave after a change, until ctx
// is done.
func (g *Gateway) saveLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.clients.ring:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(clientSave):
		}
		if err := g.saveClients(); err != nil {
			g.o.log.Error("save client log", "gateway", g.name, "err", err)
			g.clients.ring.ring()
		}
	}
}

func (g *Gateway) saveClients() error {
	lines := g.clients.take()
	var tx spool.Tx
	for host, l := range lines {
		var value []byte
		if l != nil {
			var err error
			if value, err = json.Marshal(l); err != nil {
				return fmt.Errorf("encode client %q: %w", host, err)
			}
		}
		tx.Set(g.name, clientPrefix+host, value)
	}
	if err := g.o.spool.Commit(&tx); err != nil {
		g.clients.putBack(lines)
		return fmt.Errorf("save client log of gateway %q: %w", g.name, err)
	}
	return nil
}
