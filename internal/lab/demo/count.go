package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/lab"
	"example.org/ims/internal/lab/senders"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// count fills the result with what the tracking log and the senders' files
// say.
func (s *show) count(ctx context.Context, last Status) error {
	events, l, err := s.ledger(ctx)
	if err != nil {
		return err
	}
	s.res.Ledger = Ledger{
		l.Accepted, l.Generated, l.Delivered, l.Returned, l.Absorbed, l.Deleted, l.Redirected, l.Present, l.Unaccounted,
	}
	s.account(l, events)
	t := trace(events)
	s.res.Stores = t.most
	s.res.Traffic.DeferredDelivered, s.res.Traffic.Rejected, s.res.Traffic.Expired = t.deferred, t.rejected, t.expired
	s.res.Traffic.SplitRecipients = len(t.split)
	s.presence(events, last)
	n, err := s.tries()
	if err != nil {
		return err
	}
	f := &s.res.Traffic
	f.EastAfterSwitch, f.WestAfterSwitch, f.RefusedWhileRefusing, f.Sent = n.East, n.West, n.Refused, n.Sent
	if s.res.Outcome == "retired" && s.Lab.Runbook != lab.FolkName {
		s.res.thin()
	}
	s.res.Seconds = time.Since(s.begin).Seconds()
	return nil
}

// enough is how many messages each gateway must have taken after the switch.
const enough = 20

// thin says where there was too little mail.
func (r *Result) thin() {
	need := func(what string, have, want int) {
		if have < want {
			r.Thin = append(r.Thin, fmt.Sprintf("%s: %d, want %d", what, have, want))
		}
	}
	t := r.Traffic
	need("accepted by the old gateway after the switch", t.EastAfterSwitch, enough)
	need("accepted by the successor after the switch", t.WestAfterSwitch, enough)
	need("put off and then delivered", t.DeferredDelivered, 1)
	need("rejected", t.Rejected, 1)
	need("expired", t.Expired, 1)
	need("messages to several destinations", t.SplitRecipients, 1)
	if r.Runbook == "q285090" { // the eleven steps take the address spaces away first
		need("in mts-out when the mode changed", t.MTSOutAtModeChange, 1)
	}
	for _, moment := range slices.Sorted(maps.Keys(r.Outward)) {
		need("outbound at "+moment, r.Outward[moment], 1)
	}
	for _, store := range []gateway.Store{gateway.MTA, gateway.MTSOut, gateway.Out, gateway.In, gateway.MTSIn} {
		need("ever in "+store.String(), r.Stores[store.String()], 1)
	}
}

// ledger is the account of the gateway, which may still be at work: the log is
// read before and after its stores are listed.
func (s *show) ledger(ctx context.Context) ([]ledger.Event, ledger.Ledger, error) {
	book := ledger.NewBook(lab.Retiring)
	events, err := s.track(ctx, 0)
	if err != nil {
		return nil, ledger.Ledger{}, err
	}
	book.Add(events...)
	taken := book.Seq()
	present, err := s.mail.Present(ctx, lab.Retiring)
	if err != nil {
		return nil, ledger.Ledger{}, fmt.Errorf("list what %s holds: %w", lab.Retiring, err)
	}
	more, err := s.track(ctx, taken)
	if err != nil {
		return nil, ledger.Ledger{}, err
	}
	book.Add(more...)
	return slices.Concat(events, more), book.Ledger(present, taken), nil
}

// track reads the tracking log of the gateway.
func (s *show) track(ctx context.Context, after uint64) (all []ledger.Event, err error) {
	const batch = 5000
	for {
		events, err := s.mail.Track(ctx, lab.Retiring, after, batch)
		if err != nil {
			return nil, fmt.Errorf("read the tracking log of %s: %w", lab.Retiring, err)
		}
		all = append(all, events...)
		if len(events) < batch {
			return all, nil
		}
		after = events[len(events)-1].Seq
	}
}

// account names what is lost: what nobody can find, and what was deleted
// without anybody being told.
func (s *show) account(l ledger.Ledger, events []ledger.Event) {
	for _, f := range l.UnaccountedPairs {
		s.res.Lost = append(s.res.Lost, f.String())
	}
	for _, e := range events {
		if e.Kind != ledger.Deleted {
			continue
		}
		for _, r := range e.Rcpts {
			s.res.Lost = append(s.res.Lost, fmt.Sprintf("message %s from <%s> to <%s>, deleted in %s", e.Message, e.From, r, e.Store))
		}
	}
	if err := l.Balance(); err != nil && len(l.UnaccountedPairs) == 0 {
		s.res.problem("%v", err)
	}
}

// flow is where mail was, and what became of it.
type flow struct {
	most                        map[string]int
	deferred, rejected, expired int
	split                       map[string]bool // messages
}

