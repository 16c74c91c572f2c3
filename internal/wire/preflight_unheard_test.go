package wire

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"syscall"
	"testing"

	"example.org/ims/internal/config"
	"example.org/ims/pkg/gateway"
)

// TestSilenceIsNotBlamedOnTheKey: who does not answer has not looked at the key.
func TestSilenceIsNotBlamedOnTheKey(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, true},
		{&gateway.SilentError{}, true},
		{io.EOF, true},
		{&fs.PathError{Op: "open", Path: "key", Err: syscall.ENOENT}, false},
		{errors.New("dns: bad xfr rcode: 5"), false},
		{errors.New("dns: bad signature"), false},
	} {
		if got := unheard(config.Zone{Name: "example.test", Server: "192.0.2.53:53"}, fmt.Errorf("transfer zone: %w", tt.err)) != ""; got != tt.want {
			t.Errorf("%v: is silence %v, want %v", tt.err, got, tt.want)
		}
	}
}
