// Package runbooks holds the procedures that ims ships, as data inside the
// program. It knows nothing about what they say: pkg/runbook reads them.
package runbooks

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

// FS holds the shipped runbooks as NAME.yaml, and their traces as
// traces/NAME.yaml.
//
//go:embed *.yaml traces/*.yaml
var FS embed.FS

// Names lists the shipped runbooks in alphabetical order.
func Names() []string {
	// The pattern is well-formed, which is the only thing Glob can refuse.
	files, _ := fs.Glob(FS, "*.yaml")
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	return names
}
