package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"

	"example.org/ims/internal/config"
	"example.org/ims/pkg/gateway"
)

// unheard is what helps if a zone was not transferred because its server does not
// answer; "" if it did, and refused the key or sent what is no zone.
func unheard(z config.Zone, err error) string {
	if !silence(err) {
		return ""
	}
	return fmt.Sprintf("name server %s does not answer: see that it runs and is reachable from here, or name another in zones.%s.server of ims.yaml", z.Server, z.Name)
}

// silence reports whether an error is that nobody answered.
func silence(err error) bool {
	if _, file := errors.AsType[*fs.PathError](err); file { // the key could not be read
		return false
	}
	_, network := errors.AsType[net.Error](err)
	_, silent := errors.AsType[*gateway.SilentError](err)
	return network || silent || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
