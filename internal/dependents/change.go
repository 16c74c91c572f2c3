package dependents

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"example.org/ims/pkg/gateway"
)

// Ask is on whose behalf settings are changed. Change.Key is the beginning of
// the keys of single changes; Want and IfGeneration do not matter.
type Ask = gateway.Change

// Redirect makes the settings of an image name the successor, and restarts the
// gateways that would go on using the old ones. What is so already is left
// alone, so it may be called again after a crash. It touches nothing, with an
// error that wraps gateway.ErrRefused, if a setting has no clear replacement.
// gateway.ErrConflict says that a gateway was changed since the image was made.
func (m *Mover) Redirect(ctx context.Context, image string, ask Ask) error {
	list, err := edits(image)
	if err != nil {
		return fmt.Errorf("%w: %w", err, gateway.ErrRefused)
	}
	for _, e := range list {
		if len(e.Open) > 0 {
			return fmt.Errorf("redirect what names %s: %s: %w", m.Target.Name, e.Open[0], gateway.ErrRefused)
		}
	}
	for _, e := range list {
		if err := m.redirect(ctx, e, ask); err != nil {
			return fmt.Errorf("redirect gateway %q: %w", e.Gateway, err)
		}
	}
	return nil
}

func (m *Mover) redirect(ctx context.Context, e Edit, ask Ask) error {
	gw, c, err := m.config(ctx, e.Gateway)
	if err != nil || !c.Exists {
		return err
	}
	apply := func(what string, generation uint64, want gateway.Want) error {
		ch := ask
		ch.Key = fmt.Sprintf("%s/%s/%s/%d", ask.Key, e.Gateway, what, e.Generation) // another image is another change
		ch.IfGeneration, ch.Want = generation, want
		_, err := gw.Apply(ctx, ch)
		return err
	}
	if stored, effective := has(c, e.After, e.IDs); len(e.IDs) > 0 && (!stored || !effective) {
		p := patch(e.After, e.IDs)
		if err := apply("settings", e.Generation, gateway.Want{Settings: &p}); err != nil {
			return err
		}
	}
	if e.Resite && !slices.Equal(c.Sites, e.SitesNew) {
		if !slices.Equal(c.Sites, e.SitesOld) {
			return fmt.Errorf("its connected sites are not what they were: %w", gateway.ErrConflict)
		}
		if _, c, err = m.config(ctx, e.Gateway); err != nil {
			return err
		}
		if err := apply("sites", c.Generation, gateway.Want{Sites: &e.SitesNew}); err != nil {
			return err
		}
	}
	if again := gateway.Restarted; e.stale(c) {
		return apply("restart", c.Generation, gateway.Want{Running: &again})
	}
	return nil
}

// stale reports whether the gateway still runs with what only a restart ends.
func (e Edit) stale(c gateway.Config) bool {
	return e.Restart && c.Running && c.StartedAt.Equal(e.StartedAt)
}

func (m *Mover) config(ctx context.Context, name string) (gateway.Gateway, gateway.Config, error) {
	gw := m.Gateways[name]
	if gw == nil {
		return nil, gateway.Config{}, fmt.Errorf("find gateway %q: %w", name, gateway.ErrNotFound)
	}
	c, err := gw.Config(ctx)
	return gw, c, err
}

// Redirected reports whether every setting of an image names the successor, in
// effect where its gateway runs. A gateway that was removed names nobody.
func (m *Mover) Redirected(ctx context.Context, image string) (bool, error) {
	return m.all(ctx, image, func(e Edit, c gateway.Config) bool {
		stored, effective := has(c, e.After, e.IDs)
		return stored && effective && (!e.Resite || slices.Equal(c.Sites, e.SitesNew)) && !e.stale(c) && len(e.Open) == 0
	})
}

// Restored reports whether every setting of an image has its old value, in
// effect where its gateway runs.
func (m *Mover) Restored(ctx context.Context, image string) (bool, error) {
	return m.all(ctx, image, func(e Edit, c gateway.Config) bool {
		stored, effective := has(c, e.Before, e.IDs)
		return stored && effective && (!e.Resite || slices.Equal(c.Sites, e.SitesOld))
	})
}

func (m *Mover) all(ctx context.Context, image string, is func(Edit, gateway.Config) bool) (bool, error) {
	list, err := edits(image)
	if err != nil {
		return false, err
	}
	for _, e := range list {
		_, c, err := m.config(ctx, e.Gateway)
		if err != nil {
			return false, err
		}
		if c.Exists && !is(e, c) {
			return false, nil
		}
	}
	return true, nil
}

// Restore puts the old values of an image back, where the value is still the
// one that Redirect wrote. What somebody else has changed is left, the rest is
// restored, and the error wraps [ErrChanged].
func (m *Mover) Restore(ctx context.Context, image string, ask Ask) error {
	list, err := edits(image)
	if err != nil {
		return fmt.Errorf("%w: %w", err, gateway.ErrRefused)
	}
	var changed error
	for _, e := range list {
		switch err := m.restore(ctx, e, ask); {
		case errors.Is(err, ErrChanged):
			changed = errors.Join(changed, fmt.Errorf("restore gateway %q: %w", e.Gateway, err))
		case err != nil:
			return fmt.Errorf("restore gateway %q: %w", e.Gateway, err)
		}
	}
	return changed
}

func (m *Mover) restore(ctx context.Context, e Edit, ask Ask) error {
	gw, c, err := m.config(ctx, e.Gateway)
	if err != nil || !c.Exists {
		return err
	}
	apply := func(what string, want gateway.Want) error {
		if c, err = gw.Config(ctx); err != nil {
			return err
		}
		ch := ask
		ch.Key = fmt.Sprintf("%s/%s/%s/%d", ask.Key, e.Gateway, what, c.Generation)
		ch.IfGeneration, ch.Want = c.Generation, want
		_, err := gw.Apply(ctx, ch)
		return err
	}
	var changed error
	if stored, effective := has(c, e.Before, e.IDs); len(e.IDs) > 0 && (!stored || !effective) {
		if ours, _ := has(c, e.After, e.IDs); !ours && !stored {
			changed = fmt.Errorf("settings: %w", ErrChanged)
		} else {
			p := patch(e.Before, e.IDs)
			if err := apply("settings", gateway.Want{Settings: &p}); err != nil {
				return err
			}
		}
	}
	switch {
	case !e.Resite || slices.Equal(c.Sites, e.SitesOld):
	case !slices.Equal(c.Sites, e.SitesNew):
		changed = errors.Join(changed, fmt.Errorf("connected sites: %w", ErrChanged))
	default:
		if err := apply("sites", gateway.Want{Sites: &e.SitesOld}); err != nil {
			return err
		}
	}
	return changed
}
