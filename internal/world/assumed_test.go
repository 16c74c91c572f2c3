package world_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
	"example.org/ims/runbooks"
)

// TestAssumedTTLIsSaid: of an MX that was moved before anybody looked, nobody
// knows which TTL the old one had. What is assumed is said.
func TestAssumedTTLIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, err := runbooks.FS.ReadFile("q285090.yaml")
		if err != nil {
			t.Fatal(err)
		}
		doc, mistakes := runbook.Load("q285090.yaml", source)
		if mistakes != nil {
			t.Fatal(mistakes)
		}
		book, mistakes := runbook.Bind(doc, worldtest.Binding(nil))
		if mistakes != nil {
			t.Fatal(mistakes)
		}
		assumed := func(lab *worldtest.Lab) bool {
			obs := lab.World(book).Observe(t.Context(), engine.Look{Named: map[machine.Subject]map[string]bool{}, Memory: map[string]string{}})
			return slices.ContainsFunc(obs.Notes, func(n string) bool { return strings.Contains(n, "TTL 86400 s assumed") })
		}
		lab := worldtest.New(300)
		if assumed(lab) {
			t.Error("a TTL that was seen is called assumed")
		}
		moved := worldtest.New(300)
		moved.Zone.Set(zone.NewMX(worldtest.Domain, 300, zone.MX{Pref: 10, Host: "west." + worldtest.Domain}))
		if !assumed(moved) {
			t.Error("nobody is told that a TTL was assumed")
		}
	})
}
