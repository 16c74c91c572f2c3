package mem

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"example.org/ims/pkg/gateway"
)

var _ gateway.Bodies = (*Gateway)(nil)

// Body implements gateway.Bodies. Messages here are their id and as many lines
// as their size wants.
func (g *Gateway) Body(ctx context.Context, id string) (io.ReadCloser, error) {
	if err := g.reach(ctx); err != nil {
		return nil, err
	}
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	i := slices.IndexFunc(g.entries, func(e *entry) bool { return e.id == id })
	if i < 0 {
		return nil, fmt.Errorf("mem: read entry %q of gateway %q: %w", id, g.name, gateway.ErrNotFound)
	}
	e := g.entries[i]
	text := fmt.Sprintf("Message-ID: <%s@mem.invalid>\r\nFrom: <%s>\r\n\r\n", e.message, e.from)
	const line = "all work and no play\r\n"
	if rest := int(e.size) - len(text); rest > 0 {
		text += strings.Repeat(line, rest/len(line))
	}
	return io.NopCloser(bytes.NewReader([]byte(text))), nil
}
