package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Where the pages stand that are made from the commands.
const (
	manDir        = "../../packaging/man"
	referenceFile = "reference.md"
)

// TestReference wants the man pages and the command reference to say what the
// commands' own help says. UPDATE=1, or go generate, writes them anew.
func TestReference(t *testing.T) {
	want := map[string][]byte{}
	var reference bytes.Buffer
	reference.WriteString("# Commands of ims\n\nMade from the commands' own help by `go generate ./internal/cli`.\n")
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		cmd.InitDefaultHelpFlag()
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
		want[filepath.Join(manDir, name+".1")] = md2man.Render([]byte(manPage(cmd, name)))
		referencePart(&reference, cmd)
		for _, sub := range visible(cmd) {
			walk(sub)
		}
	}
	s := testSession(io.Discard, io.Discard)
	s.deps.Version = ""
	walk(newRoot(s))
	want[referenceFile] = reference.Bytes()

	old, err := filepath.Glob(filepath.Join(manDir, "*.1"))
	if err != nil {
		t.Fatal(err)
	}
	update := os.Getenv("UPDATE") != ""
	for _, f := range old {
		if _, ok := want[f]; ok {
			continue
		}
		if !update {
			t.Errorf("%s is of no command: go generate ./internal/cli", f)
		} else if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	for file, text := range want {
		if update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s has drifted from the help of its command (%v): go generate ./internal/cli", file, err)
		}
	}
}

func visible(cmd *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(cmd.Commands()), func(c *cobra.Command) bool { return c.Hidden })
}

// referencePart is a command's place in the reference.
func referencePart(b *bytes.Buffer, cmd *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n\n", cmd.CommandPath())
	long := cmd.Long
	if long == "" {
		long = cmd.Short + "."
	}
	fmt.Fprintf(b, "%s\n", asMarkdown(long))
	fmt.Fprintf(b, "```\n%s\n", cmd.UseLine())
	if flags := cmd.NonInheritedFlags().FlagUsages(); flags != "" {
		fmt.Fprintf(b, "\n%s", flags)
	}
	fmt.Fprintf(b, "\nExamples:\n%s\n\nExit status:\n%s```\n", cmd.Example, cmd.Annotations[exitNote])
}

// manPage is a man page in the Markdown of md2man.
func manPage(cmd *cobra.Command, name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%% %q \"1\" \"\" \"ims\" \"ims manual\"\n", strings.ToUpper(name))
	fmt.Fprintf(&b, "# NAME\n%s \\- %s\n\n# SYNOPSIS\n**%s**\n\n", name, escape(cmd.Short), escape(cmd.UseLine()))
	long := cmd.Long
	if long == "" {
		long = cmd.Short + "."
	}
	fmt.Fprintf(&b, "# DESCRIPTION\n%s\n", asMarkdown(long))
	if subs := visible(cmd); len(subs) > 0 {
		b.WriteString("# COMMANDS\n")
		for _, sub := range subs {
			fmt.Fprintf(&b, "**%s**\n: %s\n\n", escape(sub.CommandPath()), escape(sub.Short))
		}
	}
	manFlags(&b, "OPTIONS", cmd.NonInheritedFlags())
	manFlags(&b, "GLOBAL OPTIONS", cmd.InheritedFlags())
	fmt.Fprintf(&b, "# EXAMPLES\n%s\n", asMarkdown(cmd.Example))
	fmt.Fprintf(&b, "# EXIT STATUS\n%s\n", asMarkdown(cmd.Annotations[exitNote]))
	var also []string
	if cmd.HasParent() {
		also = append(also, "**"+strings.ReplaceAll(cmd.Parent().CommandPath(), " ", "-")+"(1)**")
	}
	for _, sub := range visible(cmd) {
		also = append(also, "**"+strings.ReplaceAll(sub.CommandPath(), " ", "-")+"(1)**")
	}
	fmt.Fprintf(&b, "# SEE ALSO\n%s\n", strings.Join(also, ", "))
	return b.String()
}

func manFlags(b *strings.Builder, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, "# %s\n", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "**--" + f.Name + "**"
		if f.Shorthand != "" {
			name = "**-" + f.Shorthand + "**, " + name
		}
		if value != "" {
			name += "=*" + escape(value) + "*"
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" && f.DefValue != "0" && f.DefValue != "0s" {
			usage += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		fmt.Fprintf(b, "%s\n: %s\n\n", name, escape(usage))
	})
}

// asMarkdown is help text as Markdown: indented lines are as they are, everything
// else is text.
func asMarkdown(text string) string {
	var b strings.Builder
	code := false
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		switch indented := strings.HasPrefix(line, "  "); {
		case indented && !code:
			b.WriteString("\n    " + line)
			code = true
		case indented:
			b.WriteString("    " + line)
		default:
			if code {
				b.WriteString("\n")
			}
			b.WriteString(escape(line))
			code = false
		}
	}
	return b.String()
}

func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "<", `\<`, "[", `\[`, "]", `\]`).Replace(s)
}
