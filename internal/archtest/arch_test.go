package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	module   = "example.org/ims/"
	root     = "../.."
	maxLines = 400
)

// file is a Go file of the module.
type file struct {
	room, path string
	test       bool
	imports    []string
	lines      int
	generated  bool
	doc        bool // has a package comment
	clocks     []string
}

var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// files reads every Go file of the module, nested modules left out.
func files(t *testing.T) []file {
	t.Helper()
	var all []file
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return fmt.Errorf("walk %q: %w", p, err)
		}
		if d.IsDir() {
			if rel == "." {
				return nil
			}
			_, nested := os.Stat(filepath.Join(p, "go.mod"))
			if nested == nil || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") || rel == "build" {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(p, ".go") {
			f, err := read(p, filepath.ToSlash(rel))
			if err != nil {
				return err
			}
			all = append(all, f)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("found %d Go files under %s: the test looks in the wrong place", len(all), root)
	}
	return all
}

func read(name, rel string) (file, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return file{}, fmt.Errorf("read source: %w", err)
	}
	f := file{
		room: path.Dir(rel), path: rel, test: strings.HasSuffix(rel, "_test.go"),
		lines: bytes.Count(src, []byte("\n")), generated: generated.Match(src),
	}
	mode := parser.ImportsOnly | parser.ParseComments
	isPure := slices.Contains(pure, f.room) && !f.test
	if isPure {
		mode = parser.SkipObjectResolution | parser.ParseComments
	}
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, name, src, mode)
	if err != nil {
		return file{}, fmt.Errorf("parse source: %w", err)
	}
	f.doc = tree.Doc != nil
	for _, spec := range tree.Imports {
		f.imports = append(f.imports, strings.Trim(spec.Path.Value, `"`))
	}
	if isPure {
		f.clocks = clocks(fset, tree)
	}
	return f, nil
}

// clocks lists the places where a file asks what time it is.
func clocks(fset *token.FileSet, tree *ast.File) []string {
	forbidden := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
	var found []string
	ast.Inspect(tree, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(forbidden, sel.Sel.Name) {
				found = append(found, fmt.Sprintf("%d: time.%s", fset.Position(n.Pos()).Line, sel.Sel.Name))
			}
		}
		return true
	})
	return found
}

func TestArrows(t *testing.T) {
	said := map[string]bool{}
	for _, f := range files(t) {
		r, ok := house[f.room]
		if !ok {
			if !said[f.room] {
				t.Errorf("%s has no place in the house: decide what it may import, and write it with the reasons into internal/archtest/rooms.go", f.room)
			}
			said[f.room] = true
			continue
		}
		for _, imp := range f.imports {
			to, ours := strings.CutPrefix(imp, module)
			if !ours || to == f.room {
				continue
			}
			if !r.admits(to, f.test) {
				t.Errorf("%s imports %s: there is no such arrow. %s may import %v, its tests also %v", f.path, to, f.room,
					slices.Sorted(maps.Keys(r.imports)), slices.Sorted(maps.Keys(r.tests)))
			}
		}
	}
}

func (r room) admits(to string, test bool) bool {
	_, ok := r.imports[to]
	if test && !ok {
		_, ok = r.tests[to]
	}
	return ok || r.knowsAll && !strings.HasSuffix(to, "test")
}

func TestEveryArrowHasAReason(t *testing.T) {
	for name, r := range house {
		for _, list := range []arrows{r.imports, r.tests} {
			for to, why := range list {
				if why == "" {
					t.Errorf("%s → %s has no reason", name, to)
				}
			}
		}
	}
}

func TestThirdPartyModulesStayInTheirRooms(t *testing.T) {
	for _, f := range files(t) {
		for _, imp := range f.imports {
			first, _, _ := strings.Cut(imp, "/")
			if !strings.Contains(first, ".") || strings.HasPrefix(imp, module) {
				continue
			}
			mod, ok := moduleOf(imp)
			if !ok {
				t.Errorf("%s imports %s, which no room may: decide where it belongs, in internal/archtest/rooms.go", f.path, imp)
				continue
			}
			if !admits(confined[mod].rooms, f) {
				t.Errorf("%s imports %s, which is confined to %v: %s", f.path, imp, confined[mod].rooms, confined[mod].why)
			}
		}
	}
}

