package plan

import (
	"fmt"
	"slices"

	"example.org/ims/internal/setting"
	"example.org/ims/pkg/gateway"
)

// settings are what is stored of the two gateways, as a plan binds to it: every
// setting that a run changes or depends on, or that is compared (Q285090), each
// address space and each connected site. Generations, counts and times are none.
// A gateway that could not be read, or is gone, has none.
func (p *Plan) settings() []place {
	all := []place{}
	for _, one := range []struct {
		name string
		has  *gateway.Config
	}{{p.Gateway, p.Before.Gateway}, {p.Next, p.Before.Successor}} {
		all = append(all, at("settings of "+one.name, standing(one.has)))
		if standing(one.has) == stands {
			all = append(all, settingsOf(one.has)...)
		}
	}
	return all
}

func settingsOf(c *gateway.Config) []place {
	all := []place{}
	add := func(name, about, value string) {
		name = c.Name + ": " + name
		if i := slices.IndexFunc(all, func(s place) bool { return s.Name == name }); i >= 0 {
			all[i].At = slices.Sorted(slices.Values(append(all[i].At, value)))
			return
		}
		all = append(all, place{Name: name, At: []string{value}, about: about})
	}
	for _, one := range setting.All() {
		value := orNone(one.Text(c.Stored))
		if now := orNone(one.Text(c.Effective)); c.Running && now != value {
			value = fmt.Sprintf("%s, in effect %s", value, now)
		}
		add(string(one.ID), one.Title, value)
	}
	applied := "at service start"
	if c.ApplyLive {
		applied = "at once"
	}
	add("changes take effect", "", applied)
	for _, s := range c.Spaces {
		add(fmt.Sprintf("address space %s:%s", s.Type, s.Pattern), "", fmt.Sprintf("cost %d scope %s", s.Cost, s.Scope))
	}
	for _, s := range c.Sites {
		add("connected site "+s.Name, "", fmt.Sprintf("cost %d via %s", s.Cost, s.RoutingAddress))
	}
	return all
}

func orNone(text string) string {
	if text == "" {
		return "(none)"
	}
	return text
}

// settings compares what is stored of the two gateways. If one could not be read,
// or is gone, that is the difference.
func (c *comparison) settings(p, now *Plan) {
	for _, one := range []struct {
		name    string
		was, is *gateway.Config
	}{{p.Gateway, p.Before.Gateway, now.Before.Gateway}, {p.Next, p.Before.Successor, now.Before.Successor}} {
		was, is := standing(one.was), standing(one.is)
		if was == stands && is == stands {
			c.places(ofSetting, settingsOf(one.was), settingsOf(one.is))
			continue
		}
		c.text(ofSetting, "settings of "+one.name, was, is, "its configuration was read from the gateway itself")
	}
}

// standing is what is known of the settings of a gateway.
func standing(c *gateway.Config) string {
	switch {
	case c == nil:
		return notKnown
	case !c.Exists:
		return "the gateway does not exist"
	}
	return stands
}

const (
	stands   = "known"
	notKnown = "unknown"
)
