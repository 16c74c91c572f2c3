package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	comparison "example.org/ims/internal/compare"
	"example.org/ims/internal/config"
	"example.org/ims/internal/output"
	"example.org/ims/internal/preflight"
	"example.org/ims/internal/setting"
	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// Observations are what a preflight is made from.
type Observations interface {
	// Observe looks at everything that a retirement is about, and changes
	// nothing. What could not be read is unknown in the snapshot; an error is
	// the request's. The runbook is bound as a run would bind it.
	Observe(ctx context.Context, c *config.Config, look Look) (*preflight.Snapshot, *runbook.Book, error)
}

type preflightOptions struct {
	requestOptions
	probe    bool
	facts    string
	baseline string
	maxAge   time.Duration
	report   reportFiles
	given    bool // a configuration was named
}

func newPreflight(s *session) *cobra.Command {
	var opts preflightOptions
	var format output.Format
	cmd := &cobra.Command{
		Use:   "preflight [GATEWAY]",
		Short: "Say whether it is safe to retire a gateway",
		Long: `Say whether it is safe to retire a gateway: every guard of the runbook that can
be judged now, the cover of what the gateway carries outward and takes inward,
and the settings of other gateways that name it. Nothing is changed: queries,
a transfer of each zone, and SMTP up to RCPT are sent, never a message. With
--probe the name servers are asked, too, whether they would make the changes of
a run: by UPDATEs whose prerequisite is false, so that they change nothing.

A check passes, fails, or is unknown; a guard about what the run itself will
change or wait for is not judged yet, and listed with the reason. What fails
blocks; what the run would put to people because of what was found is a question,
told apart with whom it asks what; approvals that the runbook wants in any case
are named, and no questions. Blockers and questions end with exit 2, whatever is
unknown besides. Checks that waivers in the configuration name do not count
until those expire; a run still judges its own guards, and asks its questions.

With --facts the checks are made of what ims facts has saved, on any machine;
"now" is then the time of the facts, but waivers count by the present: those of
the configuration, or without one those that the facts were observed with. With
--baseline only what is worse than in an earlier result counts.`,
		Example: `  ims preflight east
  ims preflight east --to west --runbook eleven-steps
  ims preflight east --probe
  ims preflight --facts facts.json --max-age 1d -o sarif
  ims preflight east -o json >baseline.json
  ims preflight east --baseline baseline.json`,
		Args: args(cobra.MaximumNArgs(1), "at most one gateway"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			opts.given = s.io.Config != "" || cmd.Flags().Changed("config")
			if err := opts.parse(cmd, argv); err != nil {
				return err
			}
			if cmd.Flags().Changed("max-age") && opts.maxAge <= 0 {
				return output.As(output.Usage, "", fmt.Errorf("--max-age %s: every observation is older; for no limit leave it out", opts.maxAge))
			}
			return runPreflight(cmd.Context(), s, s.printer(format), opts)
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON, output.JUnit, output.SARIF, output.GitHub, output.Markdown)
	opts.flags(cmd)
	flags := cmd.Flags()
	probeFlag(cmd, &opts.probe)
	flags.StringVar(&opts.facts, "facts", "", "judge what this `file` of ims facts --out holds, and observe nothing")
	flags.Var(durationValue{&opts.maxAge}, "max-age", "observations that are older are unknown")
	flags.StringVar(&opts.baseline, "baseline", "", "count only what is worse than in this `file`, saved with -o json")
	for _, name := range []string{"facts", "baseline"} {
		if err := cmd.MarkFlagFilename(name, "json"); err != nil {
			panic(err) // the flags were added in the lines above
		}
	}
	cmd.MarkFlagsMutuallyExclusive("facts", "probe")
	reportFlag(cmd, &opts.report)
	return exits(cmd, output.Done, output.Blocked, output.Unknown)
}

func runPreflight(ctx context.Context, s *session, p *output.Printer, opts preflightOptions) error {
	in := preflight.Input{Made: time.Now(), MaxAge: opts.maxAge, Offline: opts.facts != ""}
	var src origins
	var err error
	if in.Offline {
		src, err = s.recorded(&in, opts)
	} else {
		src, err = s.live(ctx, &in, opts)
	}
	if err != nil {
		return err
	}
	if opts.baseline != "" {
		data, err := os.ReadFile(opts.baseline)
		if err == nil {
			in.Baseline, err = preflight.ReadReport(data)
		}
		if err != nil {
			return output.As(output.Usage, "ims preflight NAME -o json >FILE", fmt.Errorf("baseline %s: %w", opts.baseline, err))
		}
	}
	if len(in.Waivers) > 0 {
		known, err := s.guardNames()
		if err != nil {
			return err
		}
		in.Known = append(in.Known, known...)
	}
	r, err := preflight.Make(in)
	if none, ok := errors.AsType[*preflight.NoCheckError](err); ok {
		err = fmt.Errorf("%s:%d: %w", src.config, src.waivers[none.ID], err)
	}
	if err != nil {
		return output.As(output.Usage, "", err)
	}
	src.shipped = s.isShipped(in.Book.Doc)
	return showPreflight(s, p, r, in.Book, src, opts.report)
}

// origins are the files that a report is made from, for those who point there.
type origins struct {
	config  string // "" if there is none
	facts   string // "" if it is live
	waivers map[string]int
	gateway int  // line of the gateway in the configuration, or 0
	shipped bool // the runbook is no file of the reader's
}

// live observes.
func (s *session) live(ctx context.Context, in *preflight.Input, opts preflightOptions) (origins, error) {
	c, err := s.configuration()
	if err != nil {
		return origins{}, err
	}
	if err := opts.check(s, c); err != nil {
		return origins{}, err
	}
	in.Snapshot, in.Book, err = s.deps.Observations.Observe(ctx, c, Look{opts.request, opts.probe})
	if err != nil {
		return origins{}, output.As(output.Usage, "", err)
	}
	in.Made = time.Now() // what was observed is older than the report
	in.Known = checkNames(c)
	return s.origins(in, c), nil
}

// recorded reads what was observed. The configuration says only what is waived;
// one that nobody named may be absent.
func (s *session) recorded(in *preflight.Input, opts preflightOptions) (origins, error) {
	wrong := func(err error) error {
		return output.As(output.Usage, "ims facts NAME --out FILE", fmt.Errorf("facts %s: %w", opts.facts, err))
	}
	data, err := os.ReadFile(opts.facts)
	if err != nil {
		return origins{}, wrong(err)
	}
	if in.Snapshot, err = preflight.Read(data); err != nil {
		return origins{}, wrong(err)
	}
	snap := in.Snapshot
	for _, want := range [][3]string{{"gateway", opts.request.Gateway, snap.Gateway}, {"successor", opts.request.Successor, snap.Successor}} {
		if want[1] != "" && want[1] != want[2] {
			return origins{}, wrong(fmt.Errorf("they are about %s %q, not %q", want[0], want[2], want[1]))
		}
	}
	if in.Book, err = s.bound(snap, opts); err != nil {
		return origins{}, err
	}
	if c, err := config.Load(s.config); err == nil {
		in.Known = checkNames(c)
		return s.origins(in, c), nil
	}
	waivers, err := config.LoadWaivers(s.config)
	if errors.Is(err, fs.ErrNotExist) && !opts.given {
		for _, w := range snap.Waivers { // as they were then, if nobody says how they are now
			in.Waivers, in.Known = append(in.Waivers, w), append(in.Known, w.ID)
		}
		return origins{facts: opts.facts}, nil
	}
	in.Known = settingNames()
	for i := range waivers { // a file of waivers alone is for the facts that it is used with
		if w := &waivers[i]; w.Gateway == "" && w.Successor == "" {
			w.Gateway, w.Successor = snap.Gateway, snap.Successor
		}
	}
	return s.waivers(in, waivers), output.As(output.Usage, "", err)
}

// bound is a runbook, bound as it was when the facts were observed.
func (s *session) bound(snap *preflight.Snapshot, opts preflightOptions) (*runbook.Book, error) {
	arg := opts.request.Runbook
	if arg == "" {
		arg = snap.Runbook
	}
	doc, err := s.document(arg)
	if err != nil {
		return nil, err
	}
	b := runbook.Binding{Gateway: snap.Gateway, Successor: snap.Successor, Domains: snap.Domains, Params: map[string]string{}}
	if doc.Metadata.Name.Value == snap.Runbook {
		maps.Copy(b.Params, snap.Params)
	} else {
		if begins := machine.Begins(doc.Begins.Value); begins == machine.BeginsAlone || begins == machine.BeginsStopped {
			b.Successor = opts.request.Successor // as a run would bind it
		}
		for _, p := range doc.Params {
			if v, ok := snap.Configured[p.Key.Value]; ok {
				b.Params[p.Key.Value] = v
			}
		}
	}
	maps.Copy(b.Params, opts.request.Params)
	book, mistakes := runbook.Bind(doc, b)
	return book, output.As(output.Usage, "", mistakes.Err())
}

// origins are those of a whole configuration.
func (s *session) origins(in *preflight.Input, c *config.Config) origins {
	src := s.waivers(in, c.Waivers)
	if g, ok := c.Gateway(in.Snapshot.Gateway); ok {
		src.gateway = g.Line
	}
	return src
}

// isShipped reports whether a runbook is one of this program, and no file that
// whoever reads findings has.
func (s *session) isShipped(doc *runbook.Doc) bool {
	data, err := fs.ReadFile(s.deps.Runbooks, filepath.ToSlash(doc.File))
	if err != nil || !bytes.Equal(data, doc.Source) {
		return false
	}
	here, err := os.ReadFile(doc.File)
	return err != nil || !bytes.Equal(here, data)
}

func (s *session) waivers(in *preflight.Input, all []config.Waiver) origins {
	src := origins{config: s.config, waivers: map[string]int{}}
	for _, w := range all {
		aside := w.Aside(in.Book.Bound.Gateway, in.Book.Bound.Successor)
		in.Waivers = append(in.Waivers, preflight.Waiver{ID: w.ID, Reason: w.Reason, By: w.By, Expires: w.Expires, Aside: aside})
		if aside == "" {
			src.waivers[w.ID] = w.Line
		}
	}
	return src
}

// guardNames are the guards of the shipped runbooks: a waiver may be for
// another runbook than the one at hand.
func (s *session) guardNames() ([]string, error) {
	names, err := s.shipped()
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, name := range names {
		found, err := s.sources(name)
		if err != nil {
			return nil, err
		}
		var doc runbook.Doc // only the names are needed, so no guard is compiled
		if err := strictyaml.Decode(found[0].name, found[0].data, &doc).Err(); err != nil {
			return nil, err
		}
		for id := range guardLines(&doc) {
			ids = append(ids, id)
		}
		for _, e := range doc.States {
			if e.Value.Approve != nil {
				ids = append(ids, preflight.PeopleCheck(e.Key.Value))
			}
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// settingNames are the settings that ims compare judges.
func settingNames() []string {
	ids := []string{comparison.Prefix + string(comparison.Spaces), comparison.Prefix + string(comparison.Sites)}
	for _, st := range setting.All() {
		ids = append(ids, comparison.Prefix+string(st.ID))
	}
	return ids
}

// checkNames are the checks that a preflight of any gateway of a configuration
// may have.
func checkNames(c *config.Config) []string {
	ids := []string{"successor.mode", "cover.in.name", "cover.in.successor", "cover.in.tls", "cover.in.log", "cover.out", "notify", "people"}
	for _, t := range c.Notify.Targets {
		ids = append(ids, "notify."+t.Name)
	}
	ids = append(ids, settingNames()...)
	var places []string
	domains := slices.Clone(c.Organization.Domains)
	for _, st := range c.Organization.Sites {
		domains = append(domains, st.Domains...)
		places = append(places, st.Name)
		for _, l := range st.Locations {
			places = append(places, st.Name+"/"+l)
		}
	}
	for _, z := range c.Zones {
		ids = append(ids, "cover.in.mx."+z.Name)
		for _, at := range z.Authorities {
			ids = append(ids, preflight.ServerCheck(z.Name, at))
		}
		domains = append(domains, z.Domains...)
	}
	for _, g := range c.Gateways {
		for _, table := range []map[string]string{g.Settings.Reroute, g.Settings.DomainHosts, g.Settings.ETRN} {
			for d := range table {
				domains = append(domains, strings.TrimPrefix(strings.TrimPrefix(d, "#"), "*."))
			}
		}
	}
	for _, d := range domains {
		for _, what := range []string{"recipient", "stranger", "size"} {
			ids = append(ids, "cover.in."+strings.ToLower(d)+"."+what)
		}
	}
	for _, g := range c.Gateways {
		ids = append(ids, "dependents."+g.Name)
		for _, sp := range g.Spaces {
			ids = append(ids, "cover.out."+sp.Type+":"+sp.Pattern)
			for _, at := range places {
				ids = append(ids, "cover.out."+sp.Type+":"+sp.Pattern+"@"+at)
			}
		}
		for _, st := range g.Sites {
			ids = append(ids, "cover.site."+st.Name)
		}
	}
	return ids
}
