package config

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"

	"example.org/ims/internal/strictyaml"
)

// system is what the reading of a configuration asks of the machine.
type system struct {
	stat func(path string) (fs.FileInfo, error)
	uid  func(user string) (uint32, error)
}

// Load reads the configuration at path. Mistakes in it come back, all of them,
// as strictyaml.Mistakes; another error says that it could not be read.
func Load(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return parse(path, filepath.Dir(abs), data, system{os.Stat, lookup})
}

func lookup(name string) (uint32, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	return uint32(uid), err
}

// parse reads a configuration whose relative paths are relative to dir.
func parse(file, dir string, data []byte, sys system) (*Config, error) {
	var doc document
	r := &reader{file: file, dir: dir, sys: sys}
	r.mistakes = strictyaml.Decode(file, data, &doc)
	r.writable(strictyaml.Pos{File: file, Line: 1, Col: 1}, file)
	c := r.config(&doc)
	if len(r.mistakes) > 0 {
		slices.SortStableFunc(r.mistakes, func(a, b strictyaml.Mistake) int {
			return cmp.Or(a.Pos.Line-b.Pos.Line, a.Pos.Col-b.Pos.Col)
		})
		return nil, r.mistakes
	}
	return c, nil
}

// writable refuses a file that others may write to.
func (r *reader) writable(pos strictyaml.Pos, path string) {
	info, err := r.sys.stat(path)
	switch {
	case err != nil:
		r.add(pos, "file", "%v", err)
	case info.Mode().Perm()&0o022 != 0:
		r.add(pos, "permissions", "%s may be written to by others (%v): chmod go-w %s", path, info.Mode().Perm(), path)
	}
}
