package delivery_test

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	smtp "github.com/emersion/go-smtp"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/delivery"
)

// drained is a store that counts down.
type drained struct {
	*world
	left chan struct{}
}

func (d *drained) Done(_ context.Context, rs []delivery.Result) error {
	for range rs {
		d.left <- struct{}{}
	}
	return nil
}

// BenchmarkDrain delivers messages of 4 KiB to 100 destinations over pipes.
func BenchmarkDrain(b *testing.B) {
	w := newWorld(b)
	body := "Subject: x\r\n\r\n" + strings.Repeat("0123456789 0123456789 0123456789 0123456789 0123456789 01234567\r\n", 66)
	h := w.host("10.0.0.1:25")
	h.srv.Backend = smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return discard{}, nil })
	for d := range 100 {
		w.route("10.0.0.1:25", fmt.Sprintf("d%d.example", d))
	}
	w.bodies["m"] = body
	st := &drained{w, make(chan struct{}, b.N)}
	s := w.scheduler(func(o *delivery.Options) { o.Store = st })
	s.Pause()
	for i := range b.N {
		e := mail.Entry{ID: mail.ID(strconv.Itoa(i)), Message: "m", Dest: fmt.Sprintf("d%d.example", i%100), Accepted: w.start}
		e.Rcpts = []mail.Rcpt{{Addr: "u@" + e.Dest}}
		s.Add(e)
	}
	b.SetBytes(int64(len(body)))
	b.ResetTimer()
	s.Resume()
	for range b.N {
		<-st.left
	}
	b.StopTimer()
	stop(b, s)
	w.close()
}

type discard struct{}

func (discard) Reset()                               {}
func (discard) Logout() error                        { return nil }
func (discard) Mail(string, *smtp.MailOptions) error { return nil }
func (discard) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (discard) Data(r io.Reader) error               { _, err := io.Copy(io.Discard, r); return err }
