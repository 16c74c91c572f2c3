package service

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-smtp"
)

// BenchmarkAccept measures durable accepts over TCP: the 250 to the end of the
// data comes after the commit, which concurrent sessions share.
func BenchmarkAccept(b *testing.B) {
	message := append([]byte("Subject: load\r\n\r\n"), bytes.Repeat([]byte("sixty-two octets of text and then a line end, sixty-two of it\r\n"), 64)...)
	for _, sessions := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("sessions=%d", sessions), func(b *testing.B) {
			s := &sockets{ports: map[string]string{}}
			o, err := Open(b.Context(), config(), Deps{
				Spool: b.TempDir(), Resolver: s, Listen: s.listen,
				Dial: func(context.Context, string) (net.Conn, error) { return nil, net.ErrClosed },
			})
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan error, 1)
			go func() { done <- o.Run(ctx) }()
			<-o.Ready()
			var left atomic.Int64
			left.Store(int64(b.N))
			b.SetBytes(int64(len(message)))
			b.ResetTimer()
			var all sync.WaitGroup
			for range sessions {
				all.Go(func() {
					if err := load(b.Context(), s, &left, message); err != nil {
						b.Error(err)
					}
				})
			}
			all.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
			cancel()
			if err := <-done; err != nil {
				b.Error(err)
			}
			if err := o.Close(); err != nil {
				b.Error(err)
			}
		})
	}
}

// load sends messages over one session until none is left.
func load(ctx context.Context, s *sockets, left *atomic.Int64, message []byte) error {
	conn, err := s.dial(ctx, "alpha:25")
	if err != nil {
		return err
	}
	c := smtp.NewClient(conn)
	defer c.Close()
	for left.Add(-1) >= 0 {
		if err := c.SendMail("joe@far.example", []string{"bob@corp.example"}, bytes.NewReader(message)); err != nil {
			return err
		}
	}
	return c.Quit()
}