// trace follows every pair through the log.
func trace(events []ledger.Event) flow {
	f := flow{most: map[string]int{}, split: map[string]bool{}}
	at, tried, holds := map[string]string{}, map[string]bool{}, map[string]int{}
	for _, e := range events {
		if e.Kind == ledger.Accepted && domains(e.Rcpts) > 1 {
			f.split[e.Message] = true
		}
		for _, r := range e.Rcpts {
			pair := e.Message + " " + r
			store, moved := after(e)
			if moved && at[pair] != store {
				holds[at[pair]]--
				holds[store]++
				at[pair] = store
				if store != "" {
					f.most[store] = max(f.most[store], holds[store])
				}
			}
			switch {
			case e.Kind == ledger.Attempted:
				tried[pair] = true
			case e.Kind == ledger.Delivered && tried[pair]:
				f.deferred++
			case e.Kind == ledger.Failed && strings.HasPrefix(e.Reason, "expired"):
				f.expired++
			case e.Kind == ledger.Failed:
				f.rejected++
			}
		}
	}
	return f
}

// after is the store in which an event leaves a pair, "" for none; moved is
// false if it says nothing about that.
func after(e ledger.Event) (store string, moved bool) {
	switch e.Kind {
	case ledger.Accepted, ledger.Generated, ledger.Moved:
		return e.Store, true
	case ledger.Delivered, ledger.Failed, ledger.Absorbed, ledger.Deleted, ledger.Redirected:
		return "", true
	case ledger.Attempted, ledger.Operated:
	}
	return "", false
}

func domains(rcpts []string) int {
	set := map[string]bool{}
	for _, r := range rcpts {
		set[r[strings.LastIndexByte(r, '@')+1:]] = true
	}
	return len(set)
}

// held counts the messages in each store at a moment.
func held(events []ledger.Event, at time.Time) map[string]int {
	where := map[string]string{}
	for _, e := range events {
		if e.At.After(at) {
			break
		}
		if store, moved := after(e); moved {
			for _, r := range e.Rcpts {
				where[e.Message+" "+r] = store
			}
		}
	}
	seen, out := map[string]bool{}, map[string]int{}
	for pair, store := range where {
		message, _, _ := strings.Cut(pair, " ")
		if store != "" && !seen[message+store] {
			seen[message+store] = true
			out[store]++
		}
	}
	return out
}

// presence counts the outbound mail at the moments that matter.
func (s *show) presence(events []ledger.Event, last Status) {
	moments := map[string]time.Time{"mx_switch": s.switched.when()}
	for _, v := range last.Visits {
		end := v.Left
		if end.IsZero() {
			end = v.Entered
		}
		switch v.State {
		case "outbound_only": // the settings count when the service starts again
			moments["mode_change"], moments["first_stop"] = effective(events, v.Entered, end), effective(events, v.Entered, end)
		case "remove_spaces":
			moments["space_removal"] = v.Entered
		case "stop":
			if _, earlier := moments["first_stop"]; !earlier {
				moments["first_stop"] = v.Entered
			}
		}
	}
	s.res.Outward = map[string]int{}
	for name, at := range moments {
		if at.IsZero() { // it never came to that
			continue
		}
		n := held(events, at)
		s.res.Outward[name] = n[gateway.MTA.String()] + n[gateway.MTSOut.String()] + n[gateway.Out.String()]
		if name == "mode_change" {
			s.res.Traffic.MTSOutAtModeChange = n[gateway.MTSOut.String()]
		}
	}
}

// effective is the moment within an interval at which most mail waited in
// mts-out: the restart, during which nobody picks it up.
func effective(events []ledger.Event, from, to time.Time) time.Time {
	best, most := from, -1
	for _, e := range events {
		if e.At.Before(from) || e.At.After(to) || e.Store != gateway.MTSOut.String() {
			continue
		}
		if n := held(events, e.At)[gateway.MTSOut.String()]; n > most {
			best, most = e.At, n
		}
	}
	return best
}

// told is what senders were told.
type told struct {
	East, West int // messages that each gateway took after the switch
	Refused    int // tries that east answered 450 when it refused
	Sent       int // messages that anybody took
}

// tries counts from the senders' files.
func (s *show) tries() (n told, err error) {
	files, err := filepath.Glob(filepath.Join(s.lab.Dir, "senders", "*.jsonl"))
	if err != nil {
		return n, fmt.Errorf("list senders' files: %w", err)
	}
	sent := map[string]bool{}
	switched, refusing := s.switched.when(), s.moments["outbound_only"]
	past := func(moment time.Time, r senders.Record) bool { return !moment.IsZero() && r.Time.After(moment) }
	for _, path := range files {
		err := each(path, func(r senders.Record) {
			east, west := r.Addr == s.lab.Address(lab.Retiring), r.Addr == s.lab.Address(lab.Heir)
			if east && past(refusing, r) && len(r.Rcpts) > 0 && r.Rcpts[0].Code == 450 {
				n.Refused++
			}
			if len(r.Accepted()) == 0 {
				return
			}
			sent[r.ID] = true
			if east && past(switched, r) {
				n.East++
			}
			if west && past(switched, r) {
				n.West++
			}
		})
		if err != nil {
			return n, err
		}
	}
	n.Sent = len(sent)
	return n, nil
}

// each reads a sender's file.
func each(path string, fn func(senders.Record)) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read sender's file: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	for in := bufio.NewReader(f); ; {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // a last line without an end is still being written
		}
		if err != nil {
			return fmt.Errorf("read sender's file %s: %w", path, err)
		}
		var r senders.Record
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("read sender's file %s: %w", path, err)
		}
		fn(r)
	}
}
