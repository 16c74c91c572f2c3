package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nobody is a uid that is not in people, viewer one that may look.
const (
	nobody = 65534
	viewer = 65533
)

const accessYAML = `apiVersion: ims/v1
kind: Config
state_dir: state
organization:
  domains: [example.test]
  mailhost: 127.0.0.1:9
gateways:
  east: {hostname: east.example.test, listen: "%[1]s", spaces: [{pattern: "*"}]}
  west: {hostname: west.example.test, listen: "%[2]s"}
zones:
  example.test: {server: "127.0.0.1:9", key_file: update.key, authorities: ["127.0.0.1:9"]}
resolver: {hosts: {west.example.test: "%[2]s"}}
retire: {successor: west, params: {poll: 20ms}}
people:
  lookout: {user: "65533", may: view}
`

const accessKey = `key "update" {
	algorithm hmac-sha256;
	secret "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
};
`

// asked is a command of another user, and what comes of it.
type asked struct {
	name     string
	uid, gid uint32
	argv     string
	code     int
	want     string // regular expression, in stdout or stderr
}

// TestOtherUsers runs the real process and asks it as other users: the kernel's
// word decides, and SIGTERM ends it well.
func TestOtherUsers(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	dir := publicFolder(t)
	serve(t, dir)
	perform(t, dir)
	root := uint32(0)
	ask(t, dir, []asked{
		{"nobody, outside the group", nobody, nobody, "gateway show east", 1, `this user may not open the control socket: .*permission denied`},
		{"nobody, inside the group", nobody, root, "gateway show east", 1, `uid 65534 is not known here: add it to people, as in \{user: 65534, may: view\}`},
		{"nobody changes", nobody, root, "gateway stop east --yes --reason x", 1, `uid 65534 is not known here`},
		{"a viewer looks", viewer, root, "gateway show east", 0, `gateway east: running`},
		{"a viewer asks for runs", viewer, root, "status", 0, `there is no run`},
		{"who is in the group reads the journal", nobody, root, "status", 0, `there is no run`},
		{"a viewer opens a run", viewer, root, "retire east --plain", 2, `lookout \(uid 65533\) may view, and this needs operate`},
		{"a viewer changes", viewer, root, "gateway pause east --reason x", 1, `lookout \(uid 65533\) may view, and this needs operate`},
		{"a viewer acts", viewer, root, "queue delete east --yes --reason x", 1, `lookout \(uid 65533\) may view, and this needs operate`},
		{"the service's own user changes", root, root, "gateway pause east --reason x", 0, `east: paused`},
	})
}

// TestPeopleLookWithoutARunner: who may read the state directory sees a run, and
// asks whether a gateway can go, while nobody is there to be asked.
func TestPeopleLookWithoutARunner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	dir := publicFolder(t)
	serve(t, dir)
	root := uint32(0)
	ask(t, dir, []asked{
		{"a run begins, and asks what root may not answer", root, root, "retire east --foreground --yes", 2, `QUESTION: Mail for the address spaces shown`},
		{"a viewer asks for runs", viewer, root, "status", 6, `(?s)NO RUNNER IS ALIVE.*run east-1: east -> west by q285090.*ready`},
		{"a viewer watches the run", viewer, root, "monitor --once", 6, `(?s)NO RUNNER IS ALIVE.*Outbound awaiting delivery +0`},
		{"a viewer watches the gateway", viewer, root, "monitor west --once", 0, `RUNNING, inbound-outbound`},
		{"a viewer asks whether it is safe", viewer, root, "preflight east", 2, `(?s)this user may not read the key of zone.*ims facts east --out`},
		{"who is not in the group watches", nobody, nobody, "monitor", 1, `permission denied`},
		{"who is not in the group watches the gateway", nobody, nobody, "monitor west --once", 6, `permission denied`},
	})
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "ims-journal-*")); len(left) > 0 || err != nil {
		t.Errorf("copies of the journal are left: %q, %v", left, err)
	}
}

// ask runs commands as other users.
func ask(t *testing.T, dir string, tests []asked) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := program(t.Context(), dir, strings.Fields(tt.argv)...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: tt.uid, Gid: tt.gid}}
			out, err := cmd.CombinedOutput()
			code := 0
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				code = exit.ExitCode()
			} else if err != nil {
				t.Fatal(err)
			}
			if code != tt.code || !regexp.MustCompile(tt.want).Match(out) {
				t.Errorf("ims %s = exit %d, want %d and %q in:\n%s", tt.argv, code, tt.code, tt.want, out)
			}
		})
	}
}

// publicFolder has a program and a configuration that every user can read.
func publicFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ims-access-") // t.TempDir lies in a folder that others cannot enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ports := newPorts()
	east, eastErr := ports.take()
	west, westErr := ports.take()
	if err := errors.Join(eastErr, westErr); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "ims.yaml")
	if err := errors.Join(
		os.Chmod(dir, 0o755),
		copyFile(self, filepath.Join(dir, "ims")),
		os.WriteFile(config, fmt.Appendf(nil, accessYAML, east, west), 0o600),
		os.Chmod(config, 0o644),
		os.WriteFile(filepath.Join(dir, "update.key"), []byte(accessKey), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	return dir
}

func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }() // it was only read
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close(), os.Chmod(to, 0o755))
}

func program(ctx context.Context, dir string, argv ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "ims"), append([]string{"--config", filepath.Join(dir, "ims.yaml")}, argv...)...)
	cmd.Dir = "/"
	return cmd
}

// serve runs the organization until the test ends.
func serve(t *testing.T, dir string) {
	t.Helper()
	cmd := program(context.WithoutCancel(t.Context()), dir, "gateway", "run")
	out := &firstLine{seen: make(chan struct{})}
	var words bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &words
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
			t.Errorf("end of gateway run after SIGTERM: %v, want none\n%s", err, &words)
		}
		if !strings.Contains(words.String(), "ims: stopped; mail in the stores stays there\n") {
			t.Errorf("gateway run ends with %q, want a word of it", &words)
		}
	})
	select {
	case <-out.seen:
	case <-time.After(patience):
		t.Fatal("gateway run prints nothing")
	}
}

// perform runs a runner until the test ends.
func perform(t *testing.T, dir string) {
	t.Helper()
	cmd := program(context.WithoutCancel(t.Context()), dir, "runner")
	log := &firstLine{seen: make(chan struct{})}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
			t.Errorf("end of the runner after SIGTERM: %v", err)
		}
	})
	select {
	case <-log.seen:
	case <-time.After(patience):
		t.Fatal("the runner logs nothing")
	}
}

// firstLine closes seen when something is written: what is printed is printed
// when every listener is open.
type firstLine struct {
	seen chan struct{}
	any  bool
}

func (f *firstLine) Write(b []byte) (int, error) {
	if !f.any {
		f.any = true
		close(f.seen)
	}
	return len(b), nil
}
