package report

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"example.org/ims/pkg/facts"
)

// Geometry of both pictures, in SVG units.
const (
	chartWidth  = 960
	chartLeft   = 120
	chartRight  = 12
	plotHeight  = 240
	bandHeight  = 22
	axisHeight  = 26
	labelHeight = 16
	labelWidth  = 76 // of a time, at most
)

// axis maps time to a picture.
type axis struct{ from, to time.Time }

func (a axis) x(t time.Time) float64 {
	span := a.to.Sub(a.from)
	if span <= 0 {
		return chartLeft
	}
	return chartLeft + float64(t.Sub(a.from))/float64(span)*(chartWidth-chartLeft-chartRight)
}

// ticks are about six round times.
func (a axis) ticks() []time.Time {
	span := a.to.Sub(a.from)
	step := time.Millisecond
	for _, s := range []time.Duration{
		10 * time.Millisecond, 100 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour,
		6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 96 * time.Hour, 168 * time.Hour,
	} {
		if step = s; span/s <= 8 {
			break
		}
	}
	var all []time.Time
	for t := a.from.Truncate(step); !t.After(a.to) && len(all) < 100; t = t.Add(step) {
		if !t.Before(a.from) {
			all = append(all, t)
		}
	}
	return all
}

func (a axis) draw(b *strings.Builder, bottom float64) {
	layout := "15:04:05"
	if a.to.Sub(a.from) > 12*time.Hour {
		layout = "Jan 2 15:04"
	}
	for _, t := range a.ticks() {
		fmt.Fprintf(b, `<line class="grid" x1="%s" x2="%s" y1="0" y2="%s"/>`, num(a.x(t)), num(a.x(t)), num(bottom))
		x, anchor := a.x(t), "middle"
		if x > chartWidth-labelWidth/2 { // it would be cut
			x, anchor = chartWidth, "end"
		}
		fmt.Fprintf(b, `<text class="tick" x="%s" y="%s" text-anchor="%s">%s</text>`, num(x), num(bottom+14), anchor, t.UTC().Format(layout))
	}
}

