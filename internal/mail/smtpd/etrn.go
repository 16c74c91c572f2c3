package smtpd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
)

// Dequeuer is what a Session may also be able to do: to start the queue of a
// node that asks for its mail (RFC 1985). Config.ETRN announces it.
type Dequeuer interface {
	// Dequeue starts sending what waits for a node, or for all nodes below it,
	// too, and returns how many messages those are. A Reply refuses: 459 the
	// node, 458 for now.
	Dequeue(ctx context.Context, node string, below bool) (messages int, no *Reply)
}

// ehloETRN is the keyword of the extension (RFC 1985 section 3).
const ehloETRN = "250-ETRN\r\n"

// announced is p with the keyword behind the first line of the reply to EHLO.
func (g *gate) announced(p []byte) []byte {
	i := bytes.IndexByte(p, '\n') + 1
	if !g.greet || i == 0 || !bytes.HasPrefix(p, []byte("250-")) {
		return p
	}
	g.greet = false
	return append(append(append([]byte{}, p[:i]...), ehloETRN...), p[i:]...)
}

// dequeue answers an ETRN command: go-smtp does not know it.
func (g *gate) dequeue(line string) error {
	_, err := io.WriteString(g, g.started(line)+"\r\n")
	if err != nil {
		return g.lost(err)
	}
	return nil
}

// started starts a queue and says so. RFC 1985 section 5 has the replies.
func (g *gate) started(line string) string {
	_, node, _ := strings.Cut(line, " ")
	node = strings.TrimSpace(node)
	name, below := strings.CutPrefix(node, "@")
	switch {
	case !g.esmtp || g.open():
		return "503 5.5.1 ETRN comes after EHLO, and outside a transaction"
	case name == "" || strings.ContainsAny(name, " \t<>@#:"): // # is a queue by its name, and we have none
		return "501 5.5.4 want ETRN and a domain"
	}
	n, no := g.start(name, below)
	switch {
	case no != nil:
		return no.String()
	case n == 0:
		return "251 2.0.0 OK, no messages waiting for node " + printable(name, 255)
	}
	return fmt.Sprintf("253 2.0.0 OK, %d pending messages for node %s started", n, printable(name, 255))
}

// open reports whether a transaction is.
func (g *gate) open() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.busy
}

// dequeue asks the handler's session.
func (s *session) dequeue(d Dequeuer) func(node string, below bool) (int, *Reply) {
	return func(node string, below bool) (int, *Reply) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return d.Dequeue(s.ctx, node, below)
	}
}
