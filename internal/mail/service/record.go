package service

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/mail/routing"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
)

// Settings of the organization ("") in the spool: one record a gateway, which
// outlives the gateway, and one for each operation.
const (
	recordPrefix = "gateway/"
	opPrefix     = "op/"
)

// record is what the spool remembers of a gateway. File is the configuration
// file's part as it was last read; the rest is what Apply changed, and wins.
type record struct {
	File       GatewayConfig         `json:"file"`
	Exists     bool                  `json:"exists"`
	Running    bool                  `json:"running"` // wanted: a process that starts brings it up
	Paused     bool                  `json:"paused"`  // wanted
	Patch      gateway.SettingsPatch `json:"patch"`
	Spaces     *[]gateway.Space      `json:"spaces,omitempty"`
	Sites      *[]gateway.Site       `json:"sites,omitempty"`
	Generation uint64                `json:"generation"`
	ChangedAt  time.Time             `json:"changed_at,omitzero"` // of the generation
	Epoch      uint64                `json:"epoch"`
	Removal    *removal              `json:"removal,omitempty"` // under way
	Leftovers  []string              `json:"leftovers,omitempty"`
	Archive    string                `json:"archive,omitempty"` // of the removed gateway
	Digest     string                `json:"digest,omitempty"`  // of its manifest
}

// changed notes that something else is stored now.
func (r *record) changed() {
	r.Generation++
	r.ChangedAt = time.Now().UTC()
}

func (r record) settings() gateway.Settings { return r.File.Settings.Patch(r.Patch) }

func (r record) spaces() []gateway.Space {
	if r.Spaces != nil {
		return *r.Spaces
	}
	return r.File.Spaces
}

func (r record) sites() []gateway.Site {
	if r.Sites != nil {
		return *r.Sites
	}
	return r.File.Sites
}

// routing is the gateway as routing sees it; nil once its removal has begun.
func (r record) routing() *routing.Gateway {
	if !r.Exists || r.Removal != nil {
		return nil
	}
	return &routing.Gateway{
		Name: r.File.Name, Site: r.File.Site, Location: r.File.Location,
		Spaces: slices.Clone(r.spaces()), Sites: slices.Clone(r.sites()),
	}
}

func (r record) encode(tx *spool.Tx) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode record of gateway %q: %w", r.File.Name, err)
	}
	tx.Set("", recordPrefix+r.File.Name, b)
	return nil
}

// mergePatch adds what p names to q.
func mergePatch(q, p gateway.SettingsPatch) gateway.SettingsPatch {
	set(&q.Mode, p.Mode)
	set(&q.Refuse, p.Refuse)
	set(&q.Retry, p.Retry)
	set(&q.Timeouts, p.Timeouts)
	set(&q.ForwardHost, p.ForwardHost)
	set(&q.DomainHosts, p.DomainHosts)
	set(&q.MaxSize, p.MaxSize)
	set(&q.MaxInbound, p.MaxInbound)
	set(&q.MaxOutbound, p.MaxOutbound)
	set(&q.Reroute, p.Reroute)
	set(&q.Accept, p.Accept)
	set(&q.Relay, p.Relay)
	set(&q.ETRN, p.ETRN)
	return q
}

func set[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

// load reads what earlier processes left, takes in what the configuration file
// says now, and stores the difference.
func (o *Organization) load(ctx context.Context) error {
	known, err := o.loadRecords()
	if err != nil {
		return err
	}
	h, old, err := o.loadHistory()
	if err != nil {
		return err
	}
	var tx spool.Tx
	for _, f := range o.cfg.Gateways {
		r, seen := known[f.Name]
		if !seen {
			r = record{File: f, Exists: true, Running: true}
		}
		if !seen || changed(r, f) {
			r.changed()
		}
		r.File = f
		known[f.Name] = r
		if err := r.encode(&tx); err != nil {
			return err
		}
	}
	now := time.Now()
	org := orgOf(o.cfg)
	if !old {
		h = history{Base: org, Since: now}
	}
	h.Base.Domains, h.Base.Sites = org.Domains, org.Sites
	o.routes = newRoutes(o.cfg, h)
	if err := o.seedRoutes(known, !old, now, &tx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := o.spool.Commit(&tx); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if !o.configured(name) && known[name].Exists {
			o.log.Warn("gateway is not in the configuration any more; its last one counts", "gateway", name)
		}
		g, err := newGateway(o, known[name])
		if err != nil {
			return err
		}
		o.gateways, o.byName[name] = append(o.gateways, g), g
	}
	return nil
}

// changed reports whether the file now says something else that counts.
func changed(r record, f GatewayConfig) bool {
	n := r
	n.File = f
	return !r.settings().Equal(n.settings()) || !slices.Equal(r.spaces(), n.spaces()) || !slices.Equal(r.sites(), n.sites())
}

func (o *Organization) configured(name string) bool {
	return slices.ContainsFunc(o.cfg.Gateways, func(g GatewayConfig) bool { return g.Name == name })
}

func (o *Organization) loadRecords() (map[string]record, error) {
	known := map[string]record{}
	var bad error
	err := o.spool.Settings("", recordPrefix, func(key string, value []byte) bool {
		var r record
		if bad = json.Unmarshal(value, &r); bad == nil {
			known[strings.TrimPrefix(key, recordPrefix)] = r
		}
		return bad == nil
	})
	if err == nil {
		err = bad
	}
	if err != nil {
		return nil, fmt.Errorf("read gateways: %w", err)
	}
	return known, nil
}

func (o *Organization) loadHistory() (h history, ok bool, err error) {
	b, ok, err := o.spool.Setting("", routingKey)
	if err == nil && ok {
		err = json.Unmarshal(b, &h)
	}
	if err != nil {
		return h, false, fmt.Errorf("read routing: %w", err)
	}
	return h, ok, nil
}

// seedRoutes makes the copies agree with the records. In a new organization
// every site knows everything at once; later, what the file changed travels as
// any change does.
func (o *Organization) seedRoutes(known map[string]record, fresh bool, now time.Time, tx *spool.Tx) error {
	r := o.routes
	latest := map[string]routing.Gateway{}
	for _, g := range r.latest().Gateways {
		latest[g.Name] = g
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		want := known[name].routing()
		have, ok := latest[name]
		if want == nil && !ok || want != nil && ok && sameRoutes(*want, have) {
			continue
		}
		if fresh && want != nil {
			r.history.Base.Gateways = append(r.history.Base.Gateways, *want)
			continue
		}
		r.history.Changes = append(r.history.Changes, routing.Change{At: now, Site: known[name].File.Site, Name: name, Gateway: want})
	}
	r.rebuild()
	b, err := json.Marshal(r.history)
	if err != nil {
		return fmt.Errorf("encode routing: %w", err)
	}
	tx.Set("", routingKey, b)
	return nil
}
