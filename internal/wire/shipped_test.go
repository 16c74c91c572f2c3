package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/config"
	"example.org/ims/internal/dns/dnstest"
	"example.org/ims/internal/dns/rfc2136"
	"example.org/ims/internal/dns/server"
	"example.org/ims/internal/mail/sink"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/zone"
)

// town is a small organization whose machines have addresses of their own, with
// a mail host, a host for the rest of the Internet, and the zone of the
// addresses.
type town struct {
	*small
	inside, outside *sink.Host
	reverse         zone.Writer
	hands           map[string]func() // what somebody does once a run comes to a state
}

// Where the two machines are.
const eastAddress, westAddress = "127.0.0.2", "127.0.0.3"

const townZone = `$ORIGIN example.test.
$TTL 1
@    IN SOA ns1 hostmaster 1 3600 600 86400 1
     IN NS  ns1
     IN MX  10 east
     IN TXT "v=spf1 mx -all"
ns1  IN A   127.0.0.1
east IN A   127.0.0.2
west IN A   127.0.0.3
`

const reverseZone = `$ORIGIN 0.0.127.in-addr.arpa.
$TTL 1
@    IN SOA ns1.example.test. hostmaster.example.test. 1 3600 600 86400 1
     IN NS  ns1.example.test.
2    IN PTR east.example.test.
3    IN PTR west.example.test.
`

// newTown builds it; alone, there is no gateway but east.
func newTown(t *testing.T, alone bool) *town {
	t.Helper()
	dir, err := os.MkdirTemp("", "ims") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	names := dnstest.Start(t, server.Config{Zone: "example.test.", Text: townZone, Keys: dnstest.Grants(t)})
	back := dnstest.Start(t, server.Config{Zone: "0.0.127.in-addr.arpa.", Text: reverseZone, Keys: dnstest.Grants(t)})
	o := &town{small: &small{t: t}}
	var insideAt, outsideAt string
	o.inside, insideAt = o.sink("mail.example.test", filepath.Join(dir, "inside"))
	o.outside, outsideAt = o.sink("mx.far.test", filepath.Join(dir, "outside"))
	at := freeAt(t, eastAddress, westAddress, "127.0.0.1")
	east, west := at[0], at[1]
	second := fmt.Sprintf(`  west: {site: hq, hostname: west.example.test, listen: "%s", spaces: [{pattern: "*", cost: 10}], forward_host: "%s"}`, west, outsideAt)
	if alone {
		second = ""
	}
	text := fmt.Sprintf(`apiVersion: ims/v1
kind: Config
state_dir: state
organization: {domains: [example.test], recipients: [ann@example.test], mailhost: "%[1]s", sites: {hq: {submission: "%[2]s"}}, handover: 20ms}
gateways:
  east:
    {site: hq, hostname: east.example.test, listen: "%[3]s", spaces: [{pattern: "*"}], forward_host: "%[4]s", drain: {name: drain.example.test}}
%[5]s
zones:
  example.test: {server: "%[6]s", key_file: update.key, authorities: ["%[6]s"]}
  0.0.127.in-addr.arpa: {server: "%[7]s", key_file: update.key, authorities: ["%[7]s"]}
resolver: {servers: ["%[6]s"], hosts: {west.example.test: "%[8]s"}}
retire:
  default: east
  params: {floor: 100ms, late_window: 300ms, quiet: 300ms, settle: 300ms, drained: 300ms, refuse_for: 300ms, watch: 500ms, patience: 10m,
    stalled_after: 10m, decide_within: 10m, poll: 50ms, verify_for: 300ms, drain_known: 300ms, work_within: 10m}
people:
  me: {user: "%[9]d", may: approve}
`, insideAt, at[2], east, outsideAt, second, names.Addr(), back.Addr(), west, os.Getuid())
	if !alone {
		text = strings.Replace(text, "default: east", "default: east\n  successor: west", 1)
	}
	file := filepath.Join(dir, "ims.yaml")
	key := "key \"ims-update\" {\n\talgorithm hmac-sha256;\n\tsecret \"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\";\n};\n"
	for path, content := range map[string]string{file: text, filepath.Join(dir, "update.key"): key} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if o.cfg, err = config.Load(file); err != nil {
		t.Fatal(err)
	}
	update := dnstest.UpdateKey(t)
	var err1, err2 error
	o.writer, err1 = rfc2136.New(rfc2136.Config{Zone: "example.test.", Server: names.Addr(), Key: &update})
	o.reverse, err2 = rfc2136.New(rfc2136.Config{Zone: "0.0.127.in-addr.arpa.", Server: back.Addr(), Key: &update})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	o.host()
	o.serve()
	return o
}

