package readonly

import (
	"context"
	"io"

	"example.org/ims/pkg/gateway"
)

var _ gateway.Bodies = (*Gateway)(nil)

// Body implements gateway.Bodies.
func (g *Gateway) Body(ctx context.Context, entry string) (io.ReadCloser, error) {
	b, ok := g.Gateway.(gateway.Bodies)
	if !ok {
		return nil, lacks("bodies")
	}
	return b.Body(ctx, entry)
}
