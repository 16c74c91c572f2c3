package dsn

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	ims "example.org/ims/internal/mail"
)

var update = flag.Bool("update", false, "rewrite golden files")

var at = time.Date(2026, 11, 22, 4, 30, 0, 0, time.UTC)

const original = "Received: from a by b; Sun, 22 Nov 2026 03:00:00 +0000\r\n" +
	"From: Ann <ann@corp.example>\r\nTo: bob@gone.example\r\nSubject: minutes\r\n of the meeting\r\nMessage-ID: <1@corp.example>\r\n\r\nHello\r\n"

func sample() Report {
	return Report{
		ID: "0c5v2", Host: "gw.corp.example", To: "ann@corp.example", At: at, Arrival: at.Add(-time.Hour),
		EnvID: "QQ1", Original: []byte(original), Advice: "Send it again through mx2.corp.example.\nAsk the postmaster.",
		Recipients: []Recipient{
			{
				Final: "bob@gone.example", Original: "rfc822;Bob@gone.example", Action: Failed, Remote: "mx.gone.example",
				Diagnostic:  "550-5.1.1 The account does not exist,\r\n550 5.1.1 try checking the spelling\x1b[31m of the \xe9 address that you have given",
				LastAttempt: at, Why: "The remote host refused the recipient.",
			},
			{Final: "eve@slow.example", Action: Failed, Status: "5.4.7", Diagnostic: "451 4.3.0 later", Why: "It could not be delivered within 1 hour."},
		},
	}
}

func TestGolden(t *testing.T) {
	full := sample()
	full.Full = true
	delayed := sample()
	delayed.Recipients = []Recipient{{Final: "bob@gone.example", Action: Delayed, RetryUntil: at.Add(time.Hour), Diagnostic: "dial tcp: connection refused", Why: "No host answered."}}
	for name, r := range map[string]Report{"failed": sample(), "full": full, "delayed": delayed} {
		got := Build(r)
		file := "testdata/" + name + ".eml"
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// parsed is what a reader gets out of a report.
type parsed struct {
	Subject, To, Auto string
	Types             []string
	Blocks            []map[string]string // of the delivery-status part
	Third             string
}

func parse(t *testing.T, msg []byte) parsed {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(msg))
	if err != nil {
		t.Fatalf("ReadMessage: %v", err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["report-type"] != "delivery-status" {
		t.Fatalf("Content-Type %q, %v: %v", kind, params, err)
	}
	p := parsed{Subject: m.Header.Get("Subject"), To: m.Header.Get("To"), Auto: m.Header.Get("Auto-Submitted")}
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return p
		}
		if err != nil {
			t.Fatalf("NextPart: %v", err)
		}
		body, err := io.ReadAll(part)
		if err != nil {
			t.Fatalf("read part: %v", err)
		}
		p.Types = append(p.Types, strings.Split(part.Header.Get("Content-Type"), ";")[0])
		if len(p.Types) == 2 {
			p.Blocks = blocks(t, body)
		}
		p.Third = string(body)
	}
}

func blocks(t *testing.T, body []byte) []map[string]string {
	t.Helper()
	var out []map[string]string
	tp := textproto.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(body), strings.NewReader("\r\n"))))
	for {
		h, err := tp.ReadMIMEHeader()
		if len(h) > 0 {
			one := map[string]string{}
			for k := range h {
				one[k] = h.Get(k)
			}
			out = append(out, one)
		}
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("delivery-status: %v", err)
		}
	}
}

func TestParsesWithGo(t *testing.T) {
	got := parse(t, Build(sample()))
	want := parsed{
		Subject: "Undeliverable: minutes of the meeting", To: "<ann@corp.example>", Auto: "auto-replied",
		Types: []string{"text/plain", "message/delivery-status", "text/rfc822-headers"},
		Blocks: []map[string]string{
			{"Original-Envelope-Id": "QQ1", "Reporting-Mta": "dns; gw.corp.example", "Arrival-Date": "Sun, 22 Nov 2026 03:30:00 +0000"},
			{
				"Original-Recipient": "rfc822; Bob@gone.example", "Final-Recipient": "rfc822; bob@gone.example", "Action": "failed", "Status": "5.1.1",
				"Remote-Mta":        "dns; mx.gone.example",
				"Diagnostic-Code":   "smtp; 550-5.1.1 The account does not exist, 550 5.1.1 try checking the spelling?[31m of the ? address that you have given",
				"Last-Attempt-Date": "Sun, 22 Nov 2026 04:30:00 +0000",
			},
			{"Final-Recipient": "rfc822; eve@slow.example", "Action": "failed", "Status": "5.4.7", "Diagnostic-Code": "smtp; 451 4.3.0 later"},
		},
		Third: original[:strings.Index(original, "\r\n\r\n")+2],
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("report (-want +got):\n%s", d)
	}
}

