package probe

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/facts"
)

var (
	notBefore = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	notAfter  = time.Date(2046, 1, 1, 0, 0, 0, 0, time.UTC)
)

// certificate is one for a name, signed by itself.
func certificate(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: notBefore, NotAfter: notAfter,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// host is a mail host that knows one recipient, and fails the test if it is
// ever given a message.
type host struct{ t *testing.T }

func (h host) NewSession(*smtp.Conn) (smtp.Session, error) { return h, nil }
func (h host) Reset()                                      {}
func (h host) Logout() error                               { return nil }
func (h host) Mail(string, *smtp.MailOptions) error        { return nil }

func (h host) Rcpt(to string, _ *smtp.RcptOptions) error {
	switch {
	case strings.HasPrefix(to, "known@"):
		return nil
	case strings.HasPrefix(to, "gray@"):
		return &smtp.SMTPError{Code: 450, Message: "later"}
	}
	return &smtp.SMTPError{Code: 550, Message: "no such user"}
}

func (h host) Data(io.Reader) error {
	h.t.Error("the probe sends a message")
	return nil
}

// serve starts a mail host on loopback and returns its address.
func serve(t *testing.T, size int64, conf *tls.Config) string {
	t.Helper()
	s := smtp.NewServer(host{t})
	s.Domain, s.MaxMessageBytes, s.TLSConfig = "host.test", size, conf
	s.ErrorLog = quiet{}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
		<-done
	})
	return ln.Addr().String()
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func TestReception(t *testing.T) {
	at := serve(t, 1<<20, nil)
	p := &Prober{Helo: "test"}
	got, err := p.Reception(t.Context(), at, []string{"known@x.test", "stranger@x.test", "gray@x.test"})
	want := Reception{SizeKnown: true, Size: 1 << 20, Replies: []Reply{
		{facts.ReplyAccept, "250"}, {facts.ReplyPermanent, "550 no such user"}, {facts.ReplyTemporary, "450 later"},
	}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("reception differs (-want +got), %v:\n%s", err, diff)
	}
}

func TestReceptionSendsNoMessage(t *testing.T) {
	var heard []string
	p := &Prober{Helo: "test", Dial: script(map[string]string{"greeting": "220 gw", "EHLO": "250-gw\r\n250-SIZE\r\n250 STARTTLS", "QUIT": "221 bye"}, &heard)}
	got, err := p.Reception(t.Context(), "gw:25", []string{"a@x.test", "b@x.test"})
	if err != nil || !got.StartTLS || got.SizeKnown {
		t.Errorf("Reception() = %+v, %v; SIZE alone declares no limit", got, err)
	}
	want := "EHLO ims-probe.test|MAIL FROM:<>|RCPT TO:<a@x.test>|RCPT TO:<b@x.test>|RSET|EHLO ims-probe.test|QUIT"
	if s := strings.Join(heard, "|"); s != want {
		t.Errorf("the listener heard %q, want %q", s, want)
	}
}

func TestReceptionThatEndsEarly(t *testing.T) {
	tests := []struct {
		name    string
		replies map[string]string
		want    Reception
	}{
		{"greeting", map[string]string{"greeting": "421 4.3.2 retiring"}, Reception{Refused: Reply{facts.ReplyTemporary, "421 4.3.2 retiring"}}},
		{"sender", map[string]string{"greeting": "220 gw", "MAIL": "550 5.7.1 no"}, Reception{Refused: Reply{facts.ReplyPermanent, "550 5.7.1 no"}}},
		{"no limit", map[string]string{"greeting": "220 gw", "EHLO": "250-gw\r\n250 SIZE 0", "RCPT": "250 ok"}, Reception{SizeKnown: true, Replies: []Reply{{facts.ReplyAccept, "250"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var heard []string
			p := &Prober{Helo: "test", Dial: script(tt.replies, &heard)}
			got, err := p.Reception(t.Context(), "gw:25", []string{"a@x.test"})
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("reception differs (-want +got), %v:\n%s", err, diff)
			}
		})
	}
	refused := &Prober{Dial: func(context.Context, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}}
	if got, err := refused.Reception(t.Context(), "gw:25", nil); err != nil || !got.Closed {
		t.Errorf("refused connection: %+v, %v, want closed", got, err)
	}
	silent := &Prober{Timeout: time.Nanosecond, Dial: func(context.Context, string) (net.Conn, error) {
		client, _ := net.Pipe()
		return client, nil
	}}
	if got, err := silent.Reception(t.Context(), "gw:25", nil); err == nil {
		t.Errorf("silent listener: %+v, want an error", got)
	}
}

func TestCertificate(t *testing.T) {
	conf := &tls.Config{Certificates: []tls.Certificate{certificate(t, "west.example.test")}}
	at := serve(t, 0, conf)
	p := &Prober{Helo: "test"}
	got, err := p.Certificate(t.Context(), at, "west.example.test")
	want := Certificate{Offered: true, Covers: true, NotBefore: notBefore, NotAfter: notAfter}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("certificate differs (-want +got), %v:\n%s", err, diff)
	}
	got, err = p.Certificate(t.Context(), at, "east.example.test")
	if err != nil || got.Covers || !strings.Contains(got.Why, "west.example.test") {
		t.Errorf("for another name: %+v, %v, want the names that it covers", got, err)
	}
	got, err = p.Certificate(t.Context(), serve(t, 0, nil), "west.example.test")
	if diff := cmp.Diff(Certificate{}, got); diff != "" || err != nil {
		t.Errorf("without STARTTLS (-want +got), %v:\n%s", err, diff)
	}
}

func TestCertificateThatCannotBeSeen(t *testing.T) {
	broken := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("none today") }}
	p := &Prober{Helo: "test"}
	got, err := p.Certificate(t.Context(), serve(t, 0, broken), "west.example.test")
	if err != nil || !got.Offered || !strings.Contains(got.Failed, "handshake") {
		t.Errorf("broken handshake: %+v, %v", got, err)
	}
	var heard []string
	p.Dial = script(map[string]string{"greeting": "220 gw", "EHLO": "250-gw\r\n250 STARTTLS", "STARTTLS": "454 4.7.0 not now"}, &heard)
	got, err = p.Certificate(t.Context(), "gw:25", "gw")
	if err != nil || !got.Offered || !strings.Contains(got.Failed, "454") {
		t.Errorf("refused STARTTLS: %+v, %v", got, err)
	}
	p.Dial = script(map[string]string{"greeting": "220 gw", "EHLO": "250-gw\r\n250 STARTTLS", "STARTTLS": "220 go\r\n250 injected"}, &heard)
	got, err = p.Certificate(t.Context(), "gw:25", "gw")
	if err != nil || got.Failed == "" {
		t.Errorf("words injected before TLS: %+v, %v", got, err)
	}
}
