package cli

import (
	"errors"
	"testing"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
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
