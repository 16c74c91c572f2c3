package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// wires are recording relays in front of a lab: what passes towards it is kept
// by protocol.
type wires struct {
	dir   string
	busy  sync.WaitGroup // relays of connections: what was sent is kept when they end
	mu    sync.Mutex
	known map[string]string // address → relay
	sent  []message
}

// message is what one side sent: a connection's bytes, or one datagram.
type message struct {
	udp  bool
	unix bool
	data []byte
}

func newWires(t *testing.T, dir string) *wires {
	t.Helper()
	return &wires{dir: dir, known: map[string]string{}}
}

// network relays TCP and UDP to an address, at one port for both.
func (w *wires) network(t *testing.T, to string) string {
	t.Helper()
	if at, ok := w.known[to]; ok {
		return at
	}
	for range 20 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		at := ln.Addr().String()
		pc, err := net.ListenPacket("udp", at)
		if err != nil { // somebody else has the port for datagrams
			_ = ln.Close()
			continue
		}
		t.Cleanup(func() { _, _ = ln.Close(), pc.Close() })
		go w.accept(ln, "tcp", to)
		go w.datagrams(pc, to)
		w.known[to] = at
		return at
	}
	t.Fatal("no port is free for TCP and UDP at once")
	return ""
}

// socket relays a Unix socket.
func (w *wires) socket(t *testing.T, to string) string {
	t.Helper()
	at := filepath.Join(w.dir, "wire.sock")
	ln, err := net.Listen("unix", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go w.accept(ln, "unix", to)
	return at
}

func (w *wires) accept(ln net.Listener, network, to string) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		w.busy.Go(func() { w.relay(c, network, to) })
	}
}

func (w *wires) relay(c net.Conn, network, to string) {
	defer c.Close()
	up, err := net.Dial(network, to)
	if err != nil {
		return // the dry run sees a connection that ends: nothing listens there
	}
	defer up.Close()
	go func() {
		_, _ = io.Copy(c, up) // either side may end the conversation
		_ = c.Close()
	}()
	var sent bytes.Buffer
	_, _ = io.Copy(up, io.TeeReader(c, &sent))
	w.keep(message{unix: network == "unix", data: sent.Bytes()})
}

func (w *wires) datagrams(pc net.PacketConn, to string) {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			return
		}
		data := bytes.Clone(buf[:n])
		w.keep(message{udp: true, data: data})
		go func() {
			up, err := net.Dial("udp", to)
			if err != nil {
				return
			}
			defer up.Close()
			answer := make([]byte, 64<<10)
			if _, err := up.Write(data); err != nil {
				return
			}
			if n, err := up.Read(answer); err == nil {
				_, _ = pc.WriteTo(answer[:n], from)
			}
		}()
	}
}

func (w *wires) keep(m message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, m)
}

// kind tells what protocol a message is of, and names everything in it that
// could change something.
func (m message) kind() (kind string, writes []string) {
	switch {
	case m.unix:
		return "control", httpWrites(m.data)
	case m.udp:
		return "dns", dnsWrites(m.data)
	case bytes.HasPrefix(m.data, []byte("EHLO")) || bytes.HasPrefix(m.data, []byte("HELO")):
		return "smtp", smtpWrites(m.data)
	case len(m.data) > 2:
		for rest := m.data; len(rest) > 2; {
			n := int(rest[0])<<8 | int(rest[1])
			if len(rest) < 2+n {
				return "dns", append(writes, "a broken DNS message")
			}
			writes, rest = append(writes, dnsWrites(rest[2:2+n])...), rest[2+n:]
		}
		return "dns", writes
	}
	return "", nil
}

// dnsWrites accepts opcode QUERY only (RFC 1035 4.1.1).
func dnsWrites(m []byte) []string {
	if len(m) < 12 {
		return []string{"a short DNS message"}
	}
	if opcode := m[2] >> 3 & 15; opcode != 0 {
		return []string{fmt.Sprintf("a DNS message with opcode %d", opcode)}
	}
	return nil
}

func smtpWrites(m []byte) (writes []string) {
	for line := range strings.Lines(string(m)) {
		verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "EHLO", "MAIL", "RCPT", "RSET", "QUIT":
		default:
			writes = append(writes, "SMTP "+line)
		}
	}
	return writes
}

// httpWrites accepts requests without a body only.
func httpWrites(m []byte) (writes []string) {
	for line := range strings.Lines(string(m)) {
		if strings.HasSuffix(strings.TrimSpace(line), " HTTP/1.1") && !strings.HasPrefix(line, "GET ") {
			writes = append(writes, "control "+line)
		}
	}
	return writes
}

// writes names what could have changed something, once every connection has
// ended.
func (w *wires) writes() (all []string) {
	w.busy.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.sent {
		_, writes := m.kind()
		all = append(all, writes...)
	}
	return all
}

func (w *wires) kinds() map[string]bool {
	w.busy.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := map[string]bool{}
	for _, m := range w.sent {
		kind, _ := m.kind()
		seen[kind] = true
	}
	return seen
}

// marker is a buffer that says when it has seen a mark.
type marker struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	mark string
	seen chan struct{}
	once sync.Once
}

func (m *marker) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.buf.Write(p)
	if strings.Contains(m.buf.String(), m.mark) {
		m.once.Do(func() { close(m.seen) })
	}
	return len(p), nil
}

func (m *marker) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.buf.String()
}
