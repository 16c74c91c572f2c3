package monitor

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/tui/screen"
	"example.org/ims/pkg/gateway"
)

// stores are those that are shown: the five of the mail flow, and the side
// stores that hold something or cannot be counted.
func (m *Model) stores() []gateway.Store {
	var list []gateway.Store
	for st := range gateway.NumStores {
		c := &m.snap.Census.Stores[st]
		if !st.Side() || c.Messages > 0 || (c.Known == gateway.Unknown && !m.snap.Seen.IsZero()) {
			list = append(list, st)
		}
	}
	return list
}

// title is a store's name on the Queues page, as far as there is room.
func title(st gateway.Store, w int) string {
	switch {
	case w >= 120:
		return st.Title()
	case w >= 72:
		return strings.Replace(st.Title(), "messages ", "", 1)
	}
	return st.String()
}

// drawStores shows what every store holds, and what moves.
func (m *Model) drawStores(a screen.Area) {
	list := m.stores()
	if a.H < 1+len(list) {
		m.drawStoresBriefly(a)
		return
	}
	cols := m.storeColumns(a.W)
	a.Put(0, 0, "STORE", heading)
	cols.put(a, 0, []string{"COUNT", "SIZE", "OLDEST", "IN/MIN", "OUT/MIN"}, heading)
	if cols.spark > 0 {
		head := "DEPTH, " + m.span()
		if len(head) > cols.spark {
			head = "DEPTH"
		}
		a.Put(cols.sparkAt, 0, head, heading)
	}
	for i, st := range list {
		m.drawStore(a, i+1, st, cols)
	}
}

// storeColumns are the right edges of the numbers; 0 leaves one out.
type storeColumns struct {
	title          int
	ends           [5]int
	sparkAt, spark int
}

func (m *Model) storeColumns(w int) storeColumns {
	c := storeColumns{title: 28}
	widths := [5]int{7, 9, 8, 8, 9}
	switch {
	case w < 72:
		c.title, widths = 8, [5]int{6, 0, 7, 8, 9}
	case w >= 120:
		c.title = 37
	}
	x := c.title
	for i, n := range widths {
		if x += n; n > 0 {
			c.ends[i] = x
		}
	}
	c.sparkAt = x + 2
	if c.spark = w - c.sparkAt; c.spark < 6 {
		c.spark = 0
	}
	return c
}

func (c *storeColumns) put(a screen.Area, y int, cells []string, st screen.Style) {
	for i, text := range cells {
		if c.ends[i] > 0 {
			a.Right(c.ends[i], y, text, st)
		}
	}
}

func (m *Model) drawStore(a screen.Area, y int, st gateway.Store, cols storeColumns) {
	c := &m.snap.Census.Stores[st]
	style := plain
	if c.Messages == 0 {
		style = faint
	}
	a.Put(0, y, screen.Cut(title(st, a.W), cols.title), style)
	switch {
	case m.snap.Seen.IsZero() || !known(c):
		a.Put(cols.title+1, y, screen.Cut("unknown: "+c.Why, a.W-cols.title-1), bad)
		return
	case c.Known == gateway.EmptyByDesign:
		cols.put(a, y, []string{"none", "", "", "", ""}, faint)
		return
	}
	cells := []string{strconv.FormatInt(c.Messages, 10), size(c.Bytes), "", "", ""}
	if c.Messages == 0 {
		cells[1] = ""
	} else if !c.Oldest.IsZero() {
		cells[2] = short(m.now.Sub(c.Oldest))
	}
	cols.put(a, y, cells, style)
	in, must := m.inflow(st)
	a.Right(cols.ends[3], y, in, must)
	out := "…"
	if f := m.past.flowOf(st, rateSpan); f.known {
		out = fmt.Sprintf("%.1f", f.out)
	}
	a.Right(cols.ends[4], y, out, style)
	if cols.spark > 0 {
		a.Put(cols.sparkAt, y, m.past.spark(st, cols.spark), style)
	}
}

