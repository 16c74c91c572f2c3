package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDist builds a release for this platform twice, and installs the Debian
// package into a folder.
func TestDist(t *testing.T) {
	for _, tool := range []string{"ar", "dpkg-deb", "sha256sum", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("a release is built with %s: %v", tool, err)
		}
	}
	if runtime.GOOS != "linux" {
		t.Skip("packages are built for Linux")
	}
	run := func(name string, argv ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, argv...)
		cmd.Env = append(os.Environ(), "VERSION=v1.2.3", "SOURCE_DATE_EPOCH=1700000000")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %q: %v\n%s", name, argv, err, out)
		}
		return string(out)
	}
	var sums []string
	dir := ""
	for range 2 {
		dir = t.TempDir()
		run("env", "DIST="+dir, "../../scripts/dist", "linux/"+runtime.GOARCH)
		text, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, string(text))
	}
	if diff := cmp.Diff(sums[0], sums[1]); diff != "" {
		t.Errorf("two builds differ (-first +second):\n%s", diff)
	}
	run("sh", "-c", "cd "+dir+" && sha256sum --check --strict SHA256SUMS")

	deb, root := filepath.Join(dir, "ims_1.2.3_"+runtime.GOARCH+".deb"), t.TempDir()
	run("dpkg-deb", "-x", deb, root)
	run("dpkg-deb", "-e", deb, filepath.Join(root, "DEBIAN"))
	run("sh", "-c", "cd "+root+" && md5sum --check --strict --quiet DEBIAN/md5sums")
	ims := filepath.Join(root, "usr/bin/ims")
	if got := run(ims, "--version"); got != "ims v1.2.3\n" {
		t.Errorf("the installed program says %q", got)
	}
	program, err := elf.Open(ims)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the program is not static")
		}
	}
	listed := run("dpkg-deb", "-c", deb)
	for _, f := range []string{
		"./usr/lib/systemd/system/ims-runner.service", "./usr/lib/systemd/system/ims-gateway.service", "./usr/lib/sysusers.d/ims.conf",
		"./usr/share/man/man1/ims-retire.1.gz", "./usr/share/bash-completion/completions/ims", "./usr/share/zsh/vendor-completions/_ims",
		"./usr/share/fish/vendor_completions.d/ims.fish", "./usr/share/ims/ims-v1.schema.json", "./usr/share/ims/q285090.yaml",
	} {
		if !strings.Contains(listed, f+"\n") {
			t.Errorf("the package has no %s", f)
		}
	}
	if strings.Contains(listed, "root/root") || !strings.Contains(listed, "0/0") {
		t.Errorf("files of the package do not belong to 0/0:\n%s", listed)
	}
	run("bash", "-n", filepath.Join(root, "usr/share/bash-completion/completions/ims"))
	for _, script := range []string{"postinst", "prerm", "postrm"} {
		run("sh", "-n", filepath.Join(root, "DEBIAN", script))
	}
}

// TestActionBuilds lets the action build the program itself.
func TestActionBuilds(t *testing.T) {
	w := &workflow{t: t, dir: kit(t, itself(t))}
	if code := w.uses(nil); code != 0 || w.output["verdict"] != "pass" {
		t.Errorf("the action ends with %d, verdict %q:\n%s", code, w.output["verdict"], &w.words)
	}
}