const reader = `
import email, email.policy, json, sys
m = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.SMTP)
parts = list(m.iter_parts())
status = parts[1].get_payload()
third = parts[2]
print(json.dumps({
  "type": m.get_content_type(), "report": m.get_param("report-type"), "to": str(m["To"]), "from": str(m["From"]),
  "defects": [repr(d) for p in m.walk() for d in p.defects],
  "types": [p.get_content_type() for p in parts],
  "blocks": len(status), "actions": [str(s["Action"]) for s in status[1:]], "statuses": [str(s["Status"]) for s in status[1:]],
}))`

func TestParsesWithPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed: the report is not read by a second parser")
	}
	full := sample()
	full.Full = true
	for third, r := range map[string]Report{"text/rfc822-headers": sample(), "message/rfc822": full} {
		cmd := exec.CommandContext(t.Context(), python, "-c", reader)
		cmd.Stdin = bytes.NewReader(Build(r))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("python3: %v\n%s", err, out)
		}
		var got map[string]any
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("python3 printed %q: %v", out, err)
		}
		want := map[string]any{
			"type": "multipart/report", "report": "delivery-status", "to": "ann@corp.example",
			"from": "Mail Delivery System <MAILER-DAEMON@gw.corp.example>", "defects": []any{},
			"types":  []any{"text/plain", "message/delivery-status", third},
			"blocks": 3.0, "actions": []any{"failed", "failed"}, "statuses": []any{"5.1.1", "5.4.7"},
		}
		if got["to"] == "<ann@corp.example>" { // depends on the version of python
			got["to"] = "ann@corp.example"
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", third, d)
		}
	}
}

// clean checks what every report promises.
func clean(t *testing.T, msg []byte) {
	t.Helper()
	if !carries(msg) || !bytes.HasSuffix(msg, []byte("\r\n")) {
		t.Errorf("report has a bare CR or LF, a NUL or a long line:\n%q", msg)
	}
	head, _, _ := bytes.Cut(msg, []byte("\r\n\r\n"))
	if EightBit(head) {
		t.Errorf("header is not ASCII: %q", head)
	}
	if EightBit(msg) != bytes.Contains(head, []byte("Content-Transfer-Encoding: 8bit")) {
		t.Errorf("the declared encoding is not that of the report:\n%q", head)
	}
}

func TestReturnedPart(t *testing.T) {
	long := "Subject: s\r\n\r\n" + strings.Repeat("x", 999) + "\r\n"
	tests := []struct {
		name, original string
		full           bool
		kind, encoding string
		whole          bool
	}{
		{"header by default", original, false, "text/rfc822-headers", "7bit", false},
		{"whole", original, true, "message/rfc822", "7bit", true},
		{"whole, 8 bits", "Subject: s\r\n\r\n\xe9\r\n", true, "message/rfc822", "8bit", true},
		{"whole, without a last CRLF", "Subject: s\r\n\r\nx", true, "message/rfc822", "7bit", true},
		{"header of 8 bits", "Subject: \xe9\r\n\r\nx\r\n", false, "text/rfc822-headers", "quoted-printable", false},
		{"too big", "Subject: s\r\n\r\n" + strings.Repeat("x\r\n", MaxReturn), true, "text/rfc822-headers", "7bit", false},
		{"line too long", long, true, "text/rfc822-headers", "7bit", false},
		{"long header line", "X: " + strings.Repeat("x", 2000) + "\r\n\r\n", true, "text/rfc822-headers", "quoted-printable", false},
		{"bare LF", "Subject: s\r\n\r\na\nb\r\n", true, "text/rfc822-headers", "7bit", false},
		{"no header", "\r\nx\r\n", false, "text/rfc822-headers", "7bit", false},
		{"nothing", "", false, "text/rfc822-headers", "7bit", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := sample()
			r.Original, r.Full = []byte(tt.original), tt.full
			msg := Build(r)
			clean(t, msg)
			part := string(msg[bytes.LastIndex(msg, []byte("Content-Type: ")):])
			if want := "Content-Type: " + tt.kind + "\r\nContent-Transfer-Encoding: " + tt.encoding + "\r\n"; !strings.HasPrefix(part, want) {
				t.Errorf("third part %.120q, want %q", part, want)
			}
			if got := parse(t, msg).Third == tt.original; got != tt.whole {
				t.Errorf("returned whole: %v, want %v", got, tt.whole)
			}
		})
	}
}

