package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/smtp"
	"os/exec"
	"slices"
	"strings"
	"text/template"
	"time"
)

// Target is where notifications go: exactly one of Exec, Webhook and Mail.
type Target struct {
	Name string
	On   []Kind // empty means every kind
	Text string // template of the line that people read; DefaultText if empty

	// Exec is a program and its arguments, each of them a template. It is not
	// given to a shell. The message is on its standard input as JSON.
	Exec []string
	// Webhook is a URL that takes the message as JSON by POST, with the id as
	// Idempotency-Key, and answers 2xx.
	Webhook string
	// Mail is an address, Via the host:port that takes mail for it, From the
	// reverse-path, which may be empty (RFC 5321, section 4.5.5).
	Mail, Via, From string
}

// Wants reports whether a target is told of a kind.
func (t *Target) Wants(k Kind) bool {
	return len(t.On) == 0 || k == Test || slices.Contains(t.On, k)
}

// Schema names the shape of a Message.
const Schema = "ims/notification/v1"

// Message is what a program reads and a webhook takes. Its text is the line that
// the target's template makes: what chat services show of what they are sent.
type Message struct {
	Schema string `json:"schema"`
	Notification
	Text string `json:"text"`
	What string `json:"what"` // what happened, in a sentence
}

// limit is how long a target may take at one attempt.
const limit = 30 * time.Second

// send tells a target once. It returns when the target has taken it.
func (t *Target) send(ctx context.Context, n Notification) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	line, err := t.line(n)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(Message{Schema: Schema, Notification: n, Text: line, What: n.Text})
	if err != nil {
		return fmt.Errorf("encode notification: %w", err)
	}
	switch {
	case len(t.Exec) > 0:
		return t.run(ctx, n, append(raw, '\n'))
	case t.Webhook != "":
		return t.post(ctx, n, raw)
	}
	return t.mail(ctx, n, line)
}

func (t *Target) line(n Notification) (string, error) {
	text := t.Text
	if text == "" {
		text = DefaultText
	}
	tmpl, err := template.New("notify").Parse(text)
	if err != nil {
		return "", fmt.Errorf("read template: %w", err)
	}
	return render(tmpl, n)
}

func (t *Target) run(ctx context.Context, n Notification, stdin []byte) error {
	argv := make([]string, len(t.Exec))
	for i, a := range t.Exec {
		tmpl, err := template.New("notify").Parse(a)
		if err != nil {
			return fmt.Errorf("read template: %w", err)
		}
		if argv[i], err = render(tmpl, n); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s: %w: %s", argv[0], err, firstLine(out))
	}
	return nil
}

func firstLine(out []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimSpace(out), []byte("\n"))
	return strings.ToValidUTF8(string(line[:min(len(line), 200)]), "?")
}

func (t *Target) post(ctx context.Context, n Notification, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.Webhook, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("write request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", n.ID)
	req.Header.Set("User-Agent", "ims")
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("tell webhook: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // it was only read
	said, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err != nil {
		return fmt.Errorf("read webhook's answer: %w", err)
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("tell webhook: %s: %s", res.Status, firstLine(said))
	}
	return nil
}

// mail sends a message whose Message-ID is the notification's id, so that a
// repetition is known as one.
func (t *Target) mail(ctx context.Context, n Notification, line string) error {
	host, _, err := net.SplitHostPort(t.Via)
	if err != nil {
		return fmt.Errorf("read address %q: %w", t.Via, err)
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", t.Via)
	if err != nil {
		return fmt.Errorf("reach mail host: %w", err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return fmt.Errorf("bound the time: %w", err)
		}
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return fmt.Errorf("greet mail host: %w", err)
	}
	if err := errors.Join(c.Mail(t.From), c.Rcpt(t.Mail)); err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	w, err := c.Data()
	if err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	if _, err := w.Write(t.message(n, line)); err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	if err := w.Close(); err != nil { // the answer to the end of data
		return fmt.Errorf("send mail: %w", err)
	}
	_ = c.Quit() // it was taken
	return nil
}

func (t *Target) message(n Notification, line string) []byte {
	var b bytes.Buffer
	id := strings.ReplaceAll(n.ID, "/", ".")
	from := t.From
	if from == "" {
		from = "ims@localhost"
	}
	fmt.Fprintf(&b, "From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@ims>\r\nAuto-Submitted: auto-generated\r\n",
		from, t.Mail, mime.QEncoding.Encode("utf-8", strings.Join(strings.Fields(line), " ")), n.At.Format(time.RFC1123Z), id)
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n")
	for _, l := range append([]string{line, "", n.Title}, n.Lines...) {
		b.WriteString(strings.ReplaceAll(l, "\n", "\r\n") + "\r\n")
	}
	return b.Bytes()
}
