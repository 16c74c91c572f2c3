package server

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// load reads the zone file; nil without error if there is none.
func load(apex, path string) (*data, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load zone: %w", err)
	}
	d, err := parse(apex, string(b))
	if err != nil {
		return nil, fmt.Errorf("load zone file %q: %w", path, err)
	}
	return d, nil
}

// save replaces the zone file in one step, durably: a crash leaves the old or
// the new one.
func (d *data) save(path string) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("save zone: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriter(f)
	if err := d.write(w); err != nil {
		return fmt.Errorf("save zone: %w", err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("save zone: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("save zone: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("save zone: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("save zone: %w", err)
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("save zone: %w", err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("save zone: %w", err)
	}
	return nil
}
