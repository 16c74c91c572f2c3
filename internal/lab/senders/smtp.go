package senders

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"
)

// patience is how long a server may take for one reply.
const patience = 30 * time.Second

// converse sends one message over conn and writes each reply into rec. The
// error is nil when the server answered everything it was asked.
func converse(ctx context.Context, conn net.Conn, helo string, m Message, rec *Record) error {
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	c := client{conn: conn, text: textproto.NewConn(conn)}
	defer func() { _ = c.text.Close() }() // the server has said what counts
	if code, line, err := c.reply(); err != nil || code != 220 {
		return said("greeting", code, line, err)
	}
	if code, line, err := c.ask("EHLO %s", helo); err != nil || code != 250 {
		return said("EHLO", code, line, err)
	}
	if code, line, err := c.ask("MAIL FROM:<%s>", m.From); err != nil || code != 250 {
		for i := range rec.Rcpts { // the refusal is about all of them
			rec.Rcpts[i].Code = code
		}
		return said("MAIL", code, line, err)
	}
	var refused error
	taken := 0
	for i, r := range rec.Rcpts {
		code, line, err := c.ask("RCPT TO:<%s>", r.Addr)
		if err != nil {
			return said("RCPT", code, line, err)
		}
		if rec.Rcpts[i].Code = code; code/100 == 2 {
			taken++
		} else {
			refused = said("RCPT", code, line, nil)
		}
	}
	if taken == 0 {
		_, _, _ = c.ask("QUIT") // a courtesy
		return refused
	}
	return c.data(m, rec)
}

// data sends the message itself.
func (c *client) data(m Message, rec *Record) error {
	if code, line, err := c.ask("DATA"); err != nil || code != 354 {
		rec.Final = code
		return said("DATA", code, line, err)
	}
	w := c.text.DotWriter()
	_, err := w.Write(m.bytes(time.Now()))
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return said("message", 0, "", err)
	}
	code, line, err := c.reply()
	rec.Final = code
	if err != nil || code != 250 {
		return said("message", code, line, err)
	}
	_, _, _ = c.ask("QUIT") // a courtesy
	return nil
}

type client struct {
	conn net.Conn
	text *textproto.Conn
}

func (c *client) ask(format string, args ...any) (int, string, error) {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, "", err
	}
	if err := c.text.PrintfLine(format, args...); err != nil {
		return 0, "", err
	}
	return c.reply()
}

// reply reads one reply; a reply that cannot be read has code 0.
func (c *client) reply() (int, string, error) {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, "", err
	}
	code, text, err := c.text.ReadResponse(0)
	if err != nil {
		return 0, "", err
	}
	return code, text, nil
}

// said is what went wrong at a point of the conversation.
func said(at string, code int, line string, err error) error {
	if err != nil {
		return fmt.Errorf("at %s: %w", at, err)
	}
	first, _, _ := strings.Cut(line, "\n")
	return fmt.Errorf("at %s: %d %s", at, code, first)
}

// bytes is the message as it goes over the wire, with lines that end in LF;
// the dot writer makes them CRLF.
func (m Message) bytes(now time.Time) []byte {
	var b strings.Builder
	from := m.From
	if from == "" {
		from = "MAILER-DAEMON@" + m.To
	}
	fmt.Fprintf(&b, "From: <%s>\nTo: <%s>\nSubject: lab message %s\n", from, strings.Join(m.Rcpts, ">, <"), m.ID)
	fmt.Fprintf(&b, "Date: %s\nMessage-ID: <%s@lab.test>\nX-Ims-Lab-Id: %s\n", now.Format(time.RFC1123Z), m.ID, m.ID)
	for _, h := range m.Header {
		b.WriteString(h + "\n")
	}
	b.WriteString("MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\n")
	w := bufio.NewWriter(&b)
	fmt.Fprintf(w, "This is message %s.\n", m.ID)
	for n := 0; n < m.Padding; n += len(pad) {
		_, _ = w.WriteString(pad) // a strings.Builder takes everything
	}
	_ = w.Flush() // as above
	return []byte(b.String())
}

const pad = "All work and no play makes the queue a dull place to be in at night.\n"
