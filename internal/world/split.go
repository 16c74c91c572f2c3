package world

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// dropped says which address space a split would take away from its gateway and
// give to nobody; "" for none. Mail for it would be returned, and nobody was
// asked.
func (w *World) dropped(e engine.Effect, c gateway.Config) string {
	lost, err := w.lost(e, c)
	switch {
	case err != nil:
		return err.Error()
	case len(lost) > 0:
		return fmt.Sprintf("address space %s:%s would be taken from %s and given to nobody: name it in here_spaces or next_spaces",
			lost[0].Type, lost[0].Pattern, c.Name)
	}
	return ""
}

// Refuses says why an effect would be refused for the address spaces that there
// are now, and the command with which it would not be; "" if it would not.
func (w *World) Refuses(ctx context.Context, e engine.Effect) (why, fix string) {
	if e.Action != machine.RouteSpaces || w.cfg.Book == nil {
		return "", ""
	}
	c, _, err := w.configOf(ctx, e.Args.OnSuccessor)
	if err != nil || made(e, c) { // an error shows as what could not be read
		return "", ""
	}
	lost, err := w.lost(e, c)
	if err != nil || len(lost) == 0 {
		return w.dropped(e, c), "ims runbook show " + w.cfg.Book.Def.Name
	}
	param, list := "here_spaces", slices.Clone(e.Args.Spaces)
	if e.Args.OnSuccessor {
		param = "next_spaces"
	}
	for _, s := range lost {
		list = append(list, fmt.Sprintf("%s:%s %d", s.Type, s.Pattern, s.Cost))
	}
	return w.dropped(e, c), fmt.Sprintf("ims retire %s --runbook %s --param '%s=%s'",
		w.cfg.Name, w.cfg.Book.Def.Name, param, strings.Join(list, ","))
}

// lost are the address spaces of a gateway that a split gives to nobody.
func (w *World) lost(e engine.Effect, c gateway.Config) (lost []gateway.Space, err error) {
	if e.Action != machine.RouteSpaces || e.Args.Empty {
		return nil, nil
	}
	kept := map[string]bool{}
	for _, wish := range w.want.split {
		spaces, err := gateway.ParseSpaces(wish.spaces)
		if err != nil {
			return nil, err
		}
		for _, s := range spaces {
			kept[strings.ToLower(s.Type+":"+s.Pattern)] = true
		}
	}
	for _, s := range c.Spaces {
		if !kept[strings.ToLower(s.Type+":"+s.Pattern)] {
			lost = append(lost, s)
		}
	}
	return lost, nil
}

// sameSplit compares address spaces with wanted ones, whose scope is not said.
func sameSplit(have, want []gateway.Space) bool {
	return sameSpaces(unscoped(have), unscoped(want))
}

func unscoped(list []gateway.Space) []gateway.Space {
	list = slices.Clone(list)
	for i := range list {
		list[i].Scope = gateway.ScopeOrganization
	}
	return list
}

// spacesNow are the address spaces of the gateway of an effect, and then those
// of the one that it is split with.
func (w *World) spacesNow(ctx context.Context, e engine.Effect, c gateway.Config) ([]gateway.Space, error) {
	if e.Action != machine.RouteSpaces || len(e.Args.Spaces) == 0 {
		return nil, nil
	}
	other, _, err := w.configOf(ctx, !e.Args.OnSuccessor)
	return slices.Concat(c.Spaces, other.Spaces), err
}
