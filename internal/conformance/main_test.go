package conformance

import (
	"flag"
	"os"
	"testing"
)

// fewer is how many random sequences a test tries; each is one that no run
// before has tried.
const fewer = "30"

// TestMain has fewer sequences tried than rapid would, unless IMS_TEST_CONFORM_ALL=1
// asks for all, or -rapid.checks for a number.
func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked && os.Getenv("IMS_TEST_CONFORM_ALL") != "1" {
		if err := flag.Set("rapid.checks", fewer); err != nil {
			panic(err) // rapid has no such flag any more
		}
	}
	os.Exit(m.Run())
}
