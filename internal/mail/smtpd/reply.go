package smtpd

import (
	"fmt"
	"strings"

	"github.com/emersion/go-smtp"
)

// Reply is a refusal: a 4xx or 5xx code, its enhanced status code (RFC 3463)
// and words. A Reply with code 421 also closes the connection.
type Reply struct {
	Code     int
	Enhanced [3]int
	Text     string
}

// Refuse makes a Reply from its usual spelling: Refuse(450, "4.3.2", "…"). An
// enhanced code that does not fit the code becomes X.0.0.
func Refuse(code int, enhanced, text string) *Reply {
	r := &Reply{Code: code, Text: text}
	if n, err := fmt.Sscanf(enhanced, "%d.%d.%d", &r.Enhanced[0], &r.Enhanced[1], &r.Enhanced[2]); n != 3 || err != nil {
		r.Enhanced = [3]int{}
	}
	return r.clean()
}

// String is the reply as it goes over the wire, without CRLF.
func (r *Reply) String() string {
	c := r.clean()
	return fmt.Sprintf("%d %d.%d.%d %s", c.Code, c.Enhanced[0], c.Enhanced[1], c.Enhanced[2], c.Text)
}

// clean makes r safe to send: a refusal, in printable ASCII, within the 512
// bytes of RFC 5321 section 4.5.3.1.5.
func (r *Reply) clean() *Reply {
	c := *r
	if c.Code < 400 || c.Code > 599 {
		c.Code = 451
	}
	if c.Enhanced[0] != c.Code/100 {
		c.Enhanced = [3]int{c.Code / 100, 0, 0}
	}
	c.Text = printable(c.Text, 400)
	return &c
}

func (r *Reply) smtp() *smtp.SMTPError {
	c := r.clean()
	return &smtp.SMTPError{Code: c.Code, EnhancedCode: c.Enhanced, Message: c.Text}
}

// printable replaces what is not printable ASCII and cuts at limit bytes.
func printable(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), limit)]
}