func num(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// stores are the lines of the drain chart, in the order of the Queues page.
var stores = [...]struct {
	id    facts.ID
	name  string
	title string
	class string
}{
	{facts.GwQMTA, "MTA", "MTA", "s0"},
	{facts.GwQMTSOut, "MTS-OUT", "MTS-OUT: outbound, awaiting conversion", "s1"},
	{facts.GwQOut, "OUT", "OUT: outbound, awaiting delivery", "s2"},
	{facts.GwQIn, "IN", "IN: inbound, awaiting conversion", "s3"},
	{facts.GwQMTSIn, "MTS-IN", "MTS-IN: inbound, awaiting delivery", "s4"},
}

// hatched is the look of a time of which nothing, or not all, is known.
const hatched = `<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="pale" width="6" height="6"/><path class="hatch" d="M0 0V6"/></pattern></defs>`

// drainChart draws how many messages each store held. A line breaks where its
// store was not counted, and that time is hatched.
func drainChart(all []sample, a axis) template.HTML {
	most := 1
	for _, s := range all {
		for i := range stores {
			n, _ := count(s.values[i])
			most = max(most, n)
		}
	}
	y := func(n int) float64 { return plotHeight - float64(n)/float64(most)*(plotHeight-10) }
	var b strings.Builder
	height := plotHeight + axisHeight + labelHeight*(len(stores)+1)
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" aria-label="messages in each store over time">%s`, chartWidth, height, hatched)
	hatch(&b, gaps(all, a.to, uncounted), a, plotHeight)
	for _, n := range levels(most) {
		fmt.Fprintf(&b, `<line class="grid" x1="%d" x2="%d" y1="%s" y2="%s"/>`, chartLeft, chartWidth-chartRight, num(y(n)), num(y(n)))
		fmt.Fprintf(&b, `<text class="tick" x="%d" y="%s" text-anchor="end">%d</text>`, chartLeft-6, num(y(n)+4), n)
	}
	a.draw(&b, plotHeight)
	for i, st := range stores {
		fmt.Fprintf(&b, `<path class="line %s" d="%s"/>`, st.class, steps(all, i, a, y))
		top := plotHeight + axisHeight + labelHeight*i
		fmt.Fprintf(&b, `<path class="line %s" d="M%d %dh40"/><text class="tick" x="%d" y="%d">%s</text>`,
			st.class, chartLeft, top+8, chartLeft+50, top+12, template.HTMLEscapeString(st.title))
	}
	top := plotHeight + axisHeight + labelHeight*len(stores)
	fmt.Fprintf(&b, `<rect class="gap" x="%d" y="%d" width="40" height="10"/><text class="tick" x="%d" y="%d">not observed, or unknown</text>`,
		chartLeft, top+3, chartLeft+50, top+12)
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers, and words of this room
}

// hatch marks times of which not all is known.
func hatch(b *strings.Builder, list []gap, a axis, height int) {
	for _, g := range list {
		x := a.x(g.from)
		fmt.Fprintf(b, `<g><title>%s, %s to %s</title><rect class="gap" x="%s" y="0" width="%s" height="%d"/></g>`,
			g.why, g.from.UTC().Format(time.RFC3339), g.to.UTC().Format(time.RFC3339), num(x), num(max(a.x(g.to)-x, 1)), height)
	}
}

// count is a count as a number, if it is known.
func count(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// levels are at most five round numbers up to the highest.
func levels(most int) []int {
	step := 1
	for i := 0; most/step > 5; i++ {
		step = []int{1, 2, 5}[i%3] * pow10(i/3)
	}
	var all []int
	for n := 0; n <= most; n += step {
		all = append(all, n)
	}
	return all
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}

// steps is a path that holds each value until the next, and breaks where there
// is none. Of samples that fall on the same place only the highest is drawn, so
// that nothing is hidden.
func steps(all []sample, column int, a axis, y func(int) float64) string {
	var b strings.Builder
	open, at, high, last := false, -1.0, 0, 0
	flush := func() { // draws what fell on the last place
		switch {
		case at < 0:
		case open:
			fmt.Fprintf(&b, "H%sV%s", num(at), num(y(high)))
		default:
			fmt.Fprintf(&b, "M%s %s", num(at), num(y(high)))
			open = true
		}
	}
	end := func(x float64) { // draws on to x, at what was known last
		flush()
		if open {
			fmt.Fprintf(&b, "V%sH%s", num(y(last)), num(x))
		}
		open, at = false, -1
	}
	for i := range all {
		x := a.x(all[i].at)
		n, known := count(all[i].values[column])
		switch {
		case !known:
			end(x)
			continue
		case at >= 0 && x-at < 1:
			high = max(high, n)
		default:
			flush()
			at, high = x, n
		}
		last = n
	}
	end(chartWidth - chartRight)
	return b.String()
}

// bands are the lines of the timeline: facts about what leads to the gateway.
var bands = [...]struct {
	id    facts.ID
	title string
	over  string            // the value that says that nothing leads here any more
	words map[string]string // by value; a value without words is shown as it is
}{
	{facts.MxHere, "MX", "false", map[string]string{"true": "names the gateway", "false": "elsewhere"}},
	{facts.MxAgree, "name servers", "true", map[string]string{"true": "agree", "false": "differ"}},
	{facts.MxExpired, "caches", "true", map[string]string{"true": "old MX expired", "false": "may hold the old MX"}},
	{facts.RouteHere, "routing", "false", map[string]string{"true": "leads here", "false": "elsewhere"}},
	{facts.GwReply, "a client is told", "", map[string]string{"accept": "250", "temporary": "450", "closed": "port closed", "permanent": "5xx"}},
	{facts.GwMode, "mode", "", nil},
}

// timeline draws what led to the gateway, and the states of the run.
func timeline(all []sample, visits []visit, a axis) template.HTML {
	bottom := float64(bandHeight * (len(bands) + 1))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %s" role="img" aria-label="what led to the gateway over time">`, chartWidth, num(bottom+axisHeight))
	a.draw(&b, bottom)
	hatch(&b, gaps(all, a.to, unseen), a, bandHeight*len(bands))
	for i, band := range bands {
		row(&b, i, band.title, spans(all, len(stores)+i, a.to), func(v string) (string, string) {
			words := band.words[v]
			if words == "" {
				words = v
			}
			switch {
			case v == band.over:
				v = "over"
			case band.over != "" && v != "unknown":
				v = "open"
			}
			return words, "v-" + v
		}, a)
	}
	var states []span
	for _, v := range visits {
		end := v.Left
		if end.IsZero() {
			end = a.to
		}
		states = append(states, span{v.Entered, end, v.State})
	}
	row(&b, len(bands), "state", states, func(v string) (string, string) { return v, "v-state" }, a)
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // what comes from outside is escaped in row
}

type span struct {
	from, to time.Time
	value    string
}

// spans are the times in which a fact kept its value. While nobody looked there
// is none.
func spans(all []sample, column int, end time.Time) []span {
	var out []span
	kept := false // the last one goes on
	for i := range all {
		v, at := all[i].values[column], all[i].at
		if kept {
			out[len(out)-1].to = at
		}
		switch {
		case v == notObserved:
			kept = false
		case !kept || out[len(out)-1].value != v:
			out, kept = append(out, span{at, at, v}), true
		}
	}
	if kept {
		out[len(out)-1].to = end
	}
	return out
}

func row(b *strings.Builder, i int, title string, list []span, say func(string) (words, class string), a axis) {
	top := bandHeight * i
	fmt.Fprintf(b, `<text class="tick" x="%d" y="%d" text-anchor="end">%s</text>`, chartLeft-6, top+15, template.HTMLEscapeString(title))
	for _, s := range list {
		words, class := say(s.value)
		x, w := a.x(s.from), max(a.x(s.to)-a.x(s.from), 1)
		label := template.HTMLEscapeString(words)
		fmt.Fprintf(b, `<g><title>%s: %s, %s to %s</title><rect class="band %s" x="%s" y="%d" width="%s" height="%d"/>`,
			template.HTMLEscapeString(title), label, s.from.UTC().Format(time.RFC3339), s.to.UTC().Format(time.RFC3339),
			template.HTMLEscapeString(class), num(x), top+2, num(w), bandHeight-4)
		if w > float64(len(words))*6.5 {
			fmt.Fprintf(b, `<text class="in" x="%s" y="%d">%s</text>`, num(x+4), top+15, label)
		}
		b.WriteString("</g>")
	}
}
