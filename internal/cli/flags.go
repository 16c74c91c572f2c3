package cli

import (
	"encoding"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/ims/internal/setting"
	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/gateway"
)

// wordValue is a flag that takes one of several words.
type wordValue struct {
	into  encoding.TextUnmarshaler
	words []string
	text  string
}

var _ pflag.Value = (*wordValue)(nil)

func (v *wordValue) String() string { return v.text }

func (v *wordValue) Type() string { return "word" }

func (v *wordValue) Set(s string) error {
	if !slices.Contains(v.words, s) {
		return fmt.Errorf("want %s%s", strings.Join(v.words, ", "), didYouMean(s, v.words))
	}
	v.text = s
	return v.into.UnmarshalText([]byte(s))
}

// wordFlag adds a flag that takes one of several words, and completes them.
func wordFlag(cmd *cobra.Command, into encoding.TextUnmarshaler, name, usage string, words []string) {
	cmd.Flags().Var(&wordValue{into: into, words: words}, name, usage+": "+strings.Join(words, ", "))
	completeFlag(cmd, name, func(*cobra.Command) []string { return words })
}

func completeFlag(cmd *cobra.Command, name string, words func(*cobra.Command) []string) {
	complete := func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return words(cmd), cobra.ShellCompDirectiveNoFileComp
	}
	if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
		panic(err) // the flag is added by the caller, just before
	}
}

// words are the words of an enumeration, up to its last value.
func words[T interface {
	~uint8
	fmt.Stringer
}](last T) []string {
	var all []string
	for v := range last + 1 {
		all = append(all, v.String())
	}
	return all
}

func storeWords() []string { return words(gateway.NumStores - 1) }

// durationValue is a length of time as configuration files have it: 90s, 15m,
// .25h, 3d.
type durationValue struct{ d *time.Duration }

var _ pflag.Value = durationValue{}

func (v durationValue) String() string {
	if v.d == nil || *v.d == 0 {
		return ""
	}
	return v.d.String()
}

func (durationValue) Type() string { return "duration" }

func (v durationValue) Set(s string) error {
	d, err := parseDuration(s)
	if err == nil {
		*v.d = d
	}
	return err
}

func parseDuration(s string) (time.Duration, error) {
	d, err := strictyaml.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("want a duration such as 90s, 15m, .25h or 3d, this is %q", s)
	}
	if d < 0 {
		return 0, fmt.Errorf("%q is negative", s)
	}
	return d, nil
}

// durationsValue is a list of them, separated by commas. An empty text is an
// empty list.
type durationsValue struct{ list *[]time.Duration }

var _ pflag.Value = durationsValue{}

func (v durationsValue) String() string {
	if v.list == nil {
		return ""
	}
	return durations(*v.list)
}

func (durationsValue) Type() string { return "durations" }

func (v durationsValue) Set(s string) error {
	list := []time.Duration{}
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" && s == "" {
			break
		}
		d, err := parseDuration(part)
		if err != nil {
			return err
		}
		list = append(list, d)
	}
	*v.list = list
	return nil
}

// durations writes a list as durationsValue reads it.
func durations(list []time.Duration) string {
	parts := make([]string, len(list))
	for i, d := range list {
		parts[i] = duration(d)
	}
	return strings.Join(parts, ",")
}

// duration is exact, and without the zero units that time.Duration prints.
func duration(d time.Duration) string {
	return setting.Duration(d)
}
