package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"example.org/ims/internal/access"
	"example.org/ims/internal/output"
	"example.org/ims/pkg/gateway"
)

func TestOneGateway(t *testing.T) {
	for argv, want := range map[[2]string]string{
		{"west", "SMTP:*"}:       "remove west --pattern '*' --reason …",
		{"west", "*@a.test"}:     "remove west --pattern '*@a.test' --reason …",
		{"west", "X400:c=de;a="}: "remove west --type X400 --pattern 'c=de;a=' --reason …",
	} {
		err := oneGateway(&cobra.Command{Use: "remove"}, argv[:])
		if said, ok := errors.AsType[*output.Error](err); !ok || said.Hint != want || output.KindOf(err) != output.Usage {
			t.Errorf("%q: %#v, want the hint %q", argv, err, want)
		}
	}
	if err := oneGateway(&cobra.Command{Use: "remove"}, []string{"west"}); err != nil {
		t.Error(err)
	}
}

func TestMayWrite(t *testing.T) {
	file := t.TempDir() + "/east-1.html"
	d := &reportData{Run: "east-1", Page: file}
	if err := d.mayWrite(false); err != nil {
		t.Errorf("a new file: %v", err)
	}
	if err := writeFile(file, []byte("evidence")); err != nil {
		t.Fatal(err)
	}
	if err := d.mayWrite(false); output.KindOf(err) != output.Blocked {
		t.Errorf("an existing file: %v, want blocked", err)
	}
	if err := d.mayWrite(true); err != nil {
		t.Errorf("with --force: %v", err)
	}
	d.Untracked = "no answer"
	if err := d.mayWrite(true); output.KindOf(err) != output.Unknown {
		t.Errorf("an untracked page, with --force: %v, want unknown", err)
	}
}

// TestWhatWasNotMeantIsAMistake: a word that stands for something, and a command
// that there is under another name, with flags of that.
func TestWhatWasNotMeantIsAMistake(t *testing.T) {
	for line, want := range map[string]string{
		"route connect west --site branch --via HOST --cost 1 --reason t": "ims route connect: --via HOST: HOST is a placeholder: put what is meant in its place",
		"route connect west --site SITE --via a.test --cost 1 --reason t": "ims route connect: --site SITE: SITE is a placeholder: put what is meant in its place",
		"route add west --pattern PATTERN --cost 1 --reason t":            "ims route add: --pattern PATTERN: PATTERN is a placeholder: put what is meant in its place",
		"gateway unpause west --reason t":                                 `unknown command "unpause" for "ims gateway"; did you mean "resume"?`,
		"gateway pasue west --reason t":                                   `unknown command "pasue" for "ims gateway"; did you mean "pause"?`,
		"gateway --reason t":                                              "ims gateway: unknown flag: --reason",
	} {
		root := newRoot(testSession(io.Discard, io.Discard))
		root.SetArgs(strings.Fields(line))
		if err := root.ExecuteContext(t.Context()); err == nil || err.Error() != want || output.KindOf(err) != output.Usage {
			t.Errorf("ims %s: %v, want\n%s", line, err, want)
		}
	}
}

// TestWhoMayNotIsRefused: an answer that people keeps from somebody is refused like
// one that a guard refuses, and a look is no change.
func TestWhoMayNotIsRefused(t *testing.T) {
	told := telling("east-1", fmt.Errorf("user op may operate, not approve: %w", access.ErrDenied))
	if output.KindOf(told) != output.Blocked {
		t.Errorf("%v is %s, want blocked", told, output.KindOf(told))
	}
	read := reading(fmt.Errorf("%w: %w", access.ErrDenied, gateway.ErrRefused))
	if got, want := read.Error(), "access denied"; got != want {
		t.Errorf("a look that is denied: %q, want %q", got, want)
	}
}
