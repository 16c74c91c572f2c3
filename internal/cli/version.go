package cli

import (
	"runtime"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
)

type versionData struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersion(s *session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of ims",
		Example: "  ims version -o json",
		Args:    args(cobra.NoArgs, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			v := versionData{s.deps.Version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
			return s.printer(format).Result("version", v, func(p *output.Page) {
				p.Line("ims %s (%s, %s)", v.Version, v.Go, v.Platform)
			})
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON)
	return exits(cmd, output.Done)
}
