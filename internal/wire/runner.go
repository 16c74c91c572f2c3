package wire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/runbook"
	"example.org/ims/runbooks"
)

// runSite is a configuration as a runner wants it.
type runSite struct{ *site }

var _ runner.Site = runSite{}

// Runbook implements runner.Site: a shipped one by its name, or a file. The file
// name of a shipped one, which saved plans carry, is that one unless there is
// such a file.
func (s runSite) Runbook(name string) (file string, source []byte, err error) {
	name = cmp.Or(name, s.cfg.Retire.Runbook)
	if strings.ContainsRune(name, filepath.Separator) || filepath.Ext(name) == ".yaml" {
		source, err = readGuarded(name)
		if !errors.Is(err, os.ErrNotExist) || strings.ContainsRune(name, filepath.Separator) {
			return name, source, err
		}
	}
	file = strings.TrimSuffix(name, ".yaml") + ".yaml"
	if source, err = runbooks.FS.ReadFile(file); err != nil {
		return "", nil, fmt.Errorf("there is no shipped runbook %q: see ims runbook list", name)
	}
	return file, source, nil
}

// Bind implements runner.Site.
func (s runSite) Bind(ctx context.Context, r runner.Request) (runbook.Binding, []string, error) {
	doc, err := s.document(r.Runbook)
	if err != nil {
		return runbook.Binding{}, nil, err
	}
	b, err := s.bind(r, doc)
	if err != nil {
		return b, nil, err
	}
	leases, err := s.leases(ctx, b.Gateway, b.Successor)
	return b, leases, err
}

// Epoch implements runner.Site.
func (s runSite) Epoch(ctx context.Context, b runbook.Binding) (epoch uint64, err error) {
	for _, name := range []string{b.Gateway, b.Successor} {
		if name == "" {
			continue
		}
		c, err := s.gateway(name).Config(ctx)
		if err != nil {
			return 0, fmt.Errorf("read configuration of gateway %q: %w", name, err)
		}
		epoch = max(epoch, c.Epoch)
	}
	return epoch, nil
}

// World implements runner.Site.
func (s runSite) World(_ context.Context, book *runbook.Book) (engine.World, error) {
	return s.world(book)
}

// book binds a runbook as a run would.
func (s runSite) book(r runner.Request) (*runbook.Book, error) {
	doc, err := s.document(r.Runbook)
	if err != nil {
		return nil, err
	}
	b, err := s.bind(r, doc)
	if err != nil {
		return nil, err
	}
	book, mistakes := runbook.Bind(doc, b)
	return book, mistakes.Err()
}

// document loads a runbook by its name.
func (s runSite) document(name string) (*runbook.Doc, error) {
	file, source, err := s.Runbook(name)
	if err != nil {
		return nil, err
	}
	doc, mistakes := runbook.Load(file, source)
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return doc, nil
}

// readGuarded reads a runbook that only its owner may have written.
func readGuarded(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("read runbook: %w", err)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("runbook %s may be written to by others (%v): chmod go-w %s", name, info.Mode().Perm(), name)
	}
	return os.ReadFile(name)
}
