package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// action is what a workflow's runner reads of action.yml.
type action struct {
	Inputs  map[string]struct{ Default string }
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Using string
		Steps []struct {
			ID, Shell, Run string
			Env            map[string]string
		}
	}
}

// workflow runs a composite action as a workflow's runner does: each step with
// bash -eo pipefail, expressions replaced, outputs read from a file.
type workflow struct {
	t      *testing.T
	dir    string            // the workspace
	known  map[string]string // values of expressions
	words  strings.Builder   // stdout and stderr
	output map[string]string // of the action
}

var expression = regexp.MustCompile(`\$\{\{ *([a-z_.-]+) *\}\}`)

func (w *workflow) fill(s string) string {
	return expression.ReplaceAllStringFunc(s, func(e string) string {
		name := expression.FindStringSubmatch(e)[1]
		v, ok := w.known[name]
		if !ok {
			w.t.Fatalf("the action uses %s, which has no value", e)
		}
		return v
	})
}

// uses runs the action with inputs and returns the exit code of the step that
// failed, or 0.
func (w *workflow) uses(inputs map[string]string) int {
	w.t.Helper()
	path, err := filepath.Abs("../../.github/actions/ims-check")
	if err != nil {
		w.t.Fatal(err)
	}
	var a action
	text, err := os.ReadFile(filepath.Join(path, "action.yml"))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &a); err != nil || a.Runs.Using != "composite" {
		w.t.Fatalf("action.yml is %+v: %v", a, err)
	}
	w.known, w.output = map[string]string{"github.action_path": path}, map[string]string{}
	for name, in := range a.Inputs {
		w.known["inputs."+name] = in.Default
	}
	for name, v := range inputs {
		if _, ok := a.Inputs[name]; !ok {
			w.t.Fatalf("the action has no input %q", name)
		}
		w.known["inputs."+name] = v
	}
	code := 0
	for _, s := range a.Runs.Steps {
		out := filepath.Join(w.t.TempDir(), "output")
		cmd := exec.CommandContext(w.t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", w.fill(s.Run))
		cmd.Dir, cmd.Stdout, cmd.Stderr = w.dir, &w.words, &w.words
		cmd.Env = append(os.Environ(), "GITHUB_OUTPUT="+out, "GITHUB_STEP_SUMMARY="+filepath.Join(w.dir, "summary.md"), "RUNNER_TEMP="+w.t.TempDir())
		for k, v := range s.Env {
			cmd.Env = append(cmd.Env, k+"="+w.fill(v))
		}
		err := cmd.Run()
		lines, readErr := os.ReadFile(out)
		if readErr != nil && err == nil {
			w.t.Fatalf("step %s wrote no outputs: %v\n%s", s.ID, readErr, &w.words)
		}
		for line := range strings.Lines(string(lines)) {
			k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
			w.known["steps."+s.ID+".outputs."+k] = v
		}
		if err != nil {
			code = cmd.ProcessState.ExitCode()
			break
		}
	}
	for name, o := range a.Outputs {
		w.output[name] = w.fill(o.Value)
	}
	return code
}

// itself is a link to this test's own program, which is ims under that name.
func itself(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ims := filepath.Join(t.TempDir(), "ims")
	if err := os.Symlink(self, ims); err != nil {
		t.Fatal(err)
	}
	return ims
}

// kit is a folder with a runbook that is right and its traces.
func kit(t *testing.T, ims string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), ims, "runbook", "new", "small", "--dir", filepath.Join(dir, "runbooks")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