func TestShouldReport(t *testing.T) {
	tests := []struct {
		from   string
		notify []string
		class  ims.Class
		action Action
		want   bool
	}{
		{"a@b", nil, ims.Normal, Failed, true},
		{"a@b", nil, ims.Urgent, Delayed, true},
		{"a@b", nil, ims.Normal, Relayed, false},
		{"", nil, ims.Normal, Failed, false},
		{"a@b", nil, ims.Report, Failed, false},
		{"a@b", []string{"NEVER"}, ims.Normal, Failed, false},
		{"a@b", []string{"DELAY"}, ims.Normal, Failed, false},
		{"a@b", []string{"DELAY"}, ims.Normal, Delayed, true},
		{"a@b", []string{"failure"}, ims.Normal, Failed, true},
		{"a@b", []string{"FAILURE"}, ims.Normal, Delayed, false},
		{"a@b", []string{"SUCCESS", "FAILURE"}, ims.Normal, Relayed, true},
	}
	for _, tt := range tests {
		got, reason := ShouldReport(tt.from, tt.notify, tt.class, tt.action)
		if got != tt.want || got == (reason != "") {
			t.Errorf("ShouldReport(%q, %q, %v, %s) = %v, %q, want %v", tt.from, tt.notify, tt.class, tt.action, got, reason, tt.want)
		}
	}
}

func TestStatus(t *testing.T) {
	tests := []struct {
		reply string
		a     Action
		want  string
	}{
		{"550 5.1.1 no such user", Failed, "5.1.1"},
		{"550-5.7.26 first\r\n550 5.7.26 last", Failed, "5.7.26"},
		{"452 4.2.2", Delayed, "4.2.2"},
		{"550 no such user", Failed, "5.0.0"},
		{"550 4.1.1 liar", Failed, "5.0.0"},
		{"550 5.1.1.1 odd", Failed, "5.0.0"},
		{"421", Delayed, "4.0.0"},
		{"connection refused", Delayed, "4.0.0"},
		{"", Failed, "5.0.0"},
		{"", Relayed, "2.0.0"},
	}
	for _, tt := range tests {
		if got := Status(tt.reply, tt.a); got != tt.want {
			t.Errorf("Status(%q, %s) = %q, want %q", tt.reply, tt.a, got, tt.want)
		}
	}
}

// FuzzBuild puts foreign text everywhere it can come from.
func FuzzBuild(f *testing.F) {
	f.Add("550 x\r\nFinal-Recipient: rfc822; evil@x\r\n\r\n--=_0c5v2_0", "a@b\r\nAction: relayed", original, true)
	f.Add("\x00\xff", "\u00e9@\u00e9.example", "--=_0c5v2_0\r\n\r\n--=_0c5v2_0--\r\n", true)
	f.Fuzz(func(t *testing.T, diagnostic, addr, msg string, full bool) {
		r := sample()
		r.To, r.EnvID, r.Original, r.Full = addr, diagnostic, []byte(msg), full
		r.Recipients = []Recipient{{Final: addr, Original: addr, Remote: addr, Action: Failed, Diagnostic: diagnostic, Why: diagnostic}}
		out := Build(r)
		clean(t, out)
		p := parse(t, out)
		if len(p.Types) != 3 || len(p.Blocks) != 2 || p.Blocks[1]["Action"] != "failed" || !strings.HasPrefix(p.Blocks[1]["Status"], "5.") && !strings.HasPrefix(diagnostic, "4") && !strings.HasPrefix(diagnostic, "2") {
			t.Errorf("forged: %s", fmt.Sprint(p))
		}
	})
}
