package smtpd

import (
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBody(t *testing.T) {
	tests := []struct {
		name, in string
		lim      Limits
		want     string // of the bytes, or of the fault
		hops     int
		eightBit bool
	}{
		{name: "empty"},
		{name: "as it is", in: "A: b\r\n\r\nx\r\n", want: "A: b\r\n\r\nx\r\n"},
		{name: "last line is ended", in: "A: b\r\n\r\nx", want: "A: b\r\n\r\nx\r\n"},
		{name: "hops", in: "Received: a\r\nX: y\r\nRECEIVED:b\r\n Received: folded\r\nReceived-SPF: c\r\n\r\nReceived: d\r\n", want: "Received: a\r\nX: y\r\nRECEIVED:b\r\n Received: folded\r\nReceived-SPF: c\r\n\r\nReceived: d\r\n", hops: 2},
		{name: "eight bits", in: "\r\n\xe9\r\n", want: "\r\n\xe9\r\n", eightBit: true},
		{name: "bare LF at the start", in: "\nx", want: "554 5.6.0"},
		{name: "bare CR at the end", in: "x\r", want: "554 5.6.0"},
		{name: "CR CR LF", in: "x\r\r\n", want: "554 5.6.0"},
		{name: "size", in: "12345\r\n", lim: Limits{Size: 6}, want: "552 5.3.4"},
		{name: "size, exactly", in: "12345\r\n", lim: Limits{Size: 7}, want: "12345\r\n"},
		{name: "header", in: "A: b\r\nC: d\r\n\r\n", lim: Limits{Header: 10}, want: "552 5.3.4"},
		{name: "header, the body is none", in: "A: b\r\n\r\nlong body\r\n", lim: Limits{Header: 8}, want: "A: b\r\n\r\nlong body\r\n"},
		{name: "line", in: "12345\r\n123456\r\n", lim: Limits{Line: 5}, want: "554 5.6.0"},
		{name: "line, exactly", in: "12345\r\n12345\r\n", lim: Limits{Line: 5}, want: "12345\r\n12345\r\n"},
		{name: "too many hops", in: "Received: a\r\nReceived: b\r\n\r\n", lim: Limits{Hops: 1}, want: "554 5.4.6", hops: 2},
	}
	for _, tt := range tests {
		for how, src := range map[string]io.Reader{
			"at once": strings.NewReader(tt.in), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.in)), "with the end": iotest.DataErrReader(strings.NewReader(tt.in)),
		} {
			t.Run(tt.name+", "+how, func(t *testing.T) {
				b := NewBody(src, tt.lim)
				data, err := io.ReadAll(b)
				got := string(data)
				if b.Fault() != nil {
					got = codes(b.Fault().String())
				}
				if got != tt.want || (err != nil) != (b.Fault() != nil) || err != nil && !errors.Is(err, errRefused) {
					t.Errorf("got %q, %v, want %q", got, err, tt.want)
				}
				if b.Hops() != tt.hops || b.EightBit() != tt.eightBit || err == nil && b.Size() != int64(len(data)) {
					t.Errorf("hops %d, eight bits %v, size %d", b.Hops(), b.EightBit(), b.Size())
				}
			})
		}
	}
}

func TestBrokenBody(t *testing.T) {
	broken := errors.New("broken")
	b := NewBody(io.MultiReader(strings.NewReader("x"), iotest.ErrReader(broken)), Limits{})
	if data, err := io.ReadAll(b); !errors.Is(err, broken) || string(data) != "x" {
		t.Errorf("read %q, %v, want x and %v", data, err, broken)
	}
	if err := b.drain(10); !errors.Is(err, broken) {
		t.Errorf("drain = %v, want %v", err, broken)
	}
	if err := NewBody(strings.NewReader("12345"), Limits{}).drain(4); err == nil {
		t.Error("drain read more than its limit")
	}
}

func TestTrace(t *testing.T) {
	at := time.Date(2026, 11, 22, 4, 30, 0, 0, time.UTC)
	tests := []struct {
		name string
		t    Trace
		want string
	}{
		{
			"usual",
			Trace{Peer: Peer{Addr: netip.MustParseAddrPort("192.0.2.1:25"), Helo: "mx.a.example", ESMTP: true}, By: "gw.example", ID: "q1", For: "d@e.example", At: at},
			"Received: from mx.a.example ([192.0.2.1])\r\n\tby gw.example with ESMTP id q1\r\n\tfor <d@e.example>;\r\n\tSun, 22 Nov 2026 04:30:00 +0000\r\n",
		},
		{
			"hostile name, IPv6",
			Trace{Peer: Peer{Addr: netip.MustParseAddrPort("[2001:db8::1%eth0]:25"), Helo: "a) by evil;\r\nX: y"}, By: "gw.example", ID: "q1", At: at},
			"Received: from a??by?evil???X:?y ([IPv6:2001:db8::1])\r\n\tby gw.example with SMTP id q1;\r\n\tSun, 22 Nov 2026 04:30:00 +0000\r\n",
		},
		{
			"no name, no address",
			Trace{By: "gw.example", ID: "q1", At: at},
			"Received: from unknown ([unknown])\r\n\tby gw.example with SMTP id q1;\r\n\tSun, 22 Nov 2026 04:30:00 +0000\r\n",
		},
	}
	for _, tt := range tests {
		if d := cmp.Diff(tt.want, string(tt.t.Bytes())); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

func TestReply(t *testing.T) {
	for in, want := range map[*Reply]string{
		Refuse(450, "4.3.2", "later"):                  "450 4.3.2 later",
		Refuse(550, "4.3.2", "x\r\ny"):                 "550 5.0.0 x??y",
		Refuse(250, "2.0.0", "a refusal that is none"): "451 4.0.0 a refusal that is none",
		Refuse(554, "", "x"):                           "554 5.0.0 x",
		{Code: 554, Text: "\x1b[31m\u202e"}:            "554 5.0.0 ?[31m?",
	} {
		if got := in.String(); got != want {
			t.Errorf("%+v is %q, want %q", in, got, want)
		}
	}
}
