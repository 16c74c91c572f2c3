package smtpd

import (
	"bytes"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

// talk sends everything at once, half-closes, and gives all replies.
func talk(t *testing.T, addr string, send []byte) string {
	t.Helper()
	c, err := net.Dial("unix", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = c.Write(send) // the server may hang up first
		if half, ok := c.(*net.UnixConn); ok {
			_ = half.CloseWrite() // as above
		}
	}()
	out, _ := io.ReadAll(c) // a reset counts as an end
	<-sent
	return string(out)
}

// FuzzBody puts foreign bytes into a body. At most one message comes out, it
// is the one that was sent, and it has no bare CR or LF.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		"x\r\n", ".\r\nMAIL FROM:<e@x>\r\n", "a\r\r\n.\r\nMAIL FROM:<e@x>\r\nRCPT TO:<v@y>\r\nDATA\r\nz", "a\n.\nb", "..\r\n.\rX\r\n", "\r\n\r\n.", "Received: x\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := &recorder{}
		addr := listen(t, Config{Handler: r})
		wire := slices.Concat(body, []byte("\r\n.\r\n"))
		whole := ""
		if bytes.HasPrefix(wire, []byte(".\r\n")) {
			wire = wire[:3]
		} else {
			end := bytes.Index(wire, []byte("\r\n.\r\n")) + 2
			whole, wire = string(wire[:end]), wire[:end+3]
		}
		talk(t, addr, []byte(hello+"DATA\r\n"+string(wire)+"QUIT\r\n"))
		got := r.messages()
		want := unstuffed(whole)
		switch bare := strings.ContainsAny(strings.ReplaceAll(whole, "\r\n", ""), "\r\n"); {
		case bare && len(got) != 0:
			t.Errorf("%q was accepted as %q", whole, got)
		case !bare && (len(got) != 1 || got[0].Data != want || got[0].From != "<a@b.example>"):
			t.Errorf("%q came out as %q, want %q", whole, got, want)
		}
	})
}

func unstuffed(s string) string {
	var b strings.Builder
	for line := range strings.SplitAfterSeq(s, "\r\n") {
		b.WriteString(strings.TrimPrefix(line, "."))
	}
	return b.String()
}

// FuzzSession sends foreign bytes for a whole session: nothing panics, the
// server stops, and what is accepted is well-formed.
func FuzzSession(f *testing.F) {
	f.Add([]byte(hello + "DATA\r\nx\r\n.\r\nQUIT\r\n"))
	f.Add([]byte(hello + "BDAT 3\r\nabcBDAT 2 LAST\r\nxyRSET\r\n"))
	f.Add([]byte("EHLO c\r\nMAIL FROM:<\"a b\"@c> SIZE=5 RET=HDRS ENVID=+41\r\nRCPT TO:<@x:a@b> NOTIFY=NEVER ORCPT=rfc822;a+40b\r\nDATA\r\n.\r\n"))
	f.Add([]byte("HELO c\r\nSTARTTLS\r\nAUTH PLAIN\r\nETRN x\r\nBDAT\r\nRCPT TO:<postmaster>\r\n"))
	f.Fuzz(func(t *testing.T, session []byte) {
		r := &recorder{}
		talk(t, listen(t, Config{Handler: r, SMTPUTF8: true}), session)
		for _, m := range r.messages() {
			if strings.ContainsAny(strings.ReplaceAll(m.Data, "\r\n", ""), "\r\n") || m.Data != "" && !strings.HasSuffix(m.Data, "\r\n") {
				t.Errorf("accepted %q", m.Data)
			}
			for _, path := range append(m.To, m.From) {
				if strings.ContainsAny(path, "\r\n\x00") || !strings.HasPrefix(path, "<") || !strings.HasSuffix(path, ">") {
					t.Errorf("accepted path %q", path)
				}
			}
			if len(m.To) == 0 {
				t.Errorf("accepted %q without a recipient", m.Data)
			}
		}
	})
}