func replace(t *testing.T, file, old, wanted string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), old) {
		t.Fatalf("%s does not say %q: %v", file, old, err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), old, wanted, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestAction performs the action's own steps on a repository with runbooks.
func TestAction(t *testing.T) {
	tests := []struct {
		name         string
		spoil        [3]string // file, text, another text
		code         int
		verdict      string
		says, report string // in the log, and in the named report
	}{
		{"right", [3]string{}, 0, "pass", "### Proof of runbooks: pass", "check.sarif"},
		{"mistake", [3]string{"runbooks/small.yaml", "start: ready", "start: redy"}, 64, "malformed", "::error file=runbooks/small.yaml,line=40", "lint.xml"},
		{"violated", [3]string{"runbooks/small.yaml", "{action: queue.retry}", "{action: gateway.running, with: {running: stopped}}"}, 2, "fail", "violated: ", "check.xml"},
		{"another way", [3]string{"runbooks/traces/small.yaml", "operator (stall)", "done"}, 1, "fail", "::error file=runbooks/traces/small.yaml", "test.xml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ims := itself(t)
			w := &workflow{t: t, dir: kit(t, ims)}
			if tt.spoil[0] != "" {
				replace(t, filepath.Join(w.dir, tt.spoil[0]), tt.spoil[1], tt.spoil[2])
			}
			code := w.uses(map[string]string{"ims": ims})
			summary, err := os.ReadFile(filepath.Join(w.dir, "summary.md"))
			if err != nil {
				t.Fatal(err)
			}
			if said := w.words.String() + string(summary); code != tt.code || w.output["verdict"] != tt.verdict || !strings.Contains(said, tt.says) {
				t.Errorf("the action ends with %d, verdict %q, want %d, %q, and %q in:\n%s", code, w.output["verdict"], tt.code, tt.verdict, tt.says, said)
			}
			if _, err := os.Stat(filepath.Join(w.dir, w.output["reports"], tt.report)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestActionJudgesFacts lets the action judge saved facts beside the runbooks.
func TestActionJudgesFacts(t *testing.T) {
	const facts = `{"schema":"ims/facts/v1","gateway":"east","successor":"west","runbook":"q285090","domains":["example.test"],` +
		`"made":"2026-01-05T08:00:00Z","facts":[%s]}`
	const stopped = `{"name":"gw.running","value":"false","class":"config","source":"gateway east","provenance":"live",` +
		`"at":"2026-01-05T08:00:00Z","from":"2026-01-05T08:00:00Z"}`
	tests := []struct {
		name, facts, gateway string
		code                 int
		verdict, says        string
	}{
		{"nothing known", fmt.Sprintf(facts, ""), "", 6, "unknown", "### Preconditions of the retirement: unknown"},
		{"stopped", fmt.Sprintf(facts, stopped), "east", 2, "fail", "::error file=facts.json,line="},
		{"another gateway", fmt.Sprintf(facts, stopped), "west", 64, "malformed", `they are about gateway "east", not "west"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ims := itself(t)
			w := &workflow{t: t, dir: kit(t, ims)}
			if err := os.WriteFile(filepath.Join(w.dir, "facts.json"), []byte(tt.facts), 0o644); err != nil {
				t.Fatal(err)
			}
			code := w.uses(map[string]string{"ims": ims, "facts": "facts.json", "gateway": tt.gateway})
			summary, err := os.ReadFile(filepath.Join(w.dir, "summary.md"))
			if err != nil {
				t.Fatal(err)
			}
			if said := w.words.String() + string(summary); code != tt.code || w.output["verdict"] != tt.verdict || !strings.Contains(said, tt.says) {
				t.Errorf("the action ends with %d, verdict %q, want %d, %q, and %q in:\n%s", code, w.output["verdict"], tt.code, tt.verdict, tt.says, said)
			}
		})
	}
}

// hook is what pre-commit reads of a hook.
type hook struct {
	ID, Name, Entry, Language, Files string
}

// TestHooks runs each hook as pre-commit does: its entry, with the files of a
// commit that its pattern takes.
func TestHooks(t *testing.T) {
	text, err := os.ReadFile("../../.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var hooks []hook
	if err := yaml.Unmarshal(text, &hooks); err != nil {
		t.Fatal(err)
	}
	ims := itself(t)
	for _, tt := range []struct {
		name, id       string
		file, old, new string
		code           int
	}{
		{"right", "ims-runbook-lint", "", "", "", 0},
		{"right", "ims-runbook-check", "", "", "", 0},
		{"right", "ims-runbook-test", "", "", "", 0},
		{"mistake", "ims-runbook-lint", "runbooks/small.yaml", "start: ready", "start: redy", 64},
		{"violated", "ims-runbook-check", "runbooks/small.yaml", "{action: queue.retry}", "{action: gateway.running, with: {running: stopped}}", 2},
		{"another way", "ims-runbook-test", "runbooks/traces/small.yaml", "operator (stall)", "done", 1},
	} {
		t.Run(tt.name+" "+tt.id, func(t *testing.T) {
			dir := kit(t, ims)
			if tt.file != "" {
				replace(t, filepath.Join(dir, tt.file), tt.old, tt.new)
			}
			for _, h := range hooks {
				if h.ID != tt.id {
					continue
				}
				argv := strings.Fields(h.Entry)
				for _, f := range []string{"README.md", "runbooks/small.yaml", "runbooks/traces/small.yaml", "runbooks/runbook-v1.schema.json"} {
					if regexp.MustCompile(h.Files).MatchString(f) {
						argv = append(argv, f)
					}
				}
				if h.Language != "golang" || argv[0] != "ims" || len(argv) == len(strings.Fields(h.Entry)) {
					t.Fatalf("hook %+v takes %q", h, argv)
				}
				cmd := exec.CommandContext(t.Context(), ims, argv[1:]...)
				cmd.Dir = dir
				out, _ := cmd.CombinedOutput()
				if code := cmd.ProcessState.ExitCode(); code != tt.code {
					t.Errorf("%q ends with %d, want %d:\n%s", argv, code, tt.code, out)
				}
				return
			}
			t.Fatalf("there is no hook %s", tt.id)
		})
	}
}
