package cli

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"example.org/ims/internal/config"
	"example.org/ims/internal/output"
)

//go:embed scaffold/ims.yaml
var scaffoldConfig string

// initOptions are what a new configuration says; the template reads them.
type initOptions struct {
	Gateway, Hostname, Listen                     string
	Successor, SuccessorHostname, SuccessorListen string
	Domains                                       []string
	MailHost, StateDir, Runbook                   string
	Zone, Server, KeyFile                         string
	Schema                                        string
}

func newInit(s *session) *cobra.Command {
	var opts initOptions
	var format output.Format
	var schema bool
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a configuration file to start from, with comments",
		Long: `Write a configuration file to start from, with comments, and its schema for
editors beside it. It asks nothing: what the flags do not say stands there as an
example. The file loads without mistake, and is where --config says; what is left
to fill in is said in its order. Without --dns and --key-file that is the zones:
a retirement moves MX records, so even a dry run wants to know where.

A file that exists is never overwritten.`,
		Example: "  ims init --domain example.org --gateway east --successor west --mailhost mail.example.org:25\n" +
			"  ims init --domain example.org --successor '' --runbook last-gateway\n  ims init --schema >" + config.SchemaFile,
		Args: args(cobra.NoArgs, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			p := s.printer(format)
			if schema {
				text, err := config.Schema()
				if err != nil {
					return err
				}
				return p.Raw(text)
			}
			return runInit(p, s.config, opts)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&opts.Domains, "domain", []string{"example.test"}, "a mail `domain` of the organization; may be repeated")
	f.StringVar(&opts.Gateway, "gateway", "east", "`name` of the gateway that is to be retired")
	f.StringVar(&opts.Hostname, "hostname", "", "its `host` name, as MX records have it; NAME.DOMAIN if not given")
	f.StringVar(&opts.Listen, "listen", "127.0.0.1:2525", "`address:port` of its listener")
	f.StringVar(&opts.Successor, "successor", "west", "`name` of the gateway that takes over; '' if none does")
	f.StringVar(&opts.SuccessorHostname, "successor-hostname", "", "its `host` name; NAME.DOMAIN if not given")
	f.StringVar(&opts.SuccessorListen, "successor-listen", "127.0.0.1:2526", "`address:port` of its listener")
	f.StringVar(&opts.MailHost, "mailhost", "", "`host:port` where mail for the domains is delivered; mail.DOMAIN:25 if not given")
	f.StringVar(&opts.Server, "dns", "", "`address` of the name server that takes updates of the first domain's zone")
	f.StringVar(&opts.KeyFile, "key-file", "", "`file` with the TSIG key for that")
	f.StringVar(&opts.StateDir, "state-dir", "", "`folder` for journals, plans and archives; state, or "+systemState+" for a configuration in /etc")
	f.StringVar(&opts.Runbook, "runbook", "q285090", "runbook of ims retire without flags, by `name`")
	f.BoolVar(&schema, "schema", false, "print the schema of configuration files, and write nothing")
	cmd.MarkFlagsRequiredTogether("dns", "key-file")
	formatFlag(cmd, &format, output.Text, output.JSON)
	return exits(cmd, output.Done)
}

// plainKey is what stands in YAML without quotes.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

func runInit(p *output.Printer, file string, o initOptions) error {
	domain := o.Domains[0]
	o.Hostname = cmp.Or(o.Hostname, o.Gateway+"."+domain)
	o.SuccessorHostname = cmp.Or(o.SuccessorHostname, o.Successor+"."+domain)
	o.MailHost = cmp.Or(o.MailHost, "mail."+domain+":25")
	o.Zone, o.Schema = domain, config.SchemaFile
	o.StateDir = cmp.Or(o.StateDir, stateDir(file))
	for _, word := range []string{o.Gateway, cmp.Or(o.Successor, "none"), o.Zone, o.Runbook} {
		if !plainKey.MatchString(word) {
			return output.As(output.Usage, "ims init --help", fmt.Errorf("ims init: %q is no name: want letters, digits, dots and hyphens", word))
		}
	}
	var text strings.Builder
	if err := configTemplate().Execute(&text, o); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	schema, err := config.Schema()
	if err != nil {
		return err
	}
	written, err := writeNew([]newFile{
		{path: file, text: text.String()},
		{path: filepath.Join(filepath.Dir(file), config.SchemaFile), text: string(schema), keep: true},
	})
	if err != nil {
		return err
	}
	if _, err := config.Load(file); err != nil {
		// A flag was wrong: what was written is of no use, and its mistakes say why.
		for _, w := range written {
			err = errors.Join(err, os.Remove(w))
		}
		return output.As(output.Usage, "ims init --help", err)
	}
	return p.Result("written", writtenData{written}, func(page *output.Page) {
		for _, w := range written {
			page.Line("wrote %s", w)
		}
		page.Blank()
		page.Line("What to do now, in this order:")
		for i, step := range o.steps(file) {
			page.Line("  %d. %s", i+1, step)
		}
	})
}

// systemState is the folder that the service units may write to.
const systemState = "/var/lib/ims"

// stateDir is where what belongs to a configuration is kept, if nobody says so.
// Nothing is written below /etc by a service (FHS 3.0 section 3.7).
func stateDir(file string) string {
	if abs, err := filepath.Abs(file); err == nil && strings.HasPrefix(abs, "/etc/") {
		return systemState
	}
	return "state"
}

// steps are what is left to do after a configuration was written. A retirement
// moves MX records, so without a zone there is not even a dry run.
func (o *initOptions) steps(file string) []string {
	list := []string{"look at " + file + ": names, addresses and domains that no flag gave are examples"}
	if o.Server == "" {
		list = append(list, fmt.Sprintf("fill in zones there: the name server of %s that takes updates, and its key file", o.Zone))
	} else {
		list = append(list, "put the zone's key into "+o.KeyFile+", readable by this user alone")
	}
	return append(list, "start the gateways: ims gateway run", "see whether it is safe: ims preflight "+o.Gateway,
		"see what would be done: ims retire "+o.Gateway+" --dry-run")
}

func configTemplate() *template.Template {
	// A JSON string is a YAML string in double quotes.
	quote := func(s string) (string, error) {
		b, err := json.Marshal(s)
		return string(b), err
	}
	return template.Must(template.New("ims.yaml").Funcs(template.FuncMap{"q": quote}).Parse(scaffoldConfig))
}
