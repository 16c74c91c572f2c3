// Package wire connects the commands to what performs them. It alone knows
// every adapter, and it is one readable function, top to bottom; it decides
// nothing and holds no state.
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
