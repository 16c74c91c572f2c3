package delivery_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"testing"
	"testing/synctest"
	"time"

	smtp "github.com/emersion/go-smtp"

	"example.org/ims/internal/mail/delivery"
)

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestStartTLS(t *testing.T) {
	cert := certificate(t)
	tests := []struct {
		name   string
		config *tls.Config
		want   bool
		conns  int
	}{
		{"offered", &tls.Config{Certificates: []tls.Certificate{cert}}, true, 1},
		{"not offered", nil, false, 1},
		{"offered and broken", &tls.Config{}, false, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			play(t, func(t *testing.T, w *world) {
				h := w.host("10.0.0.1:25")
				h.srv.TLSConfig = tt.config
				secured := false
				h.srv.Backend = smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
					_, yes := c.TLSConnectionState()
					return &session{h: h}, h.ask(func() error { secured = yes; return nil })
				})
				w.route("10.0.0.1:25", "a.example")
				s := w.scheduler(func(o *delivery.Options) { o.StartTLS = true })
				s.Add(w.entry("m1", "a.example", "u"))
				pass(time.Second)
				wantLines(t, w, "0s u@a.example delivered 2.0.0")
				_ = h.ask(func() error {
					if secured != tt.want || h.conns != tt.conns {
						t.Errorf("secured %v over %d connections, want %v over %d", secured, h.conns, tt.want, tt.conns)
					}
					return nil
				})
				stop(t, s)
			})
		})
	}
}

// What a man in the middle sends before the handshake must not be taken for
// the host's words after it.
func TestStartTLSInjection(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.host("10.0.0.1:25").raw = func(c net.Conn) {
			defer func() { _ = c.Close() }()
			in := bufio.NewScanner(c)
			for _, r := range []string{"220 hi", "250-mx\r\n250 STARTTLS", "220 go\r\n250 injected"} {
				if _, err := fmt.Fprintf(c, "%s\r\n", r); err != nil || !in.Scan() {
					return
				}
			}
		}
		w.route("10.0.0.1:25", "a.example")
		s := w.scheduler(func(o *delivery.Options) { o.StartTLS = true })
		s.Add(w.entry("m1", "a.example", "u"))
		synctest.Wait()
		if n := len(w.dialed()); n != 2 {
			t.Errorf("%d dials, want a second one in the clear", n)
		}
		stop(t, s)
	})
}
