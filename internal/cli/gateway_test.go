package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/config"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// desk answers as it is told, and keeps what it was asked to change. It stands
// for what an adapter can meet and a healthy service does not show.
type desk struct {
	config  gateway.Config
	census  gateway.Census
	items   []gateway.Item
	events  []ledger.Event
	readErr error
	err     error // of changes
	asked   []gateway.Change
	acted   []gateway.Selection
}

func (d *desk) Caps() gateway.Caps { return gateway.Caps{Adapter: "desk"} }

func (d *desk) Config(context.Context) (gateway.Config, error) { return d.config, d.readErr }

func (d *desk) Census(context.Context) (gateway.Census, error) { return d.census, d.readErr }

func (d *desk) Op(context.Context, string) (gateway.Op, error) {
	return gateway.Op{}, gateway.ErrNotFound
}

func (d *desk) Apply(_ context.Context, c gateway.Change) (gateway.Op, error) {
	d.asked = append(d.asked, c)
	return gateway.Op{Key: c.Key, Done: true, Before: "a", After: "b"}, d.err
}

func (d *desk) List(_ context.Context, sel gateway.Selection) ([]gateway.Item, error) {
	return d.items[:min(len(d.items), sel.Limit)], d.readErr
}

func (d *desk) Act(_ context.Context, _ gateway.Verb, sel gateway.Selection, _, _ string) (int, error) {
	d.acted = append(d.acted, sel)
	return min(len(d.items), sel.Limit), d.err
}

