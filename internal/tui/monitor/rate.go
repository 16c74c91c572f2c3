package monitor

import (
	"fmt"
	"math"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/gateway"
)

// How much is remembered of the stores, and over how much of it rates are
// taken.
const (
	samples    = 900
	samplePace = time.Second
	rateSpan   = 30 * time.Second
	fitSpan    = 5 * time.Minute
	fitLeast   = 10 * time.Second
)

// steady is how many times as much may come in as the stores shrink by before
// that they shrink says nothing: it is then what the traffic does by chance.
const steady = 4

// sample is the stores at one moment.
type sample struct {
	at       time.Time
	total    int64
	known    bool
	n        [gateway.NumStores]int64
	entered  [gateway.NumStores]uint64
	left     [gateway.NumStores]uint64
	accepted uint64
}

// history is a ring of samples of one instance of a gateway.
type history struct {
	ring     [samples]sample
	next, n  int
	instance string
	begun    time.Time
	moved    time.Time // when something left a store last
}

// add takes a census in. Counters that restarted begin a new history.
func (h *history) add(at time.Time, c *gateway.Census) {
	if h.instance != c.Instance {
		*h = history{instance: c.Instance}
	}
	if h.begun.IsZero() {
		h.begun, h.moved = at, at
	}
	s := sample{at: at, accepted: c.Accepted}
	s.total, s.known = c.Total()
	for st := range gateway.NumStores {
		s.n[st], s.entered[st], s.left[st] = c.Stores[st].Messages, c.Stores[st].Entered, c.Stores[st].Left
	}
	if last := h.last(0); last != nil {
		if s.out() != last.out() {
			h.moved = at
		}
		if at.Sub(last.at) < samplePace { // the newest stands for its second
			if prev := h.last(1); prev == nil || last.at.Sub(prev.at) < samplePace {
				s.at = last.at
				h.ring[(h.next+samples-1)%samples] = s
				return
			}
		}
	}
	h.ring[h.next] = s
	h.next, h.n = (h.next+1)%samples, min(h.n+1, samples)
}

// out counts what left towards the next hop.
func (s *sample) out() uint64 { return s.left[gateway.Out] + s.left[gateway.MTSIn] }

// last is the sample before the newest one by i, nil if there is none.
func (h *history) last(i int) *sample {
	if i >= h.n {
		return nil
	}
	return &h.ring[(h.next+2*samples-1-i)%samples]
}

// since is the oldest sample that is not older than d before the newest.
func (h *history) since(d time.Duration) *sample {
	newest := h.last(0)
	if newest == nil {
		return nil
	}
	old := newest
	for i := 1; i < h.n; i++ {
		s := h.last(i)
		if newest.at.Sub(s.at) > d {
			break
		}
		old = s
	}
	return old
}

// flow is messages a minute.
type flow struct {
	in, out float64
	known   bool
}

// flowOf is what came into a store and left it in a span.
func (h *history) flowOf(st gateway.Store, span time.Duration) flow {
	a, b := h.since(span), h.last(0)
	if a == nil || b.at.Sub(a.at) < 2*samplePace {
		return flow{}
	}
	minutes := b.at.Sub(a.at).Minutes()
	return flow{grown(a.entered[st], b.entered[st]) / minutes, grown(a.left[st], b.left[st]) / minutes, true}
}

// accepted is what came from the Internet in a span, messages a minute.
func (h *history) accepted(span time.Duration) flow {
	a, b := h.since(span), h.last(0)
	if a == nil || b.at.Sub(a.at) < 2*samplePace {
		return flow{}
	}
	return flow{in: grown(a.accepted, b.accepted) / b.at.Sub(a.at).Minutes(), known: true}
}

// grown is by how much a counter grew; one that went back says nothing.
func grown(from, to uint64) float64 {
	if to < from {
		return 0
	}
	return float64(to - from)
}

// eta is when the five stores will be empty, or why that is not known.
type eta struct {
	at         time.Time // zero if not known
	early, lat time.Time
	basis      string
	why        string
}

