// Package senders is everybody who sends mail in a lab: hosts on the Internet
// that follow MX with a cache and retry, users of the organization, a printer
// that is set up for one gateway and never retries, and a spammer. Each of
// them writes what it tried and what it was told to a file of its own, one
// JSON object a line, so that another program can count without asking us.
//
// Its SMTP client is its own, on net/textproto: it has to write down each
// reply as it came, and what counts the gateways' work should share no code
// with them. It speaks no TLS and no extensions.
package senders

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// Target is one server to try.
type Target struct {
	Host string // name, as the look-up gave it
	Addr string // ip:port
}

// Lookup finds the servers for a domain, best first.
type Lookup func(ctx context.Context, domain string) ([]Target, error)

// Fixed is a Lookup that never looks: a smart host, or an address typed into a
// printer.
func Fixed(t Target) Lookup {
	return func(context.Context, string) ([]Target, error) { return []Target{t}, nil }
}

// Message is one message to send. All recipients are of the domain To.
type Message struct {
	ID      string // X-Ims-Lab-Id, unique in a lab
	From    string // reverse-path, "" is the null one
	To      string // domain whose servers are looked up
	Rcpts   []string
	Header  []string // more header lines, without their ends
	Padding int      // bytes of text
}

// Record is one line of a sender's file: one try of one message.
type Record struct {
	ID     string    `json:"id"`
	Time   time.Time `json:"time"` // when the try ended
	Sender string    `json:"sender"`
	Source string    `json:"source"` // loopback address
	Try    int       `json:"try"`
	Server string    `json:"server"` // name of the host, "" if none was found
	Addr   string    `json:"addr"`
	From   string    `json:"from"`
	Rcpts  []Rcpt    `json:"rcpts"`
	Final  int       `json:"final"`           // reply to the message, 0 if there was none
	Err    string    `json:"error,omitempty"` // why there was none
}

// Rcpt is what the server said about one recipient.
type Rcpt struct {
	Addr string `json:"addr"`
	Code int    `json:"code"` // 0 if it was not asked
}

// Accepted are the recipients that the server took responsibility for.
func (r Record) Accepted() []string {
	if r.Final/100 != 2 {
		return nil
	}
	var out []string
	for _, rcpt := range r.Rcpts {
		if rcpt.Code/100 == 2 {
			out = append(out, rcpt.Addr)
		}
	}
	return out
}

// Log is a sender's file. It is safe for concurrent use.
type Log struct {
	mu sync.Mutex
	f  *os.File
}

// OpenLog opens a file for appending.
func OpenLog(path string) (*Log, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open sender's file: %w", err)
	}
	return &Log{f: f}, nil
}

// Put writes one line.
func (l *Log) Put(r Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write sender's file: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.f.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write sender's file: %w", err)
	}
	return nil
}

// Close makes the file durable and closes it.
func (l *Log) Close() error { return errors.Join(l.f.Sync(), l.f.Close()) }

// Host is one machine that sends. Deliver may be called from many goroutines.
type Host struct {
	Kind   string // what it is, for its file
	Name   string // what it says in EHLO
	Source string // its own address, as the server sees it
	Find   Lookup
	Retry  []time.Duration // the last value repeats; nil is never
	Tries  int             // at most; 0 is without end
	Dial   func(ctx context.Context, source, addr string) (net.Conn, error)
	Log    *Log
}

// Dial is a TCP dialer with a source address.
func Dial(ctx context.Context, source, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}
	return d.DialContext(ctx, "tcp", addr)
}

// Deliver sends a message until every recipient was taken or refused for
// good, or the host gives up, or ctx ends. Before each try it looks its
// servers up again, as RFC 5321 senders do. The error is about the file alone:
// what became of the message is in there.
func (h *Host) Deliver(ctx context.Context, m Message) error {
	open := m.Rcpts
	for try := 1; ; try++ {
		rec := h.try(ctx, m, open)
		rec.Try = try
		if err := h.Log.Put(rec); err != nil {
			return err
		}
		if open = unsettled(rec); len(open) == 0 || h.Retry == nil || try == h.Tries {
			return nil
		}
		t := time.NewTimer(h.Retry[min(try, len(h.Retry))-1])
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil
		}
	}
}

// unsettled are the recipients that another try may help.
func unsettled(r Record) []string {
	if r.Final/100 == 5 {
		return nil
	}
	var open []string
	for _, rcpt := range r.Rcpts {
		if rcpt.Code/100 == 5 || (rcpt.Code/100 == 2 && r.Final/100 == 2) {
			continue
		}
		open = append(open, rcpt.Addr)
	}
	return open
}

// try goes through the servers until one takes part in a conversation.
func (h *Host) try(ctx context.Context, m Message, rcpts []string) Record {
	rec := Record{ID: m.ID, Sender: h.Kind, Source: h.Source, From: m.From}
	for _, r := range rcpts {
		rec.Rcpts = append(rec.Rcpts, Rcpt{Addr: r})
	}
	targets, err := h.Find(ctx, m.To)
	for _, t := range targets {
		rec.Server, rec.Addr = t.Host, t.Addr
		var conn net.Conn
		if conn, err = h.Dial(ctx, h.Source, t.Addr); err != nil {
			continue
		}
		err = converse(ctx, conn, h.Name, m, &rec)
		break
	}
	if err != nil {
		rec.Err = err.Error()
	}
	rec.Time = time.Now().UTC()
	return rec
}
