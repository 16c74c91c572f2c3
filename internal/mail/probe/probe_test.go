package probe

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/ims/pkg/facts"
)

// script answers each command with the reply of its verb, and records the
// commands.
func script(replies map[string]string, heard *[]string) func(context.Context, string) (net.Conn, error) {
	return func(context.Context, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			fmt.Fprintf(server, "%s\r\n", replies["greeting"])
			in := bufio.NewScanner(server)
			for in.Scan() {
				*heard = append(*heard, in.Text())
				verb, _, _ := strings.Cut(strings.ToUpper(in.Text()), " ")
				reply, ok := replies[verb]
				if !ok {
					reply = "250 ok"
				}
				fmt.Fprintf(server, "%s\r\n", reply)
				if verb == "QUIT" {
					return
				}
			}
		}()
		return client, nil
	}
}

func TestProbe(t *testing.T) {
	tests := []struct {
		name    string
		replies map[string]string
		want    facts.Value
		words   string
	}{
		{"accepts", map[string]string{"greeting": "220 gw"}, facts.ReplyAccept, "250"},
		{"refuses recipients for now", map[string]string{"greeting": "220 gw", "RCPT": "450 4.3.2 retiring"}, facts.ReplyTemporary, "450 4.3.2 retiring"},
		{"refuses connections for now", map[string]string{"greeting": "421 4.3.2 retiring"}, facts.ReplyTemporary, "421 4.3.2 retiring"},
		{"refuses without an enhanced code", map[string]string{"greeting": "220 gw", "RCPT": "550 no such user"}, facts.ReplyPermanent, "550 no such user"},
		{"refuses for good", map[string]string{"greeting": "220 gw", "RCPT": "550 5.1.1 no such user"}, facts.ReplyPermanent, "550 5.1.1 no such user"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var heard []string
			p := &Prober{Dial: script(tt.replies, &heard), Helo: "test"}
			got, words, err := p.Probe(t.Context(), "gw:25", "postmaster@example.test")
			if err != nil || got != tt.want || words != tt.words {
				t.Errorf("Probe() = %v, %q, %v, want %v, %q", got, words, err, tt.want, tt.words)
			}
		})
	}
}

func TestProbeSendsNoMessage(t *testing.T) {
	var heard []string
	p := &Prober{Dial: script(map[string]string{"greeting": "220 gw", "QUIT": "221 bye"}, &heard), Helo: "test"}
	if _, _, err := p.Probe(t.Context(), "gw:25", "a@example.test"); err != nil {
		t.Fatal(err)
	}
	want := "EHLO ims-probe.test|MAIL FROM:<>|RCPT TO:<a@example.test>|RSET|EHLO ims-probe.test|QUIT"
	if got := strings.Join(heard, "|"); got != want {
		t.Errorf("the listener heard %q, want %q", got, want)
	}
}

func TestProbeWithoutAnswer(t *testing.T) {
	refused := &Prober{Dial: func(context.Context, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}}
	if got, _, err := refused.Probe(t.Context(), "gw:25", "a@b"); got != facts.ReplyClosed || err != nil {
		t.Errorf("refused connection: %v, %v, want closed", got, err)
	}
	silent := &Prober{Timeout: time.Nanosecond, Dial: func(context.Context, string) (net.Conn, error) {
		client, _ := net.Pipe()
		return client, nil
	}}
	if got, _, err := silent.Probe(t.Context(), "gw:25", "a@b"); got != facts.Unknown || err == nil {
		t.Errorf("silent listener: %v, %v, want unknown with an error", got, err)
	}
}
