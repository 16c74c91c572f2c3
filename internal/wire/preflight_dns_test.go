package wire

import (
	"strings"
	"testing"

	"example.org/ims/internal/config"
	"example.org/ims/pkg/zone"
)

// TestNameServersThatNobodyLooksAtAreNamed: what a zone says of its servers counts,
// not only what the configuration names.
func TestNameServersThatNobodyLooksAtAreNamed(t *testing.T) {
	seen := []zone.Observation{{RRset: zone.RRset{Name: "example.test.", Type: "NS", Data: []string{"ns1.example.test.", "ns2.example.test."}}, AA: true}}
	if !seen[0].Counts() {
		t.Fatal("the answer does not count")
	}
	if got := missed(config.Zone{Name: "example.test", Authorities: []string{"192.0.2.53:53"}}, seen); !strings.Contains(got, "has 2 name servers (ns1.example.test., ns2.example.test.)") {
		t.Errorf("one of two: %q", got)
	}
	if got := missed(config.Zone{Name: "example.test", Authorities: []string{"192.0.2.53:53", "192.0.2.54:53"}}, seen); got != "" {
		t.Errorf("both: %q", got)
	}
}
