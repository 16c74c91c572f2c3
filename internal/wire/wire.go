// Package wire connects the commands to what performs them, and alone knows
// every adapter: from a configuration it makes organizations with their
// gateways, the world of a run, what a preflight and a dry run observe, and labs.
// Deps is where to begin to read. It judges no guard, performs no effect, and
// holds no state between two commands.
package wire

import (
	"example.org/ims/internal/cli"
	"example.org/ims/runbooks"
)

// Deps are the real dependencies of the commands.
func Deps(version string) cli.Deps {
	return cli.Deps{
		Version:  version,
		Runbooks: runbooks.FS,
		Labs:     labs{labOrganization, newControl},

		Organizations: organizations{},
		Runs:          runs{},
		Observations:  observations{},
	}
}
