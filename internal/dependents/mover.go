package dependents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/setting"
	"example.org/ims/pkg/gateway"
)

// Mover finds what names a gateway, and makes it name the successor. It holds
// no state: what it must not forget over a crash is in the image that it gives
// to its caller. Its methods may be called concurrently.
type Mover struct {
	Target   Target
	Next     *Target                    // nil if nobody succeeds
	Others   []Target                   // every other gateway, the successor included
	Gateways map[string]gateway.Gateway // all of them, by name
	Look     Lookup
}

// Report finds the dependents. What a gateway that cannot be read depends on is
// unsure.
func (m *Mover) Report(ctx context.Context) Report {
	configs, heir, bad := m.read(ctx)
	r := Find(ctx, m.Target, heir, m.Others, configs, m.Look)
	r.Unsure = append(r.Unsure, bad...)
	return r
}

// read reads every configuration, in order of the names.
func (m *Mover) read(ctx context.Context) (configs []gateway.Config, heir *Heir, bad []Unsure) {
	if m.Next != nil {
		heir = &Heir{Target: *m.Next}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Gateways)) {
		c, err := m.Gateways[name].Config(ctx)
		if err != nil {
			bad = append(bad, Unsure{Gateway: name, Why: "it cannot be read: " + err.Error()})
			continue
		}
		c.Name = name
		configs = append(configs, c)
		switch {
		case heir == nil:
		case name == m.Target.Name:
			heir.Old = c
		case name == heir.Name:
			heir.New = c
		}
	}
	return configs, heir, bad
}

// Edit is what becomes of one gateway's configuration.
type Edit struct {
	Gateway    string           `json:"gateway"`
	Generation uint64           `json:"generation"`
	IDs        []setting.ID     `json:"ids,omitempty"` // settings that change
	Before     gateway.Settings `json:"before"`
	After      gateway.Settings `json:"after"`
	Resite     bool             `json:"resite,omitempty"` // connected sites change
	SitesOld   []gateway.Site   `json:"sites_old,omitempty"`
	SitesNew   []gateway.Site   `json:"sites_new,omitempty"`
	Restart    bool             `json:"restart,omitempty"` // something goes with a restart alone
	StartedAt  time.Time        `json:"started_at,omitzero"`
	Open       []string         `json:"open,omitempty"` // what has no clear replacement
}

// Image is what the gateways had that name this one, and what they are to have:
// JSON for the journal, and words for people. Without dependents it is empty of
// edits. It fails while a gateway cannot be read or a host not be looked up.
func (m *Mover) Image(ctx context.Context) (image, words string, err error) {
	configs, heir, bad := m.read(ctx)
	r := Report{Unsure: bad}
	id := identify(m.Target, m.Others, m.Look)
	edits := []Edit{}
	for _, c := range configs {
		if c.Name == m.Target.Name || !c.Exists {
			continue
		}
		s := search{ctx: ctx, id: id, c: c, report: &r}
		s.all(m.Target, heir)
		if len(s.hits) > 0 {
			edits = append(edits, editOf(c, rewrite(m.Target, heir, c, s.hits)))
		}
	}
	if len(r.Unsure) > 0 {
		return "", "", fmt.Errorf("find who names gateway %q: %s", m.Target.Name, lines(r.Unsure))
	}
	raw, err := json.Marshal(edits)
	if err != nil {
		return "", "", fmt.Errorf("encode settings that name %q: %w", m.Target.Name, err)
	}
	words = lines(r.Findings)
	if words == "" {
		words = "no setting of another gateway names " + m.Target.Name
	}
	return string(raw), words, nil
}

func lines[T fmt.Stringer](list []T) string {
	parts := make([]string, len(list))
	for i, x := range list {
		parts[i] = x.String()
	}
	return strings.Join(parts, "; ")
}

func editOf(c gateway.Config, p plan) Edit {
	e := Edit{
		Gateway: c.Name, Generation: c.Generation, IDs: p.ids, Before: c.Stored, After: p.settings,
		Resite: p.resite, SitesOld: c.Sites, SitesNew: p.sites, Restart: p.restart && len(p.ids) == 0, StartedAt: c.StartedAt,
	}
	for _, o := range p.open {
		e.Open = append(e.Open, fmt.Sprintf("%s: %s %s: %s", c.Name, o.setting, o.value, o.why))
	}
	return e
}

// ErrChanged is that a setting is neither what it was nor what was written:
// somebody else changed it, so it is not put back.
var ErrChanged = errors.New("it was changed by somebody else since")

// edits are the edits of an image.
func edits(image string) ([]Edit, error) {
	var list []Edit
	if err := json.Unmarshal([]byte(image), &list); err != nil {
		return nil, fmt.Errorf("read settings from before: %w", err)
	}
	return list, nil
}

// has reports whether the listed settings have the values that they have in
// want: as stored, and in effect if the gateway runs.
func has(c gateway.Config, want gateway.Settings, ids []setting.ID) (stored, effective bool) {
	same := func(s gateway.Settings) bool {
		return !slices.ContainsFunc(setting.Differ(s, want), func(id setting.ID) bool { return slices.Contains(ids, id) })
	}
	return same(c.Stored), !c.Running || same(c.Effective)
}
