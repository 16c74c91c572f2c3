package fault

import (
	"context"
	"io"

	"example.org/ims/pkg/gateway"
)

var _ gateway.Bodies = (*Gateway)(nil)

// Body implements gateway.Bodies. A fault After has opened the message in vain.
func (g *Gateway) Body(ctx context.Context, entry string) (io.ReadCloser, error) {
	return able(ctx, g, Call{Method: "Body"}, func(b gateway.Bodies) (io.ReadCloser, error) { return b.Body(ctx, entry) })
}
