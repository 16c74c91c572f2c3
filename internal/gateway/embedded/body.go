package embedded

import (
	"context"
	"io"

	"example.org/ims/pkg/gateway"
)

var _ gateway.Bodies = (*Gateway)(nil)

// Body implements gateway.Bodies.
func (g *Gateway) Body(ctx context.Context, entry string) (io.ReadCloser, error) {
	body, err := g.client.Body(ctx, g.name, entry)
	return body, g.wrap("read a message of", err)
}