// inflow is what comes in, with a word if nothing may: ok, or !. Where nothing
// may come in, what came before it was so does not count.
func (m *Model) inflow(st gateway.Store) (string, screen.Style) {
	span, closed := rateSpan, !m.shut[st].IsZero()
	if closed {
		span = min(span, m.snap.Seen.Sub(m.shut[st]))
	}
	f := m.past.flowOf(st, span)
	rate := f.in
	if st == gateway.In { // reports for the organization's own senders may come
		rate = m.past.accepted(span).in
	}
	text := fmt.Sprintf("%.1f", f.in)
	switch {
	case !f.known:
		return "…", faint
	case closed && rate > 0:
		return "! " + text, bad
	case closed:
		return text + " ok", good
	}
	return text, plain
}

// shutting notes since when nothing may come into a store.
func (m *Model) shutting() {
	for st := range m.shut {
		switch closed := m.closed(gateway.Store(st)); {
		case !closed:
			m.shut[st] = time.Time{}
		case m.shut[st].IsZero():
			m.shut[st] = m.snap.Seen.Add(settled)
		}
	}
}

// settled is how long what was on its way may still come.
const settled = 2 * time.Second

// closed reports whether nothing may come into a store any more: no route
// leads here, or nobody may hand mail over.
func (m *Model) closed(st gateway.Store) bool {
	if m.snap.Run == nil {
		return false
	}
	f := m.snap.Run.Facts
	switch st {
	case gateway.MTA:
		return f["route.here"] == "false" && (f["route.stale"] == "false" || f["route.stale"] == "0")
	case gateway.In:
		return f["gw.accepts"] == "false"
	case gateway.MTSOut, gateway.Out, gateway.MTSIn, gateway.Bad, gateway.Hold, gateway.Corrupt, gateway.NumStores:
	}
	return false
}

// drawStoresBriefly names the counts alone.
func (m *Model) drawStoresBriefly(a screen.Area) {
	var list []string
	line := ""
	for _, st := range m.stores() {
		c := &m.snap.Census.Stores[st]
		n := strconv.FormatInt(c.Messages, 10)
		if !known(c) {
			n = "?"
		}
		part := st.String() + " " + n
		if line != "" && screen.Width(line+" "+part) > a.W {
			list, line = append(list, line), ""
		}
		line = strings.TrimPrefix(line+" "+part, " ")
	}
	list = append(list, line)
	if f := m.past.flowOf(gateway.Out, rateSpan); f.known && len(list) < a.H {
		list = append(list, fmt.Sprintf("out: %.1f in, %.1f out a minute", f.in, f.out))
	}
	for y, line := range list {
		a.Put(0, y, line, plain)
	}
}

var sparks = []rune(" ▁▂▃▄▅▆▇█")

// spark draws the depth of a store lately, the newest right, scaled to its own
// most.
func (h *history) spark(st gateway.Store, w int) string {
	per := (h.n + w - 1) / max(w, 1)
	if per == 0 {
		return ""
	}
	cells := make([]int64, 0, w)
	most := int64(1)
	for i := 0; i < w && i*per < h.n; i++ {
		peak := int64(0)
		for j := i * per; j < min((i+1)*per, h.n); j++ {
			peak = max(peak, h.last(j).n[st])
		}
		cells, most = append(cells, peak), max(most, peak)
	}
	out := make([]rune, w)
	for i := range out {
		out[i] = ' '
	}
	for i, n := range cells {
		level := (n*int64(len(sparks)-1) + most - 1) / most
		out[w-1-i] = sparks[level]
	}
	return string(out)
}

// span is how far back a sparkline reaches.
func (m *Model) span() string {
	old, newest := m.past.since(1<<62), m.past.last(0)
	if old == nil || newest.at.Equal(old.at) {
		return "now"
	}
	return "last " + output.Duration(newest.at.Sub(old.at).Truncate(time.Second))
}