// fit draws a line through the totals of a span: messages a second, and the
// standard error of that.
func (h *history) fit(span time.Duration) (slope, err float64, watched time.Duration, n int) {
	newest := h.last(0)
	var sx, sy, sxx, sxy float64
	var xs, ys [samples]float64
	for i := range h.n {
		s := h.last(i)
		if newest.at.Sub(s.at) > span {
			break
		}
		watched = newest.at.Sub(s.at)
		x, y := -watched.Seconds(), float64(s.total)
		xs[n], ys[n] = x, y
		n++
		sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	f := float64(n)
	den := f*sxx - sx*sx
	if n < 3 || den == 0 {
		return 0, 0, watched, n
	}
	slope = (f*sxy - sx*sy) / den
	base, ss := (sy-slope*sx)/f, 0.0
	for i := range n {
		d := ys[i] - base - slope*xs[i]
		ss += d * d
	}
	return slope, math.Sqrt(ss / (f - 2) / (sxx - sx*sx/f)), watched, n
}

// estimate fits a line, and does not end before the last planned attempt.
func (m *Model) estimate() eta {
	s := m.past.last(0)
	switch {
	case s == nil:
		return eta{why: "the gateway was not seen yet"}
	case !s.known:
		return eta{why: m.uncounted() + " cannot be counted"}
	case s.total == 0:
		return eta{}
	case m.snap.Seen.IsZero() || !m.snap.Config.Running && m.snap.Config.Exists:
		return eta{why: "the service is stopped"}
	}
	slope, se, watched, n := m.past.fit(fitSpan)
	out := output.Duration(watched.Truncate(time.Second))
	switch {
	case watched < fitLeast || n < 5:
		return eta{why: "watched for only " + out}
	case slope > se && slope*60 > 0.05:
		return eta{why: fmt.Sprintf("it grows, by %.1f a minute", slope*60)}
	case m.snap.At.Sub(m.past.moved) >= fitLeast && watched >= fitLeast:
		return eta{why: "nothing was delivered for " + output.Duration(m.snap.At.Sub(m.past.moved).Truncate(time.Second)) + m.nextAttempt() + m.timesOut()}
	case slope >= 0 || -slope*60 < 0.05:
		return eta{why: "it does not shrink"}
	}
	if in := m.past.flowOf(gateway.MTA, fitSpan).in + m.past.accepted(fitSpan).in; in > steady*-slope*60 {
		return eta{why: fmt.Sprintf("mail comes in about as fast as it leaves, %.1f a minute", in)}
	}
	left := func(perSecond float64) time.Time {
		d := min(float64(s.total)/perSecond, float64(30*24*3600))
		return s.at.Add(time.Duration(d * float64(time.Second))).Truncate(time.Second)
	}
	e := eta{at: left(-slope), early: left(-slope + 2*se), basis: fmt.Sprintf("line through %s, %.1f a minute", out, -slope*60)}
	if slow := -slope - 2*se; slow > -slope/10 {
		e.lat = left(slow)
	}
	if sum := m.snap.Summary; sum != nil && sum.Total.Latest.After(e.at) && m.query.Match == "" {
		e.at, e.basis = sum.Total.Latest, "the last planned attempt"
		e.early = later(e.early, sum.Total.Next)
		e.lat = later(e.lat, sum.Total.Ends)
	}
	if w := m.whole(); w.word >= blocked && hopeless(w.culprit) && w.culprit.Ends.After(e.at) {
		e.at, e.basis = w.culprit.Ends, "the last time-out of "+name(w.culprit)
		e.lat = later(e.lat, e.at)
	}
	return e
}

// hopeless reports whether a row leaves by its time-out, if nothing changes.
func hopeless(d *gateway.Destination) bool {
	return d.Store == gateway.Out && (unreachable(d.Last) || takesNone(d.Last))
}

// nextAttempt says when something is tried again, "" if that is not planned.
func (m *Model) nextAttempt() string {
	if s := m.snap.Summary; s != nil && s.Total.Next.After(m.now) && m.query.Match == "" {
		return "; the next attempt is at " + m.clock(s.Total.Next)
	}
	return ""
}

// timesOut says until when all that waits for a host is gone in any case.
func (m *Model) timesOut() string {
	if s := m.snap.Summary; s != nil && s.Total.Ends.After(m.now) && m.query.Match == "" {
		return "; the last time-out is " + m.clock(s.Total.Ends)
	}
	return ""
}

func (m *Model) uncounted() string {
	for st := gateway.MTA; st <= gateway.MTSIn; st++ {
		if m.snap.Census.Stores[st].Known == gateway.Unknown {
			return st.String()
		}
	}
	return "a store"
}
