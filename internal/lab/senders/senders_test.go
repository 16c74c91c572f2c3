package senders

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// world is a network of scripted servers inside a bubble.
type world struct {
	rcpt  map[string]func(addr string) string // by server address: the answer to RCPT
	final map[string]string                   // by server address: the answer to the message
	mu    sync.Mutex
	took  map[string][]string // messages by server address
	wg    sync.WaitGroup
}

func (w *world) dial(_ context.Context, _, addr string) (net.Conn, error) {
	answer, ok := w.rcpt[addr]
	if !ok {
		return nil, errors.New("connection refused")
	}
	client, server := net.Pipe()
	w.wg.Go(func() { w.serve(addr, server, answer) })
	return client, nil
}

func (w *world) serve(addr string, conn net.Conn, rcpt func(string) string) {
	defer func() { _ = conn.Close() }()
	c := textproto.NewConn(conn)
	say := func(line string) { _ = c.PrintfLine("%s", line) }
	say("220 hello")
	for {
		line, err := c.ReadLine()
		switch verb, arg, _ := strings.Cut(line, ":"); {
		case err != nil:
			return
		case verb == "RCPT TO":
			say(rcpt(strings.Trim(arg, "<>")))
		case line == "DATA":
			say("354 go on")
			data, _ := c.ReadDotBytes()
			w.mu.Lock()
			w.took[addr] = append(w.took[addr], string(data))
			w.mu.Unlock()
			say(w.final[addr])
		case line == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func always(line string) func(string) string { return func(string) string { return line } }

// records reads a sender's file back.
func records(t *testing.T, path string) []Record {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var all []Record
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var r Record
		if err := json.Unmarshal(sc.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// brief is a record in one line.
func brief(start time.Time, r Record) string {
	words := []string{r.Time.Sub(start).String(), r.Server}
	for _, rcpt := range r.Rcpts {
		words = append(words, fmt.Sprintf("%s=%d", rcpt.Addr, rcpt.Code))
	}
	return strings.Join(append(words, fmt.Sprintf("final=%d", r.Final)), " ")
}

// deliver sends one message in a bubble and returns the tries.
func deliver(t *testing.T, w *world, find func(start time.Time) Lookup, retry []time.Duration, m Message) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log.jsonl")
	log, err := OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	w.took = map[string][]string{}
	var out []string
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		h := &Host{Kind: "test", Name: "client.test", Source: "127.0.9.9", Find: find(start), Retry: retry, Dial: w.dial, Log: log}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := h.Deliver(ctx, m); err != nil {
			t.Error(err)
		}
		w.wg.Wait()
		for _, r := range records(t, path) {
			out = append(out, brief(start, r))
		}
	})
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	return out
}

var (
	east = Target{Host: "east", Addr: "192.0.2.1:25"}
	west = Target{Host: "west", Addr: "192.0.2.2:25"}
)

// moved is a cached MX: east until the cache lets go of it, west from then on.
func moved(until time.Duration) func(time.Time) Lookup {
	return func(start time.Time) Lookup {
		return func(context.Context, string) ([]Target, error) {
			if time.Since(start) < until {
				return []Target{east}, nil
			}
			return []Target{west}, nil
		}
	}
}

func fixed(list ...Target) func(time.Time) Lookup {
	return func(time.Time) Lookup {
		return func(context.Context, string) ([]Target, error) { return list, nil }
	}
}

func TestDeliver(t *testing.T) {
	one := Message{ID: "m1", From: "a@far.test", To: "example.test", Rcpts: []string{"ann@example.test"}}
	three := Message{ID: "m2", From: "a@far.test", To: "example.test", Rcpts: []string{"ok@x", "no@x", "later@x"}}
	retry := []time.Duration{time.Second, 2 * time.Second}
	asked := 0
	mixed := func(addr string) string {
		switch asked++; {
		case strings.HasPrefix(addr, "no"):
			return "550 no such user"
		case strings.HasPrefix(addr, "later") && asked == 3:
			return "450 later"
		}
		return "250 ok"
	}
	for _, c := range []struct {
		name  string
		world *world
		find  func(time.Time) Lookup
		retry []time.Duration
		m     Message
		want  []string
	}{
		{"told 450, it follows the MX when its cache expires", &world{
			rcpt: map[string]func(string) string{east.Addr: always("450 4.3.2 not here"), west.Addr: always("250 ok")}, final: map[string]string{west.Addr: "250 taken"},
		}, moved(2500 * time.Millisecond), retry, one, []string{
			"0s east ann@example.test=450 final=0", "1s east ann@example.test=450 final=0", "3s west ann@example.test=250 final=250",
		}},
		{"a closed port is tried again elsewhere", &world{
			rcpt: map[string]func(string) string{west.Addr: always("250 ok")}, final: map[string]string{west.Addr: "250 taken"},
		}, moved(500 * time.Millisecond), retry, one, []string{
			"0s east ann@example.test=0 final=0", "1s west ann@example.test=250 final=250",
		}},
		{"the second best server, if the best is closed", &world{
			rcpt: map[string]func(string) string{west.Addr: always("250 ok")}, final: map[string]string{west.Addr: "250 taken"},
		}, fixed(east, west), retry, one, []string{"0s west ann@example.test=250 final=250"}},
		{"a printer never tries again", &world{
			rcpt: map[string]func(string) string{east.Addr: always("450 4.3.2 not here")},
		}, fixed(east), nil, one, []string{"0s east ann@example.test=450 final=0"}},
		{"only what was put off is tried again", &world{
			rcpt: map[string]func(string) string{east.Addr: mixed}, final: map[string]string{east.Addr: "250 taken"},
		}, fixed(east), retry, three, []string{
			"0s east ok@x=250 no@x=550 later@x=450 final=250", "1s east later@x=250 final=250",
		}},
		{"a refused message is not tried again", &world{
			rcpt: map[string]func(string) string{east.Addr: always("250 ok")}, final: map[string]string{east.Addr: "554 no"},
		}, fixed(east), retry, one, []string{"0s east ann@example.test=250 final=554"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, deliver(t, c.world, c.find, c.retry, c.m)); d != "" {
				t.Errorf("tries (-want +got):\n%s", d)
			}
		})
	}
}

func TestMessageOnTheWire(t *testing.T) {
	w := &world{rcpt: map[string]func(string) string{east.Addr: always("250 ok")}, final: map[string]string{east.Addr: "250 taken"}}
	deliver(t, w, fixed(east), nil, Message{ID: "m9", To: "example.test", Rcpts: []string{"ann@example.test"}, Padding: 10})
	if got := w.took[east.Addr]; len(got) != 1 || !strings.Contains(got[0], "\nX-Ims-Lab-Id: m9\n") {
		t.Errorf("message on the wire: %q", got)
	}
}

func TestAcceptedNeedsBothReplies(t *testing.T) {
	r := Record{Rcpts: []Rcpt{{"a", 250}, {"b", 550}}, Final: 250}
	if d := cmp.Diff([]string{"a"}, r.Accepted()); d != "" {
		t.Errorf("accepted (-want +got):\n%s", d)
	}
	if r.Final = 451; r.Accepted() != nil {
		t.Errorf("accepted although the message was not: %v", r.Accepted())
	}
}

// TestStopLetsMailFinish: a source that is stopped makes nothing new, and what
// is under way is still tried until it is settled.
func TestStopLetsMailFinish(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	log, err := OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := &world{took: map[string][]string{}, final: map[string]string{east.Addr: "250 taken"}, rcpt: map[string]func(string) string{
			east.Addr: func(string) string {
				if time.Since(start) < 20*time.Second {
					return "450 later"
				}
				return "250 ok"
			},
		}}
		h := &Host{Find: fixed(east)(start), Retry: []time.Duration{time.Second}, Dial: w.dial, Log: log}
		s := &Source{Host: h, Prefix: "x", Every: time.Second, Make: func(id string, _ *rand.Rand) Message {
			return Message{ID: id, Rcpts: []string{"ann@example.test"}}
		}}
		stop := make(chan struct{})
		time.AfterFunc(10*time.Second, func() { close(stop) })
		if err := Run(t.Context(), stop, []*Source{s}); err != nil {
			t.Error(err)
		}
		w.wg.Wait()
		if d := time.Since(start); d < 20*time.Second || d > 22*time.Second {
			t.Errorf("ended after %v, want when the last message was taken, after 20 s", d)
		}
		made, taken := map[string]bool{}, 0
		for _, r := range records(t, path) {
			made[r.ID] = true
			taken += len(r.Accepted())
		}
		if len(made) < 5 || taken != len(made) {
			t.Errorf("%d messages made, %d taken", len(made), taken)
		}
	})
	if err := log.Close(); err != nil {
		t.Error(err)
	}
}
