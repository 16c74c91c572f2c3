package output_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/output"
)

func TestResult(t *testing.T) {
	data := struct {
		Subject string `json:"subject"`
	}{"a<b \x1b[2J\u202e\u009b\u2028 \U000e0001"}
	text := func(p *output.Page) {
		p.Line("subject %s", data.Subject)
		p.Blank()
		p.Line("two\nlines")
	}
	tests := []struct {
		name string
		opt  output.Options
		want string
	}{
		{"text", output.Options{}, "subject a<b \\x1b[2J\\u202e\\u009b\\u2028 \\U000e0001\n\ntwo\nlines\n"},
		{"json", output.Options{Format: output.JSON}, `{"schema":"ims/letter/v1","subject":"a<b \u001b[2J\u202e\u009b\u2028 \udb40\udc01"}` + "\n"},
		{"jsonl on a terminal", output.Options{Format: output.JSONL, Terminal: true}, `{"schema":"ims/letter/v1","subject":"a<b \u001b[2J\u202e\u009b\u2028 \udb40\udc01"}` + "\n"},
		{"json on a terminal", output.Options{Format: output.JSON, Terminal: true}, "{\n  \"schema\": \"ims/letter/v1\",\n  \"subject\": \"a<b \\u001b[2J\\u202e\\u009b\\u2028 \\udb40\\udc01\"\n}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, words strings.Builder
			if err := output.New(&out, &words, tt.opt).Result("letter", data, text); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Errorf("Result (-want +got):\n%s", diff)
			}
			if words.Len() > 0 {
				t.Errorf("Result wrote words %q", &words)
			}
			if tt.opt.Format == "" {
				return
			}
			back := data
			if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back != data {
				t.Errorf("Unmarshal = %+v, %v, want %+v", back, err, data)
			}
		})
	}
}

func TestResultWantsAnObject(t *testing.T) {
	p := output.New(&strings.Builder{}, &strings.Builder{}, output.Options{Format: output.JSON})
	for _, data := range []any{[]int{1}, "text", nil, 3} {
		if err := p.Result("x", data, nil); err == nil {
			t.Errorf("Result(%v) succeeded, want an error", data)
		}
	}
	var out strings.Builder
	if err := output.New(&out, nil, output.Options{Format: output.JSON}).Result("x", struct{}{}, nil); err != nil || out.String() != "{\"schema\":\"ims/x/v1\"}\n" {
		t.Errorf("Result of an empty object = %q, %v", &out, err)
	}
}

func TestEvent(t *testing.T) {
	tests := []struct {
		format output.Format
		want   string
	}{
		{output.Text, "state drain\n"},
		{output.JSONL, `{"schema":"ims/event/v1","state":"drain"}` + "\n"},
		{output.JSON, ""},
	}
	for _, tt := range tests {
		var out strings.Builder
		p := output.New(&out, &strings.Builder{}, output.Options{Format: tt.format})
		if err := p.Event("event", map[string]string{"state": "drain"}, "state %s", "drain"); err != nil {
			t.Fatal(err)
		}
		if out.String() != tt.want {
			t.Errorf("Event as %s = %q, want %q", tt.format, &out, tt.want)
		}
	}
}

func TestTable(t *testing.T) {
	table := output.Table{Columns: output.Columns("queued_count", "n#", "a|b")}
	table.Columns[2].Max = 8
	table.Add("out", 7, "example.com. deferred")
	table.Add("mts-out — 東京", 1200, "x\x1b[31m\n")
	table.Add("", 0, "")
	table.Add("in", 1, "deferred")
	want := strings.Join([]string{
		"queued_count       n  a|b",
		"out                7  example…",
		"mts-out — 東京  1200  x\\x1b[3…",
		"-                  0  -",
		"in                 1  deferred",
		"",
	}, "\n")
	var out strings.Builder
	p := output.New(&out, &strings.Builder{}, output.Options{})
	if err := p.Result("x", nil, func(page *output.Page) { page.Table(table) }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("Table (-want +got):\n%s", diff)
	}
	table.Add("one cell")
	if err := p.Result("x", nil, func(page *output.Page) { page.Table(table) }); err == nil {
		t.Error("a short row was laid out, want an error")
	}
}

func TestTableFolds(t *testing.T) {
	table := output.Table{Columns: output.Columns("#", "STATE", "CHANGE"), Fold: true}
	table.Add("1", "move_mx", "- example.test. 3 MX 10 east.example.test.  + the same, naming west.example.test")
	table.Add("2", "close", strings.Repeat("x", 90)+" end")
	table.Add("3", "done", "fits")
	whole := "   STATE    CHANGE\n" +
		"1  move_mx  - example.test. 3 MX 10 east.example.test.  + the same, naming west.example.test\n" +
		"2  close    " + strings.Repeat("x", 90) + " end\n" +
		"3  done     fits\n"
	folded := "   STATE    CHANGE\n" +
		"1  move_mx  - example.test. 3 MX 10 east.example.test.  + the same, naming\n" +
		"            west.example.test\n" +
		"2  close    " + strings.Repeat("x", 90) + "\n" +
		"            end\n" +
		"3  done     fits\n"
	for terminal, want := range map[bool]string{false: whole, true: folded} {
		var out strings.Builder
		p := output.New(&out, &strings.Builder{}, output.Options{Terminal: terminal})
		if err := p.Result("x", nil, func(page *output.Page) { page.Table(table) }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("on a terminal: %t: Table (-want +got):\n%s", terminal, diff)
		}
	}
}

