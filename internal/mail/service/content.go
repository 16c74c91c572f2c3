package service

import (
	"context"
	"errors"
	"fmt"
	"io"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
)

var _ gateway.Bodies = (*Gateway)(nil)

// sized is a message whose size is known.
type sized struct {
	io.ReadCloser
	size int64
}

// Size is the number of octets that are left to read at first.
func (s sized) Size() int64 { return s.size }

// Body implements gateway.Bodies. What it returns says its size in octets with
// a method Size() int64, so that one that breaks off on the way is noticed.
func (g *Gateway) Body(ctx context.Context, entry string) (io.ReadCloser, error) {
	err := ended(ctx)
	var e mail.Entry
	if err == nil {
		e, err = g.get(mail.ID(entry))
	}
	var b io.ReadCloser
	var size int64
	if err == nil {
		b, size, err = g.o.spool.Body(e.Message)
	}
	if errors.Is(err, spool.ErrNotFound) {
		err = fmt.Errorf("%w: %w", err, gateway.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read entry %s of gateway %q: %w", entry, g.name, err)
	}
	return sized{b, size}, nil
}