func moduleOf(imp string) (string, bool) {
	for mod := range confined {
		if imp == mod || strings.HasPrefix(imp, mod+"/") {
			return mod, true
		}
	}
	return "", false
}

func admits(rooms []string, f file) bool {
	return slices.ContainsFunc(rooms, func(r string) bool {
		return r == f.room || strings.HasPrefix(f.room, r+"/") || r == "*_test" && f.test
	})
}

// TestTheMachineIsPure follows the machine's imports to their ends: what the
// checker proves must be what the engine performs, so nothing below may depend
// on time, chance or the world.
func TestTheMachineIsPure(t *testing.T) {
	imports := map[string][]string{}
	for _, f := range files(t) {
		if !f.test {
			imports[f.room] = append(imports[f.room], f.imports...)
		}
	}
	todo, seen := []string{"pkg/machine"}, map[string]bool{}
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		if seen[at] {
			continue
		}
		seen[at] = true
		if at != "pkg/machine" && at != "pkg/facts" {
			t.Errorf("pkg/machine depends on %s", at)
		}
		for _, imp := range imports[at] {
			first, _, _ := strings.Cut(imp, "/")
			switch to, ours := strings.CutPrefix(imp, module); {
			case ours:
				todo = append(todo, to)
			case strings.Contains(first, "."):
				t.Errorf("pkg/machine depends on %s, by %s", imp, at)
			case slices.Contains([]string{"net", "os", "io", "context", "sync", "log", "math/rand", "crypto", "unsafe", "reflect", "syscall", "runtime"}, first), imp == "math/rand", imp == "math/rand/v2":
				t.Errorf("pkg/machine depends on %s, by %s: it is a function of its arguments", imp, at)
			}
		}
	}
	if !seen["pkg/facts"] {
		t.Error("pkg/machine no longer imports pkg/facts: is the test looking at it?")
	}
}

func TestPureRoomsHaveNoClock(t *testing.T) {
	for _, f := range files(t) {
		for _, c := range f.clocks {
			t.Errorf("%s:%s: time enters this room as an argument", f.path, c)
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	for _, f := range files(t) {
		if f.lines > maxLines && !f.generated {
			t.Errorf("%s has %d lines, more than %d: is it one subject?", f.path, f.lines, maxLines)
		}
	}
}

func TestEveryRoomHasAPackageComment(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range files(t) {
		if !f.test {
			documented[f.room] = documented[f.room] || f.doc
		}
	}
	for r, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment: say what it is and what it refuses to do", r)
		}
	}
}

// TestTheMapOfTheReadmeIsComplete wants every room in README.md's map: a line
// that begins with the room's path, or with that of a folder above it and
// names the rest.
func TestTheMapOfTheReadmeIsComplete(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(readme, []byte("\n")); n > 120 {
		t.Errorf("README.md has %d lines, more than 120", n)
	}
	_, after, _ := strings.Cut(string(readme), "## Rooms")
	plan, _, _ := strings.Cut(after, "\n## ")
	seen := map[string]bool{}
	for _, f := range files(t) {
		if !seen[f.room] && !mapped(plan, f.room) {
			t.Errorf("README.md's map does not show %s", f.room)
		}
		seen[f.room] = true
	}
}

func mapped(plan, room string) bool {
	for line := range strings.Lines(plan) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		head := strings.Trim(fields[0], "/")
		if head == room {
			return true
		}
		if rest, below := strings.CutPrefix(room, head+"/"); below {
			if slices.Contains(strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" ,:;.()\n", r) }), rest) {
				return true
			}
		}
	}
	return false
}