func (d *desk) Track(_ context.Context, after uint64, limit int) ([]ledger.Event, error) {
	var out []ledger.Event
	for _, e := range d.events {
		if e.Seq > after && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, d.readErr
}

func (d *desk) Present(context.Context) ([]ledger.Item, error) { return nil, d.readErr }

// desks are gateways by name.
type desks map[string]gateway.Gateway

func (desks) Serve(context.Context, *config.Config, *slog.Logger, func([]gateway.Config)) error {
	return errors.New("these gateways are not served")
}

func (d desks) Gateway(g config.Gateway) (gateway.Gateway, error) { return d[g.Name], nil }

// onDesk runs a command line on a configuration whose gateways are east and
// west.
func onDesk(t *testing.T, east, west *desk, argv ...string) (code int, out, words string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ims.yaml")
	text := `{apiVersion: ims/v1, kind: Config, organization: {domains: [example.test], mailhost: "127.0.0.1:9", socket: /run/x.sock}, gateways: {
  east: {hostname: east.example.test, listen: "127.0.0.1:2525"}, west: {hostname: west.example.test, listen: "127.0.0.1:2526"}}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var o, w strings.Builder
	s := testSession(&o, &w)
	s.deps.Organizations = desks{"east": east, "west": west}
	code = Main(t.Context(), append([]string{"--config", file}, argv...), s.io, s.deps)
	return code, o.String(), w.String()
}

func TestErrorsOfGatewaysHaveTheirExitCodes(t *testing.T) {
	lost := fmt.Errorf("ask the service at /run/x.sock: %w", gateway.ErrUnreachable)
	tests := []struct {
		name          string
		readErr, err  error
		argv          string
		code          int
		words, hinted string
	}{
		{"unreachable", lost, nil, "gateway show east", 6, "/run/x.sock", "ims gateway run"},
		{"closed to this user", fmt.Errorf("dial: %w: %w", fs.ErrPermission, lost), nil, "gateway show east", 1, "may not open the control socket", ""},
		{"never sent", nil, lost, "gateway start east --reason x", 6, "/run/x.sock", "ims gateway run"},
		{"broke off", nil, errors.New("connection reset"), "gateway start east --reason x", 6, "not known whether this was done: connection reset", "ims gateway show east"},
		{"refused", nil, fmt.Errorf("no: %w", gateway.ErrRefused), "gateway start east --reason x", 1, "no: ", ""},
		{"changed by somebody else", nil, fmt.Errorf("no: %w", gateway.ErrConflict), "route add east --pattern * --reason x", 5, "changed by somebody else", "ims gateway show east"},
		{"older epoch", nil, gateway.ErrStaleEpoch, "gateway start east --reason x", 5, "older epoch", "ims gateway show east"},
		{"not supported", nil, errors.ErrUnsupported, "queue retry east --reason x", 1, "unsupported", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &desk{readErr: tt.readErr, err: tt.err, config: gateway.Config{Exists: true}}
			code, out, words := onDesk(t, d, d, strings.Fields(tt.argv)...)
			if code != tt.code || !strings.Contains(words, tt.words) || out != "" {
				t.Errorf("ims %s = exit %d, %q, %q; want %d and %q on stderr alone", tt.argv, code, out, words, tt.code, tt.words)
			}
			if hinted := strings.Contains(words, "ims: hint: "+tt.hinted+"\n"); tt.hinted != "" && !hinted {
				t.Errorf("ims %s says %q, want the hint %q", tt.argv, words, tt.hinted)
			}
		})
	}
}

func TestUnknownStoresAreNeverZero(t *testing.T) {
	d := &desk{config: gateway.Config{Name: "east", Exists: true}}
	for st := range d.census.Stores {
		d.census.Stores[st].Known = gateway.Counted
	}
	d.census.Stores[gateway.MTSIn] = gateway.Count{Known: gateway.Unknown, Why: "the disk does not answer"}
	code, out, _ := onDesk(t, d, d, "gateway", "show", "east")
	if want := "mts-in   Inbound messages awaiting delivery      unknown     unknown  unknown  unknown  unknown, the disk does not answer\n"; code != 6 || !strings.Contains(out, want) {
		t.Errorf("gateway show = exit %d, want 6 and %q in:\n%s", code, want, out)
	}
	_, out, _ = onDesk(t, d, d, "gateway", "show")
	if want := "stopped  inbound-outbound  -            0   unknown\n"; !strings.Contains(out, want) {
		t.Errorf("gateway show lists %q, want %q", out, want)
	}
	code, out, _ = onDesk(t, d, d, "gateway", "stop", "east", "--reason", "x")
	if want := `  - it is not known what "Inbound messages awaiting delivery" (mts-in) holds: the disk does not answer`; code != 2 || !strings.Contains(out, want) || len(d.asked) > 0 {
		t.Errorf("gateway stop = exit %d, %d changes, want 2, none and %q in:\n%s", code, len(d.asked), want, out)
	}
}

func TestOneUnreachableGatewayDoesNotHideTheOther(t *testing.T) {
	ok, lost := &desk{config: gateway.Config{Exists: true, Running: true}}, &desk{readErr: gateway.ErrUnreachable}
	code, out, words := onDesk(t, lost, ok, "gateway", "show")
	if code != 6 || !strings.Contains(out, "\nwest     running") || !strings.Contains(out, "\neast     unknown") || !strings.Contains(words, "unreachable") {
		t.Errorf("gateway show = exit %d, %q, %q; want 6 with both lines", code, out, words)
	}
}

func TestTextFromStrangersIsEscaped(t *testing.T) {
	evil := "\x1b[2Jx\r\n\u202ey"
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	d := &desk{
		items:  []gateway.Item{{Entry: "e", Message: "m", From: evil, Rcpts: []string{evil}, Dest: evil, Last: evil, Accepted: at}},
		events: []ledger.Event{{Seq: 1, Message: "m", Rcpts: []string{evil}, Peer: evil, Reason: evil, Actor: evil}},
	}
	for _, argv := range []string{"queue list east", "queue list east -o json", "track", "track -o jsonl", "queue delete east --reason x"} {
		_, out, words := onDesk(t, d, &desk{}, strings.Fields(argv)...)
		if strings.ContainsAny(out+words, "\x1b\r\u202e") || !strings.Contains(out, `[2Jx`) {
			t.Errorf("ims %s prints %q", argv, out)
		}
	}
}

func TestTimeoutsAreChangedAgainstTheGenerationThatWasRead(t *testing.T) {
	have := gateway.Timeouts{Urgent: 1, Normal: 2, NonUrgent: 3, Report: 4}
	d := &desk{config: gateway.Config{Exists: true, Generation: 7, Stored: gateway.Settings{Timeouts: have}}}
	if code, _, words := onDesk(t, d, d, "gateway", "set", "east", "--timeout-normal", "1h", "--reason", "x"); code != 0 {
		t.Fatalf("gateway set = exit %d, %s", code, words)
	}
	have.Normal = time.Hour
	want := gateway.Want{Settings: &gateway.SettingsPatch{Timeouts: &have}}
	if diff := cmp.Diff(want, d.asked[0].Want); diff != "" || d.asked[0].IfGeneration != 7 || d.asked[0].Actor != "" || d.asked[0].Reason != "x" {
		t.Errorf("asked for %+v (-want +got):\n%s", d.asked[0], diff)
	}
}

func TestExpectReachesTheGateway(t *testing.T) {
	d := &desk{items: make([]gateway.Item, 1500)}
	if code, out, _ := onDesk(t, d, d, "queue", "delete", "east", "--expect", "1500", "--reason", "x"); code != 0 || !strings.Contains(out, "1500 entries deleted") {
		t.Errorf("queue delete = exit %d, %q", code, out)
	}
	if got := d.acted[0]; got.Expect != 1500 || got.Limit != 1500 {
		t.Errorf("selection = %+v, want expect and limit 1500", got)
	}
	_, out, _ := onDesk(t, d, d, "queue", "delete", "east", "--yes", "--reason", "x")
	if !strings.Contains(out, "More may match: the limit is 1000.") {
		t.Errorf("queue delete --yes says %q, want that more may match", out)
	}
	_, out, _ = onDesk(t, d, d, "queue", "list", "east", "--limit", "10", "-o", "json")
	if !strings.HasSuffix(out, `"more":true}`+"\n") || strings.Count(out, `"entry"`) != 10 {
		t.Errorf("queue list --limit 10 prints %d entries", strings.Count(out, `"entry"`))
	}
}

func TestTrackMergesGatewaysInOrderAndPages(t *testing.T) {
	east, west := &desk{}, &desk{}
	for seq := range uint64(2*pageSize + 10) {
		d := []*desk{east, west}[seq%2]
		d.events = append(d.events, ledger.Event{Seq: seq + 1, Message: strconv.FormatUint(seq%3, 10)})
	}
	code, out, _ := onDesk(t, east, west, "track", "--after", "5", "--limit", "3")
	var seqs []string
	for _, line := range strings.Split(strings.TrimSpace(out), "\n")[1:] {
		seqs = append(seqs, strings.Fields(line)[0])
	}
	if diff := cmp.Diff([]string{"6", "7", "8", "More"}, seqs); code != 0 || diff != "" {
		t.Errorf("track --after 5 --limit 3, exit %d (-want +got):\n%s", code, diff)
	}
	_, out, _ = onDesk(t, east, west, "track", "--message", "1", "--limit", "100000", "-o", "jsonl")
	if got, want := strings.Count(out, "\n"), (2*pageSize+10+1)/3; got != want {
		t.Errorf("track --message finds %d events, want %d", got, want)
	}
}

func TestQuoted(t *testing.T) {
	for in, want := range map[string]string{"": "''", "plain-1.x": "plain-1.x", "a b": "'a b'", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "*": "'*'"} {
		if got := quoted(in); got != want {
			t.Errorf("quoted(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestDurations(t *testing.T) {
	var list []time.Duration
	v := durationsValue{&list}
	for in, want := range map[string]string{".25h,.5h,1h,4h": "15m,30m,1h,4h", "": "", "90s, 3d": "1m30s,72h", "0": "0s", "10s": "10s"} {
		if err := v.Set(in); err != nil || v.String() != want {
			t.Errorf("Set(%q) = %v, then %q, want %q", in, err, v.String(), want)
		}
	}
	for _, bad := range []string{",", "1h,", "-1h", "soon"} {
		if v.Set(bad) == nil {
			t.Errorf("Set(%q) succeeds", bad)
		}
	}
}