func TestError(t *testing.T) {
	mistakes := errors.New("a.yaml:1:2: unknown key\na.yaml:3:4: \x07bell")
	tests := []struct {
		name string
		err  error
		code int
		want string
	}{
		{"none", nil, 0, ""},
		{"plain", errors.New("read spool: gone"), 1, "ims: error: read spool: gone\n"},
		{"hint", output.As(output.Blocked, "ims route add west", errors.New("no cover")), 2, "ims: error: no cover\nims: hint: ims route add west\n"},
		{"lines", output.As(output.Usage, "", mistakes), 64, "ims: error: a.yaml:1:2: unknown key\nims: error: a.yaml:3:4: \\x07bell\n"},
		{"wrapped", fmt.Errorf("plan: %w", output.As(output.Unknown, "", errors.New("no answer"))), 6, "ims: error: plan: no answer\n"},
		{"any fail beats any unknown", errors.Join(output.As(output.Unknown, "", errors.New("u")), output.As(output.Blocked, "fix", errors.New("b"))), 2, "ims: error: u\nims: error: b\nims: hint: fix\n"},
		{"said", output.Said(output.Waiting), 3, ""},
		{"nothing to say", output.Said(output.Done), 0, ""},
		{"no error to give a kind", output.As(output.Stalled, "", nil), 0, ""},
		{"stalled", output.Said(output.Stalled), 4, ""},
		{"drift", output.Said(output.Drift), 5, ""},
		{"interrupted", output.Said(output.Interrupted), 130, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, words strings.Builder
			if tt.err != nil {
				output.New(&out, &words, output.Options{}).Error(tt.err)
			}
			if got := output.KindOf(tt.err).Code(); got != tt.code {
				t.Errorf("code of %v = %d, want %d", tt.err, got, tt.code)
			}
			if words.String() != tt.want || out.Len() > 0 {
				t.Errorf("Error printed %q on stderr and %q on stdout, want %q", &words, &out, tt.want)
			}
		})
	}
}

func TestTime(t *testing.T) {
	now := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)
	tests := []struct {
		at             time.Time
		terminal, pipe string
	}{
		{now, "now", "2026-11-22T05:00:00Z"},
		{now.Add(-90 * time.Second), "1m 30s ago", "2026-11-22T04:58:30Z"},
		{now.Add(51 * time.Hour), "in 2d 3h", "2026-11-24T08:00:00Z"},
		{time.Time{}, "never", "never"},
	}
	for _, tt := range tests {
		for _, terminal := range []bool{true, false} {
			want := tt.pipe
			if terminal {
				want = tt.terminal
			}
			var out strings.Builder
			p := output.New(&out, nil, output.Options{Terminal: terminal, Now: func() time.Time { return now }})
			if err := p.Result("x", nil, func(page *output.Page) { page.Line("%s", page.Time(tt.at)) }); err != nil {
				t.Fatal(err)
			}
			if out.String() != want+"\n" {
				t.Errorf("Time(%v), terminal %v = %q, want %q", tt.at, terminal, &out, want)
			}
		}
	}
}

func TestHuman(t *testing.T) {
	tests := []struct{ got, want string }{
		{output.Duration(0), "0s"},
		{output.Duration(time.Microsecond), "1ms"},
		{output.Duration(250 * time.Millisecond), "250ms"},
		{output.Duration(45*time.Second + 900*time.Millisecond), "45s"},
		{output.Duration(time.Hour + 5*time.Minute + 59*time.Second), "1h 5m"},
		{output.Duration(-3 * 24 * time.Hour), "-3d"},
		{output.Bytes(0), "0 B"},
		{output.Bytes(1536), "1.5 KiB"},
		{output.Bytes(5 << 40), "5.0 TiB"},
		{output.Count(1, "message"), "1 message"},
		{output.Count(0, "message"), "0 messages"},
		{output.Safe("\xff\u00adé\r\t"), `\xff\u00adé\r\t`},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

// FuzzSafe holds that nothing that Safe returns can steer a terminal, and that
// it changes nothing that is harmless.
func FuzzSafe(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b]0;title\x07", "\u202eexe.txt", "\xc3\x28", "é東"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := output.Safe(s)
		if again := output.Safe(got); again != got {
			t.Errorf("Safe(Safe(%q)) = %q, want %q", s, again, got)
		}
		for _, r := range got {
			if r < 0x20 || r >= 0x7f && r < 0xa0 {
				t.Errorf("Safe(%q) = %q holds %U", s, got, r)
			}
		}
	})
}
