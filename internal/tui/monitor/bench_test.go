package monitor_test

import (
	"fmt"
	"testing"
	"time"

	"example.org/ims/internal/tui/monitor"
	"example.org/ims/internal/tui/screen"
	"example.org/ims/pkg/gateway"
)

// BenchmarkFrame folds a snapshot of 100,000 messages in 10,000 destinations
// and draws it at 160x48: five of these a second is what a monitor costs beside
// the questions that it asks.
func BenchmarkFrame(b *testing.B) {
	s := last()
	s.Census.Stores[gateway.Out].Messages = 100_000
	s.Summary.Found = 10_000
	s.Summary.Rows = nil
	for i := range 100 {
		d := rows()[i%2]
		d.Dest = fmt.Sprintf("d%05d.example", i)
		s.Summary.Rows = append(s.Summary.Rows, d)
	}
	m := fold(options, s)
	for i := range 900 {
		s.At = in(time.Duration(i) * time.Second)
		s.Seen = s.At
		m.Update(s)
	}
	m.Update(monitor.Size{W: 160, H: 48})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.At = s.At.Add(200 * time.Millisecond)
		s.Seen = s.At
		m.Update(s)
		if m.Draw().Text(screen.Encoding{Color: true}) == "" {
			b.Fatal("nothing is drawn")
		}
	}
}
