package monitor

import (
	"strconv"
	"strings"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/gateway"
)

// verb is an action on mail.
type verb struct {
	key, what   string
	verb        gateway.Verb
	destructive bool
	on          func(gateway.Store) bool
	no          string // why not, elsewhere
}

func isSide(s gateway.Store) bool { return s == gateway.Hold || s == gateway.Bad }

var verbs = []verb{
	{"r", "retry", gateway.Retry, false, func(s gateway.Store) bool { return s == gateway.Out || s == gateway.MTSIn }, "only out and mts-in try deliveries"},
	{"h", "hold", gateway.Suspend, false, func(s gateway.Store) bool { return s != gateway.Hold && s != gateway.Corrupt }, "it is held, or unreadable"},
	{"l", "release", gateway.Release, false, isSide, "only held and bad messages can be released"},
	{"n", "return…", gateway.Return, true, func(s gateway.Store) bool { return s != gateway.Corrupt }, "what cannot be read cannot be returned: d deletes it"},
	{"d", "delete…", gateway.Delete, true, func(gateway.Store) bool { return true }, ""},
}

// subject is the mail that a verb would be applied to.
type subject struct {
	words string
	about string // what it is in a journal, after the number of messages
	store gateway.Store
	count int64
	sel   gateway.Selection
	by    time.Time // what was accepted later is not meant; zero is any time
	why   string    // why there is none
}

// subject is the message at the cursor, or the row of the matrix: those of its
// messages that were counted. One that leaves meanwhile is not missed, and one
// that comes is not meant, so that a verb counts on a row that moves as well.
func (m *Model) subject() subject {
	it := m.item()
	if m.pane == letterPane && m.letter.Letter.Item.Entry != "" {
		it = &m.letter.Letter.Item
	}
	switch {
	case m.pane == lettersPane || m.pane == letterPane:
		if it == nil {
			return subject{why: "there is no message"}
		}
		return subject{
			words: "message " + it.Message, about: it.Message + " (entry " + it.Entry + ")" + destined(it.Dest, it.Store),
			store: it.Store, count: 1, sel: gateway.Selection{Store: &it.Store, ID: it.Entry, Limit: 1, Expect: 1},
		}
	case m.row() == nil:
		return subject{why: "there is no row"}
	}
	d := *m.row()
	about := destined(d.Dest, d.Store)
	s := subject{words: messages(d.Messages) + about, about: strings.TrimPrefix(about, " "), store: d.Store, count: d.Messages, by: m.snap.Summary.At}
	if d.Dest == "" {
		s.why = "these have no destination yet: enter shows them, and acts on one"
		return s
	}
	n := int(d.Messages)
	s.sel = gateway.Selection{Store: &d.Store, Dest: d.Dest, Limit: n}
	return s
}

// destined says where mail waits, and for whom.
func destined(dest string, store gateway.Store) string {
	if dest == "" {
		return " in " + store.String()
	}
	return " for " + dest + " in " + store.String()
}

func messages(n int64) string { return output.Count(n, "message") }

func (m *Model) verbs() []binding {
	var list []binding
	for _, v := range verbs {
		list = append(list, binding{
			keys: []string{v.key}, show: v.key, what: v.what,
			why: func(m *Model) string { return m.noVerb(v) },
			act: func(m *Model) []Effect { return m.askVerb(v) },
		})
	}
	return list
}

func (m *Model) noVerb(v verb) string {
	s := m.subject()
	switch {
	case m.snap.DryRun:
		return dryRun
	case m.snap.GatewayErr != "":
		return "the gateway does not answer"
	case s.why != "":
		return s.why
	case !v.on(s.store):
		return v.no
	}
	return ""
}

// askVerb asks for the reason, and for the count if mail would be destroyed.
func (m *Model) askVerb(v verb) []Effect {
	s := m.subject()
	d := &dialog{choice: unchosen, fields: []field{reason()}}
	switch v.verb {
	case gateway.Return:
		d.title = "Return " + s.words + " with an NDR"
		d.text = []string{"Their senders are told that they were not delivered. A report itself is not reported on."}
	case gateway.Delete:
		d.title = "Delete " + s.words
		d.text = []string{"Nobody is told, neither sender nor recipient. The tracking log keeps who did it and why."}
	case gateway.Retry:
		d.title = "Retry " + s.words
		s.sel.Expect, s.by = 0, time.Time{} // it harms nobody if there are others by then
	case gateway.Suspend, gateway.Release:
		d.title = strings.ToUpper(v.what[:1]) + v.what[1:] + " " + s.words
	}
	if v.destructive {
		n := strconv.FormatInt(s.count, 10)
		d.fields = append(d.fields, field{label: "type " + n + " to confirm", must: n})
	}
	d.submit = func(d *dialog) []Effect {
		return []Effect{Act{v.verb, s.sel, s.by, s.about, strings.TrimSpace(d.fields[0].value)}}
	}
	m.dialog = d
	return nil
}