// sink starts a host that takes everything.
func (o *town) sink(name, dir string) (*sink.Host, string) {
	o.t.Helper()
	h, err := sink.New(sink.Config{Name: name, Dir: dir})
	if err != nil {
		o.t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		o.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Serve(ctx, ln) }()
	o.t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, h.Close()); err != nil {
			o.t.Errorf("host %s: %v", name, err)
		}
	})
	return h, ln.Addr().String()
}

// write submits messages of users to the Internet.
func (o *town) write(n int) {
	o.t.Helper()
	for i := range n {
		to := []string{fmt.Sprintf("bob%d@far.test", i)}
		if err := smtp.SendMail(o.cfg.Organization.Sites[0].Submission, nil, "ann@example.test", to, []byte("Subject: test\r\n\r\nHello.\r\n")); err != nil {
			o.t.Fatal(err)
		}
	}
}

// gateway is the adapter of a gateway.
func (o *town) gateway(name string) gateway.Gateway {
	o.t.Helper()
	c, _ := o.cfg.Gateway(name)
	g, err := newGateway(c)
	if err != nil {
		o.t.Fatal(err)
	}
	return g
}

// until waits for the organization, which moves by itself.
func (o *town) until(what string, ok func() bool) {
	o.t.Helper()
	dnstest.Eventually(o.t, what, func() (bool, string) { return ok(), "not yet" })
}

