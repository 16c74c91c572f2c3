package cli

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/ims/runbooks"
)

func testSession(out, words io.Writer) *session {
	return &session{
		io:   IO{In: strings.NewReader(""), Out: out, Err: words},
		deps: Deps{Version: "test", Runbooks: runbooks.FS},
	}
}

// TestEveryCommandHelps holds every command, present and to come, to the
// conventions of this package.
func TestEveryCommandHelps(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		name := cmd.CommandPath()
		if cmd.Short == "" {
			t.Errorf("%s has no Short", name)
		}
		if strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: Short ends in a full stop", name)
		}
		if cmd.Annotations[exitNote] == "" {
			t.Errorf("%s has no EXIT STATUS: return exits(cmd, …) or group(cmd, …)", name)
		}
		if cmd.RunE == nil || cmd.Run != nil {
			t.Errorf("%s wants RunE, and no Run", name)
		}
		if cmd.PersistentPreRunE != nil || cmd.PreRunE != nil {
			t.Errorf("%s has a hook, which its children would replace in silence: set up in the constructor", name)
		}
		if cmd.HasParent() && !strings.Contains(cmd.Example, "  ims ") {
			t.Errorf("%s has no Example that begins with two blanks and ims", name)
		}
		if !strings.Contains(cmd.Use, "…") && cmd.Args(cmd, []string{"1", "2", "3", "4"}) == nil {
			t.Errorf("%s takes any arguments without saying so: set Args", name)
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(testSession(io.Discard, io.Discard)))
}

func TestCompletion(t *testing.T) {
	tests := []struct {
		argv []string
		want []string
	}{
		{[]string{"runbook", ""}, []string{"lint\t", "list\t", "show\t"}},
		{[]string{"runbook", "show", "q"}, []string{"q285090\tRetiring an Internet Mail Service"}},
		{[]string{"runbook", "test", "q285090", ""}, []string{"eleven-steps\t"}},
		{[]string{"completion", ""}, []string{"bash", "zsh", "fish"}},
		{[]string{"version", "-o", ""}, []string{"text", "json"}},
	}
	for _, tt := range tests {
		var out, words strings.Builder
		s := testSession(&out, &words)
		code := Main(t.Context(), append([]string{cobra.ShellCompRequestCmd}, tt.argv...), s.io, s.deps)
		for _, w := range tt.want {
			if code != 0 || !strings.Contains(out.String(), w) {
				t.Errorf("completion of %q = %q, exit %d, want %q among it", tt.argv, &out, code, w)
			}
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, words strings.Builder
	s := testSession(&out, &words)
	root := &cobra.Command{Use: "ims", SilenceErrors: true, SilenceUsage: true, RunE: func(cmd *cobra.Command, _ []string) error {
		return cmd.Context().Err()
	}}
	root.SetArgs(nil)
	if code := execute(ctx, s, root); code != 130 || words.String() != "ims: error: interrupted\n" {
		t.Errorf("an interrupted command exits %d and says %q, want 130", code, &words)
	}
	root.RunE = func(*cobra.Command, []string) error { return nil }
	if code := execute(ctx, s, root); code != 0 {
		t.Errorf("a command that ended well in spite of an interrupt exits %d, want 0", code)
	}
}

func TestABrokenShippedRunbookIsAMistake(t *testing.T) {
	var out, words strings.Builder
	s := testSession(&out, &words)
	s.deps.Runbooks = fstest.MapFS{"broken.yaml": {Data: []byte("kind: Runbook\nstat: x\n")}}
	if code := Main(t.Context(), []string{"runbook", "list"}, s.io, s.deps); code != 64 || !strings.HasPrefix(words.String(), "ims: error: broken.yaml:2:1: unknown key") {
		t.Errorf("runbook list = exit %d, %q", code, &words)
	}
}

// freeText are the flags whose values nobody can foresee.
var freeText = map[string]bool{
	"reason": true, "comment": true, "message": true, "max-size": true,
	"accept": true, "domain-hosts": true, "etrn": true, "reject": true, "relay": true, "reroute": true, // of gateway set
	"dns": true, "domain": true, "hostname": true, "listen": true, "mailhost": true, "successor-hostname": true, "successor-listen": true, // of init
}

// TestEveryWordCompletes wants a completion of every argument and of every
// flag that takes a value which somebody could know.
func TestEveryWordCompletes(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		words := strings.Fields(cmd.Use)[1:]
		if len(words) > 0 && !cmd.HasSubCommands() && !cmd.Hidden && cmd.Name() != "help" && cmd.ValidArgsFunction == nil {
			t.Errorf("%s does not complete %q: set ValidArgsFunction", cmd.CommandPath(), words)
		}
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			_, known := cmd.GetFlagCompletionFunc(f.Name)
			_, files := f.Annotations[cobra.BashCompFilenameExt]
			_, folders := f.Annotations[cobra.BashCompSubdirsInDir]
			if slices.Contains([]string{"bool", "duration", "durations", "int", "int64", "size", "uint64"}, f.Value.Type()) {
				return
			}
			if !known && !files && !folders && !freeText[f.Name] {
				t.Errorf("%s does not complete the value of --%s: completeFlag, MarkFlagFilename or freeText", cmd.CommandPath(), f.Name)
			}
		})
	}
	walk(newRoot(testSession(io.Discard, io.Discard)))
}
