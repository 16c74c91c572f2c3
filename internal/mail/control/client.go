package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"example.org/ims/internal/access"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// Client talks to a server at a socket. It is safe for concurrent use, holds no
// connection between calls, and never repeats a request.
//
// A call that did not reach the server wraps gateway.ErrUnreachable. A reading
// call that broke off does too; a change that broke off wraps nothing, because
// the server may have made it. A server that does not answer is a
// *gateway.SilentError; in a look (package patience) it is asked no second time.
type Client struct {
	socket string
	http   http.Client
	bounds bounds
}

// NewClient makes a client of the server at socket. It does not connect yet.
func NewClient(socket string) *Client {
	return &Client{socket: socket, http: http.Client{Transport: access.Transport(socket)}, bounds: usual}
}

// Gateways lists the gateways of the server.
func (c *Client) Gateways(ctx context.Context) ([]Info, error) {
	return getLines[Info](ctx, c, "/v1/gateways", nil)
}

// Config reads a gateway's configuration.
func (c *Client) Config(ctx context.Context, name string) (gateway.Config, error) {
	return get[gateway.Config](ctx, c, path(name, "config"), nil)
}

// Census counts a gateway's stores.
func (c *Client) Census(ctx context.Context, name string) (gateway.Census, error) {
	return get[gateway.Census](ctx, c, path(name, "census"), nil)
}

// Op reads an operation by its key.
func (c *Client) Op(ctx context.Context, name, key string) (gateway.Op, error) {
	return get[gateway.Op](ctx, c, path(name, "op"), url.Values{"key": {key}})
}

// Apply asks a gateway for a change.
func (c *Client) Apply(ctx context.Context, name string, ch gateway.Change) (gateway.Op, error) {
	return post[gateway.Op](ctx, c, path(name, "apply"), ch)
}

// List lists queue entries.
func (c *Client) List(ctx context.Context, name string, sel gateway.Selection) ([]gateway.Item, error) {
	q := url.Values{}
	if sel.Store != nil {
		q.Set("store", sel.Store.String())
	}
	set(q, "id", sel.ID)
	if len(sel.IDs) > 0 {
		q["ids"] = sel.IDs
	}
	set(q, "dest", sel.Dest)
	if sel.OlderThan > 0 {
		q.Set("older_than", sel.OlderThan.String())
	}
	set(q, "held", sel.Held)
	if sel.NoReports {
		q.Set("no_reports", "true")
	}
	if sel.Limit > 0 {
		q.Set("limit", strconv.Itoa(sel.Limit))
	}
	return getLines[gateway.Item](ctx, c, path(name, "queue"), q)
}

// Act applies a verb to queue entries.
func (c *Client) Act(ctx context.Context, name string, verb gateway.Verb, sel gateway.Selection, actor, reason string) (int, error) {
	t, err := post[touched](ctx, c, path(name, "queue"), action{verb, sel, actor, reason})
	return t.Touched, err
}

// Track reads the tracking log.
func (c *Client) Track(ctx context.Context, name string, after uint64, limit int) ([]ledger.Event, error) {
	q := url.Values{"after": {strconv.FormatUint(after, 10)}}
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	return getLines[ledger.Event](ctx, c, path(name, "track"), q)
}

// Present lists what the spool holds.
func (c *Client) Present(ctx context.Context, name string) ([]ledger.Item, error) {
	return getLines[ledger.Item](ctx, c, path(name, "present"), nil)
}

// Tables reads each site's copy of the routing table.
func (c *Client) Tables(ctx context.Context, name string) ([]gateway.Table, error) {
	return getLines[gateway.Table](ctx, c, path(name, "tables"), nil)
}

// Route asks where mail would go.
func (c *Client) Route(ctx context.Context, name, site, address string, count int) (map[string]int, error) {
	q := url.Values{"site": {site}, "address": {address}, "count": {strconv.Itoa(count)}}
	return get[map[string]int](ctx, c, path(name, "route"), q)
}

// Clients lists the hosts that connected to the Internet listener.
func (c *Client) Clients(ctx context.Context, name string) ([]gateway.Client, error) {
	return getLines[gateway.Client](ctx, c, path(name, "clients"), nil)
}

func path(name, what string) string { return "/v1/gateways/" + url.PathEscape(name) + "/" + what }

func set(q url.Values, key, value string) {
	if value != "" {
		q.Set(key, value)
	}
}

func get[T any](ctx context.Context, c *Client, path string, q url.Values) (T, error) {
	var v T
	r := request{method: http.MethodGet, path: path + "?" + q.Encode(), within: c.bounds.answer}
	err := c.do(ctx, r, func(d *json.Decoder) error { return one(d, &v) })
	return v, err
}

func post[T any](ctx context.Context, c *Client, path string, in any) (T, error) {
	var v T
	b, err := json.Marshal(in)
	if err != nil {
		return v, fmt.Errorf("write request: %w: %w", err, gateway.ErrRefused)
	}
	r := request{method: http.MethodPost, path: path, body: b, within: c.bounds.change}
	err = c.do(ctx, r, func(d *json.Decoder) error { return one(d, &v) })
	return v, err
}

// one reads the only value of an answer, to the answer's end.
func one(d *json.Decoder, v any) error {
	if err := d.Decode(v); err != nil {
		return err
	}
	switch _, err := d.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return errors.New("more than one value")
}

func getLines[T any](ctx context.Context, c *Client, path string, q url.Values) ([]T, error) {
	var all []T
	r := request{method: http.MethodGet, path: path + "?" + q.Encode(), within: c.bounds.list}
	err := c.do(ctx, r, func(d *json.Decoder) error {
		for {
			var v T
			switch err := d.Decode(&v); {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return err
			}
			all = append(all, v)
		}
	})
	return all, err
}