// run performs a runbook and answers its questions, by state or with the first
// choice, until it ends. It returns how.
func (o *town) run(book string, answers, params map[string]string) runner.Status {
	o.t.Helper()
	run, err := o.client.Open(o.t.Context(), runner.Request{Runbook: book, Params: params})
	if err != nil {
		o.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(o.t.Context(), 5*time.Minute)
	defer cancel()
	var last runner.Status
	err = o.client.Watch(ctx, run, func(s runner.Status) error {
		last = s
		if do := o.hands[s.State]; do != nil {
			delete(o.hands, s.State)
			do()
		}
		if s.Phase == "operating" {
			return fmt.Errorf("it waits for an operator in %s: %s", s.State, s.Why)
		}
		if s.Asked == nil || s.Ended() {
			return nil
		}
		a := runner.Answer{State: s.State, Choice: s.Choices[0].Name, Comment: "test"}
		if c := answers[s.State]; c != "" {
			a.Choice = c
		}
		if err := o.client.Approve(ctx, run, a); err != nil && !errors.Is(err, runner.ErrRefused) {
			return err
		}
		return nil // refused: what was shown is over, and the next status comes
	})
	if err != nil {
		o.t.Fatalf("run of %s: %v; it stands in %s, %s %s, missing %+v, notes %q", book, err, last.State, last.Phase, last.Why, last.Missing, last.Notes)
	}
	l := last.Ledger
	if in, out := l["accepted"]+l["generated"], l["delivered"]+l["returned"]+l["absorbed"]+l["deleted"]+l["redirected"]+l["present"]; in != out || l["unaccounted"] != 0 {
		o.t.Errorf("ledger does not balance: %v", l)
	}
	return last
}

func (o *town) ends(s runner.Status, want string, visits ...string) {
	o.t.Helper()
	var path []string
	for _, v := range s.Visits {
		path = append(path, v.State)
	}
	if s.Outcome != want {
		o.t.Errorf("the run ends %s, want %s: %v", s.Outcome, want, path)
	}
	for _, v := range visits {
		if !slices.Contains(path, v) {
			o.t.Errorf("the run does not come to %s: %v", v, path)
		}
	}
}

// records compares RRsets, "name type" to data, with what the servers have.
func (o *town) records(want map[string]string) {
	o.t.Helper()
	for key, data := range want {
		name, typ, _ := strings.Cut(key, " ")
		from := o.writer
		if strings.HasSuffix(name, "arpa") {
			from = o.reverse
		}
		rr, err := from.Read(o.t.Context(), name, typ)
		if got := strings.Join(rr.Data, " | "); err != nil || got != data {
			o.t.Errorf("%s is %s, %v, want %s", key, got, err, data)
		}
	}
}

// strand lets old mail collect in a gateway that is stopped.
func (o *town) strand(n int) {
	o.t.Helper()
	stop := gateway.Stopped
	o.apply("east", gateway.Want{Running: &stop})
	o.write(n)
	o.until("mail is in mts-out", func() bool {
		c, err := o.gateway("east").Census(o.t.Context())
		return err == nil && c.Stores[gateway.MTSOut].Messages == int64(n)
	})
}

// The procedures run against the embedded gateway in its service, over its
// socket, and against a name server in this process.

func TestRescue(t *testing.T) {
	for choice, tt := range map[string]struct {
		state            string
		outside, inside  int
		deleted, exports int
	}{
		"send":             {"release_aged", 3, 0, 0, 0},
		"return_to_sender": {"return_aged", 0, 3, 0, 0},
		"export":           {"export_aged", 0, 0, 3, 3},
	} {
		t.Run(choice, func(t *testing.T) {
			o := newTown(t, false)
			o.strand(3)
			s := o.run("rescue", map[string]string{"aged_decision": choice}, map[string]string{"release_max_age": "1ms"})
			o.ends(s, "succeeded", "hold_aged", tt.state, "both_ways", "restart")
			o.until("everything is where it belongs", func() bool {
				return o.outside.Counts().Messages == tt.outside && o.inside.Counts().Messages == tt.inside
			})
			if s.Ledger["deleted"] != int64(tt.deleted) {
				t.Errorf("ledger is %v", s.Ledger)
			}
			files, err := filepath.Glob(filepath.Join(o.cfg.Retire.ArchiveDir, "east-"+s.Run+"-export_aged", "*.eml"))
			if err != nil || len(files) != tt.exports {
				t.Fatalf("%d files, %v, want %d", len(files), err, tt.exports)
			}
			for _, f := range files {
				if text, err := os.ReadFile(f); err != nil || !strings.HasSuffix(string(text), "Subject: test\r\n\r\nHello.\r\n") {
					t.Errorf("%s is %q, %v", f, text, err)
				}
			}
		})
	}
}

func TestMaintenance(t *testing.T) {
	o := newTown(t, false)
	o.write(2)
	before, err := o.gateway("east").Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	start := gateway.Started
	o.hands = map[string]func(){"out_of_service": func() { o.apply("east", gateway.Want{Running: &start}) }}
	o.ends(o.run("maintenance", nil, nil), "succeeded", "stop", "out_of_service", "work_done", "come_back", "back")
	after, err := o.gateway("east").Config(t.Context())
	if err != nil || !after.Running || !after.Effective.Equal(before.Effective) || !slices.Equal(after.Spaces, before.Spaces) {
		t.Errorf("east was %+v and is %+v, %v", before, after, err)
	}
	o.records(map[string]string{"example.test MX": "10 east.example.test."})
	if n := o.outside.Counts().Messages; n != 2 {
		t.Errorf("%d messages left, want 2", n)
	}
}

func TestLastGateway(t *testing.T) {
	o := newTown(t, true)
	o.write(2)
	o.ends(o.run("last-gateway", nil, nil), "retired", "null_mx", "spf_none", "published", "remove")
	o.records(map[string]string{"example.test MX": "0 .", "example.test TXT": `"v=spf1 -all"`})
	if n := o.outside.Counts().Messages; n != 2 {
		t.Errorf("%d messages left, want 2", n)
	}
}

func TestAddSuccessor(t *testing.T) {
	o := newTown(t, false)
	o.ends(o.run("add-successor", nil, map[string]string{
		"next_spaces": "SMTP:*.org 1, SMTP:* 5", "here_spaces": "SMTP:* 5", "next_inbound": "1", "next_outbound": "4",
	}), "succeeded", "split", "limited", "named", "verify")
	o.records(map[string]string{"example.test MX": "10 east.example.test. | 10 west.example.test."})
	west, _ := o.cfg.Gateway("west")
	first, err := net.Dial("tcp", west.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if said := greeting(t, first); !strings.HasPrefix(said, "220 ") {
		t.Errorf("the first session is told %q", said)
	}
	second, err := net.Dial("tcp", west.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if said := greeting(t, second); !strings.HasPrefix(said, "421 ") {
		t.Errorf("the second session is told %q", said)
	}
}

func greeting(t *testing.T, c net.Conn) string {
	t.Helper()
	buf := make([]byte, 200)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func TestReplace(t *testing.T) {
	o := newTown(t, false)
	o.write(2)
	o.ends(o.run("replace", nil, nil), "removed-release-pending", "drain_named", "flip_a", "name_agrees", "outbound_only", "remove")
	o.records(map[string]string{
		"example.test MX": "10 east.example.test.", "east.example.test A": westAddress, "drain.example.test A": eastAddress,
		"example.test TXT": `"v=spf1 a:drain.example.test mx -all"`, "drain.example.test TXT": `"v=spf1 a -all"`,
		"2.0.0.127.in-addr.arpa PTR": "drain.example.test.",
	})
	if n := o.outside.Counts().Messages; n != 2 {
		t.Errorf("%d messages left, want 2", n)
	}
}
