package lab

import (
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net"
)

// Where the ports of labs are: below the range from which the kernel takes the
// ports of outgoing connections, because a listener that is restarted must find
// its port free. Each lab has a block of them, and listens at the first one,
// for nothing but to keep other labs away: most of its listeners begin later,
// some end and begin again, and one host is to be down.
const (
	lowest, highest = 16000, 32000
	block           = 16
)

// freePorts takes a block whose ports nobody listens at, for one listener of
// each name. It is the caller's until guard is closed.
func freePorts(names []string) (ports map[string]int, guard io.Closer, err error) {
	const blocks = (highest - lowest) / block
	if len(names) >= block {
		return nil, nil, fmt.Errorf("find %d free ports: a lab has %d", len(names), block-1)
	}
	first := mrand.IntN(blocks) //nolint:gosec // no secret
	for i := range blocks {
		base := lowest + (first+i)%blocks*block
		guard, err := net.Listen("tcp", at(base))
		if err != nil {
			continue
		}
		ports, all := map[string]int{}, true
		for k, name := range names {
			ports[name] = base + 1 + k
			all = all && free(base+1+k)
		}
		if all {
			return ports, guard, nil
		}
		if err := guard.Close(); err != nil {
			return nil, nil, fmt.Errorf("find free ports: %w", err)
		}
	}
	return nil, nil, fmt.Errorf("find %d free ports: no block of %d is free from %d to %d", len(names), block, lowest, highest)
}

func at(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// free reports whether a port is free for TCP and UDP.
func free(port int) bool {
	t, err := net.Listen("tcp", at(port))
	if err != nil {
		return false
	}
	u, err := net.ListenPacket("udp", at(port))
	if err != nil {
		_ = t.Close()
		return false
	}
	return errors.Join(t.Close(), u.Close()) == nil
}
