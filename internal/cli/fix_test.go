package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.org/ims/pkg/runbook"
	"example.org/ims/runbooks"
)

// shellWords splits a command as a shell does that knows single quotes alone.
func shellWords(t *testing.T, line string) []string {
	t.Helper()
	var words []string
	for _, w := range regexp.MustCompile(`(?:'[^']*'|[^\s'])+`).FindAllString(line, -1) {
		words = append(words, strings.ReplaceAll(w, "'", ""))
	}
	return words
}

// commandOf parses a command line without its first word with the commands that
// there are. Where whole is false only its beginning is known.
func commandOf(words []string, whole bool) error {
	root := newRoot(testSession(io.Discard, io.Discard))
	cmd, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	if !whole && !strings.HasPrefix(strings.Join(rest, " "), "--") {
		rest = nil
	}
	if cmd.InitDefaultHelpFlag(); slices.Contains(rest, "--help") {
		return nil
	}
	if err := cmd.ParseFlags(rest); err != nil {
		if !whole && strings.Contains(err.Error(), "needs an argument") {
			return nil
		}
		return err
	}
	if !whole {
		return nil
	}
	if err := cmd.ValidateRequiredFlags(); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// TestEveryFixOfARunbookIsACommand wants what a shipped runbook tells people to
// type to be something that this program does.
func TestEveryFixOfARunbookIsACommand(t *testing.T) {
	names, err := fs.Glob(runbooks.FS, "*.yaml")
	if err != nil || len(names) != 7 {
		t.Fatalf("the shipped runbooks are %v, %v", names, err)
	}
	checked := map[string]bool{}
	inWords := regexp.MustCompile(`(?:^|: )(ims .*)$`)
	for _, name := range names {
		source, err := fs.ReadFile(runbooks.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		doc, mistakes := runbook.Load(name, source)
		if len(mistakes) > 0 {
			t.Fatal(mistakes)
		}
		book, mistakes := runbook.Bind(doc, runbook.Binding{Gateway: "east", Successor: "west", Domains: []string{"example.test"}})
		if len(mistakes) > 0 {
			t.Fatal(mistakes)
		}
		commands := 0
		for _, all := range book.Guards {
			for _, g := range all {
				found := inWords.FindStringSubmatch(g.Fix)
				if found == nil {
					if strings.Contains(g.Fix, "ims ") {
						t.Errorf("%s: %s: the command in the fix %q neither begins it nor ends it after a colon", name, g.Expr, g.Fix)
					}
					continue
				}
				commands++
				if checked[g.Fix] {
					continue
				}
				checked[g.Fix] = true
				if err := commandOf(shellWords(t, found[1])[1:], true); err != nil {
					t.Errorf("%s: %s: fix %q: %v", name, g.Expr, g.Fix, err)
				}
			}
		}
		if commands == 0 {
			t.Errorf("%s has no fix that is a command", name)
		}
	}
}

// TestEveryHintBeginsWithACommand wants every text in the program that begins as
// a command to begin as one that exists, as far as it is written out.
func TestEveryHintBeginsWithACommand(t *testing.T) {
	about := regexp.MustCompile(`^ims [a-z -]+: `) // says which command a mistake is of
	titles := []string{"ims spool", "ims configuration"}
	seen := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(source), `"ims `) {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, source, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, _ := strconv.Unquote(lit.Value)
			title := slices.ContainsFunc(titles, func(p string) bool { return strings.HasPrefix(text, p) })
			if !strings.HasPrefix(text, "ims ") || about.MatchString(text) || title {
				return true
			}
			seen++
			words := strings.Fields(text)[1:]
			if len(words) == 0 || strings.Contains(words[0], "%") {
				return true
			}
			if err := commandOf(cutAt(words), false); err != nil {
				t.Errorf("%s: %q: %v", files.Position(lit.Pos()), text, err)
			}
			return true
		})
		return nil
	})
	if err != nil || seen < 50 {
		t.Errorf("saw %d hints, %v", seen, err)
	}
}

// cutAt leaves out what a text does not write out: it is filled in later.
func cutAt(words []string) []string {
	if i := slices.IndexFunc(words, func(w string) bool { return strings.ContainsAny(w, "%…';") }); i >= 0 {
		return words[:i]
	}
	return words
}

// TestAFixThatIsNoCommandIsSeen holds the two tests above to what they are for.
func TestAFixThatIsNoCommandIsSeen(t *testing.T) {
	for line, fails := range map[string]bool{
		"status":                     false,
		"status --ledger":            false,
		"status --legder":            true,
		"gateway list":               true,
		"gateway show":               false,
		"abort":                      true,
		"abort RUN":                  false,
		"queue list east --store in": false,
		"queue list":                 true,
		"route add west --pattern '*' --cost 1 --reason 'retire east'": false,
	} {
		if err := commandOf(shellWords(t, line), true); (err != nil) != fails {
			t.Errorf("ims %s: %v, want an error: %v", line, err, fails)
		}
	}
}
