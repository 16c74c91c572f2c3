package sink

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"example.org/ims/internal/mail/address"
)

// session is one connection to a Host.
type session struct {
	ctx  context.Context // of Serve, which go-smtp does not hand on
	h    *Host
	helo func() string
	from string
	to   []address.Mailbox
}

var _ smtp.Session = (*session)(nil)

// Reset implements smtp.Session.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from, s.to = "", nil
	if from == "" {
		return nil
	}
	m, err := address.Requote(from, s.h.cfg.SMTPUTF8)
	if err != nil {
		return refuse(501, "5.1.7", err.Error())
	}
	s.from = m.String()
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	m, err := address.Requote(to, s.h.cfg.SMTPUTF8)
	if err != nil {
		return refuse(501, "5.1.3", err.Error())
	}
	if !s.h.takes(m) {
		return refuse(550, "5.1.1", "no such user here")
	}
	s.to = append(s.to, m)
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if !s.h.ready(s.ctx, s.key(data)) {
		return refuse(451, "4.3.0", "come back later")
	}
	for _, rec := range s.records(data) {
		if err := s.h.store.put(rec, data); err != nil {
			s.h.cfg.Log.Error("message not stored", "host", s.h.cfg.Name, "err", err)
			return refuse(451, "4.3.0", "cannot store the message")
		}
	}
	s.h.accepted(len(s.to))
	return nil
}

// records are what the index says about the message: one record for each
// mailbox, or one for the host.
func (s *session) records(data []byte) []Record {
	sum := sha256.Sum256(data)
	rec := Record{
		Time: time.Now().UTC(), Host: s.h.cfg.Name, Helo: s.helo(), From: s.from, SHA256: hex.EncodeToString(sum[:]), Size: len(data),
		MessageID: field(data, "Message-ID"), LabID: field(data, "X-Ims-Lab-Id"), folder: s.h.cfg.Name,
	}
	if len(s.h.boxes) == 0 {
		for _, m := range s.to {
			rec.Rcpts = append(rec.Rcpts, m.String())
		}
		return []Record{rec}
	}
	var all []Record
	for _, m := range s.to {
		one := rec
		one.folder = s.h.boxes[folded(m)]
		one.Rcpts = []string{m.String()}
		all = append(all, one)
	}
	return all
}

// key names this message to these recipients, so that an attempt can be told
// from another message.
func (s *session) key(data []byte) string {
	id := field(data, "X-Ims-Lab-Id")
	if id == "" {
		id = field(data, "Message-ID")
	}
	if id == "" { // trace fields differ from attempt to attempt, the body does not
		_, body, _ := bytes.Cut(data, []byte("\r\n\r\n"))
		sum := sha256.Sum256(body)
		id = string(sum[:])
	}
	var rcpts []string
	for _, m := range s.to {
		rcpts = append(rcpts, m.String())
	}
	slices.Sort(rcpts)
	return id + "\x00" + strings.Join(rcpts, "\x00")
}

// takes reports whether m is a recipient here.
func (h *Host) takes(m address.Mailbox) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, known := h.boxes[folded(m)]
	if h.how.Reject || len(h.boxes) > 0 && !known {
		h.counts.Rejected++
		return false
	}
	return true
}

// ready waits as long as the host is slow and reports whether this attempt is
// to be taken.
func (h *Host) ready(ctx context.Context, key string) bool {
	h.mu.Lock()
	how := h.how
	h.attempts[key]++
	taken := h.attempts[key] > how.Defer
	if !taken {
		h.counts.Deferred++
	}
	h.mu.Unlock()
	if how.Delay <= 0 {
		return taken
	}
	t := time.NewTimer(how.Delay)
	defer t.Stop()
	select {
	case <-t.C:
		return taken
	case <-ctx.Done():
		return false
	}
}

func (h *Host) accepted(rcpts int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts.Messages++
	h.counts.Recipients += rcpts
}

// field is the first value of a header field, unfolded.
func field(msg []byte, name string) string {
	header, _, _ := bytes.Cut(msg, []byte("\r\n\r\n"))
	lines := strings.Split(string(header), "\r\n")
	for i, l := range lines {
		n, value, ok := strings.Cut(l, ":")
		if !ok || !strings.EqualFold(n, name) {
			continue
		}
		for _, more := range lines[i+1:] {
			if more == "" || more[0] != ' ' && more[0] != '\t' {
				break
			}
			value += " " + strings.TrimSpace(more)
		}
		return strings.TrimSpace(value)
	}
	return ""
}

// refuse is a reply; enhanced is X.Y.Z with one digit each.
func refuse(code int, enhanced, text string) *smtp.SMTPError {
	return &smtp.SMTPError{
		Code:         code,
		EnhancedCode: smtp.EnhancedCode{int(enhanced[0] - '0'), int(enhanced[2] - '0'), int(enhanced[4] - '0')},
		Message:      text,
	}
}
