package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/ims/internal/output"
	"example.org/ims/internal/suggest"
)

// exitNote is the annotation under which a command keeps its EXIT STATUS.
const exitNote = "exit status"

const helpTemplate = `{{with or .Long .Short}}{{. | trimTrailingWhitespaces}}{{end}}

USAGE
  {{.UseLine}}
{{if .HasAvailableSubCommands}}
COMMANDS
{{range .Commands}}{{if .IsAvailableCommand}}  {{rpad .Name .NamePadding}}  {{.Short}}
{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}
FLAGS
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}{{if .HasAvailableInheritedFlags}}
GLOBAL FLAGS
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}{{if .HasExample}}
EXAMPLES
{{.Example}}
{{end}}{{with index .Annotations "` + exitNote + `"}}
EXIT STATUS
{{.}}{{end}}`

// exits notes the ways in which a command ends, beside usage errors and
// failure, which every command has.
func exits(cmd *cobra.Command, kinds ...output.Kind) *cobra.Command {
	kinds = append(kinds, output.Usage)
	if !slices.Contains(kinds, output.Failed) {
		kinds = append(kinds, output.Failed)
	}
	slices.SortFunc(kinds, func(a, b output.Kind) int { return a.Code() - b.Code() })
	var b strings.Builder
	for _, k := range slices.Compact(kinds) {
		fmt.Fprintf(&b, "  %-4d%s\n", k.Code(), k)
	}
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[exitNote] = b.String()
	return cmd
}

// group makes a command of its subcommands. Alone it prints its help; a word
// that is none of them is a mistake, where cobra would print help and succeed.
func group(cmd *cobra.Command, sub ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(sub...)
	cmd.Args = func(cmd *cobra.Command, argv []string) error {
		if len(argv) == 0 {
			return nil
		}
		return unknownCommand(cmd, argv)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return exits(cmd, output.Done)
}

func unknownCommand(in *cobra.Command, argv []string) error {
	var names []string
	for _, c := range in.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	near := didYouMean(argv[0], names)
	for _, c := range in.Commands() {
		if slices.Contains(c.SuggestFor, argv[0]) {
			near = fmt.Sprintf("; did you mean %q?", c.Name())
		}
	}
	err := fmt.Errorf("unknown command %q for %q%s", argv[0], in.CommandPath(), near)
	return output.As(output.Usage, in.CommandPath()+" --help", err)
}

// didYouMean is the end of a sentence about a word that nobody knows.
func didYouMean(word string, known []string) string {
	if near, ok := suggest.Nearest(word, known); ok {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// args makes a mistake in the number of arguments a usage error that says what
// the arguments are: "want a gateway, have 2 arguments".
func args(check cobra.PositionalArgs, want string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, argv []string) error {
		if check(cmd, argv) == nil {
			return nil
		}
		have := output.Count(int64(len(argv)), "argument")
		return output.As(output.Usage, cmd.CommandPath()+" --help", fmt.Errorf("%s: want %s, have %s", cmd.CommandPath(), want, have))
	}
}

// flagGroups makes a mistake in flags that exclude or require each other a
// usage error, for the whole tree: cobra looks at them after the arguments, and
// gives the error no kind.
func flagGroups(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		flagGroups(sub)
	}
	check := cmd.Args
	cmd.Args = func(cmd *cobra.Command, argv []string) error {
		for _, err := range []error{cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups()} {
			if err != nil {
				return output.As(output.Usage, cmd.CommandPath()+" --help", fmt.Errorf("%s: %w", cmd.CommandPath(), err))
			}
		}
		if check == nil {
			return nil
		}
		return check(cmd, argv)
	}
}

// numbers are the types of flags that take one, and what they want.
var numbers = map[string]string{"int": "a whole number", "int64": "a whole number", "uint64": "a whole number that is not negative"}

// flagError makes a mistake in a flag a usage error, with the nearest flag.
func flagError(cmd *cobra.Command, err error) error {
	hint := cmd.CommandPath() + " --help"
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		if words := cmd.Flags().Args(); cmd.HasSubCommands() && len(words) > 0 {
			return unknownCommand(cmd, words) // whose flag it may be
		}
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		name := unknown.GetSpecifiedName()
		end := ""
		if near, ok := suggest.Nearest(name, names); ok && len(name) > 1 {
			end = fmt.Sprintf("; did you mean --%s?", near)
		}
		err = fmt.Errorf("%s: %w%s", cmd.CommandPath(), err, end)
	} else if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok && numbers[invalid.GetFlag().Value.Type()] != "" {
		f := invalid.GetFlag()
		err = fmt.Errorf("%s: --%s cannot be %q: want %s", cmd.CommandPath(), f.Name, invalid.GetValue(), numbers[f.Value.Type()])
	} else {
		err = fmt.Errorf("%s: %w", cmd.CommandPath(), err)
	}
	return output.As(output.Usage, hint, err)
}

// formatValue is the value of -o: one of the formats that a command offers.
type formatValue struct {
	format *output.Format
	offers []string
}

var _ pflag.Value = (*formatValue)(nil)

func (v *formatValue) String() string { return string(*v.format) }

func (v *formatValue) Type() string { return "format" }

func (v *formatValue) Set(s string) error {
	if !slices.Contains(v.offers, s) {
		return fmt.Errorf("want %s%s", strings.Join(v.offers, ", "), didYouMean(s, v.offers))
	}
	*v.format = output.Format(s)
	return nil
}

// formatFlag adds -o with the formats that make sense for a command; the first
// is the default.
func formatFlag(cmd *cobra.Command, format *output.Format, offers ...output.Format) {
	v := &formatValue{format: format}
	for _, o := range offers {
		v.offers = append(v.offers, string(o))
	}
	*format = offers[0]
	cmd.Flags().VarP(v, "output", "o", "`format` of the result: "+strings.Join(v.offers, ", "))
	complete := func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return v.offers, cobra.ShellCompDirectiveNoFileComp
	}
	if err := cmd.RegisterFlagCompletionFunc("output", complete); err != nil {
		panic(err) // the flag was added two lines above
	}
}
