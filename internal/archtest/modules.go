package archtest

// confined are the third-party modules, the rooms that may import each (a room
// stands for those below it, "*_test" for every test), and why.
var confined = map[string]struct {
	rooms []string
	why   string
}{
	"cel.dev/cel-go":                        {[]string{"pkg/guard"}, "guards are expressions; nobody else needs to know in which language"},
	"github.com/goccy/go-yaml":              {[]string{"internal/strictyaml", "*_test"}, "YAML with positions of every key; tests read it as editors do"},
	"modernc.org/sqlite":                    {[]string{"internal/journal"}, "one durable, inspectable file that others can read meanwhile"},
	"github.com/cockroachdb/pebble/v2":      {[]string{"internal/mail/spool"}, "group commit of small values"},
	"github.com/emersion/go-smtp":           {[]string{"internal/mail"}, "SMTP's command loop and client"},
	"github.com/emersion/go-sasl":           {[]string{"internal/mail"}, "AUTH, for go-smtp"},
	"github.com/emersion/go-message":        {[]string{"internal/mail/dsn"}, "building and reading reports, never for relaying"},
	"github.com/miekg/dns":                  {[]string{"internal/dns"}, "DNS messages, TSIG, transfers"},
	"github.com/charmbracelet/bubbletea":    {[]string{"internal/tui"}, "the drain monitor; it talks to the terminal when imported"},
	"github.com/charmbracelet/lipgloss":     {[]string{"internal/tui/preset"}, "told beforehand what bubbletea would have it ask the terminal"},
	"github.com/mattn/go-runewidth":         {[]string{"internal/tui/screen"}, "how many cells a rune takes"},
	"github.com/creack/pty":                 {[]string{"*_test"}, "pseudo terminals for tests"},
	"github.com/olekukonko/tablewriter":     {[]string{"internal/output"}, "tables, behind one wrapper"},
	"github.com/spf13/cobra":                {[]string{"internal/cli"}, "commands, flags, completion"},
	"github.com/spf13/pflag":                {[]string{"internal/cli"}, "the flags of cobra"},
	"golang.org/x/sys":                      {[]string{"cmd/ims"}, "how wide a terminal is"},
	"github.com/mattn/go-isatty":            {[]string{"cmd/ims"}, "whether a stream is a terminal"},
	"github.com/cpuguy83/go-md2man":         {[]string{"*_test"}, "man pages are made from the help and compared with it"},
	"github.com/santhosh-tekuri/jsonschema": {[]string{"*_test"}, "validates the runbook schema"},
	"github.com/google/go-cmp":              {[]string{"*_test", "pkg/zone/zonetest", "pkg/gateway/gatewaytest"}, "differences in tests"},
	"github.com/rogpeppe/go-internal":       {[]string{"*_test"}, "acceptance scripts"},
	"pgregory.net/rapid":                    {[]string{"*_test"}, "property tests"},
}

// pure rooms may not read a clock, and reach no network, disk or process.
var pure = []string{"pkg/facts", "pkg/machine", "pkg/guard", "pkg/runbook", "pkg/trace", "pkg/ledger", "pkg/model", "pkg/check"}
