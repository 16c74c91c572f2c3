package lab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"example.org/ims/internal/dns/resolve"
	"example.org/ims/internal/lab/senders"
)

// Traffic is how much is sent.
type Traffic struct {
	Messages int  `json:"messages"` // about as many a minute; 0 means 1500
	Idle     bool `json:"idle"`     // none at all
}

// scale stretches the times between messages.
func (t Traffic) scale(d time.Duration) time.Duration {
	n := t.Messages
	if n == 0 {
		n = 1500
	}
	return time.Duration(float64(d) * 1500 / float64(n))
}

// finishing is how long senders may take to bring what is under way to an end.
const finishing = 8 * time.Second

// stretched is how long one resolver keeps every answer at least.
const stretched = 3600 * time.Millisecond

// serveSenders sends until ctx ends, and then until what is under way is told
// of, but not for long.
func (l *Layout) serveSenders(ctx context.Context, ready func()) (err error) {
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	logs := map[string]*senders.Log{}
	for _, kind := range []string{"internet", "users", "printer", "spammer"} {
		if logs[kind], err = senders.OpenLog(l.path("senders", kind+".jsonl")); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, logs[kind].Close()) }()
	}
	sources, err := l.sources(logs)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { time.AfterFunc(finishing, cancel) })()
	ready()
	return senders.Run(hard, ctx.Done(), sources)
}

func (l *Layout) sources(logs map[string]*senders.Log) ([]*senders.Source, error) {
	run := rand.Uint32() //nolint:gosec // tells the runs of one lab apart
	internet, err := l.internet(logs["internet"], run)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(internet, l.users(logs["users"], run))
	east := senders.Fixed(senders.Target{Host: Retiring + "." + Domain, Addr: l.addr(Retiring)})
	printer := &senders.Host{
		Kind: "printer", Name: "printer.floor2.local", Source: "127.0.12.1", Find: east, Dial: senders.Dial, Log: logs["printer"],
	}
	all = append(all, &senders.Source{
		Host: printer, Prefix: fmt.Sprintf("p%08x", run), Every: 800 * time.Millisecond, Seed: 4,
		Make: func(id string, r *rand.Rand) senders.Message {
			return senders.Message{ID: id, From: "printer@" + Domain, To: Domain, Rcpts: []string{user(r)}, Padding: 8000}
		},
	})
	spam, err := l.spammers(logs["spammer"], run)
	return append(all, spam...), err
}

func user(r *rand.Rand) string { return users[r.IntN(len(users))] + "@" + Domain }

// lookup is a resolver with a cache of its own. Every other one asks the
// secondary first, which lags behind.
func (l *Layout) lookup(n int, least time.Duration) (senders.Lookup, error) {
	first, second := l.addr("dns-primary"), l.addr("dns-secondary")
	if n%2 == 1 {
		first, second = second, first
	}
	r, err := resolve.New(resolve.Config{Servers: []string{first, second, l.addr("dns-internet")}, Hosts: l.others(), Port: strconv.Itoa(l.Ports[Retiring]), MinTTL: least})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, domain string) ([]senders.Target, error) {
		found, err := r.Lookup(ctx, domain)
		var out []senders.Target
		for _, t := range found {
			out = append(out, senders.Target{Host: t.Host, Addr: t.Addr})
		}
		return out, err
	}, nil
}

// internet are hosts that follow MX, each with its own cache; the last three
// share a resolver that stretches TTLs.
func (l *Layout) internet(log *senders.Log, run uint32) ([]*senders.Source, error) {
	stretching, err := l.lookup(0, stretched)
	if err != nil {
		return nil, err
	}
	var all []*senders.Source
	for i, domain := range senderDomains {
		find := stretching
		if i < len(senderDomains)-3 {
			if find, err = l.lookup(i, 0); err != nil {
				return nil, err
			}
		}
		h := &senders.Host{
			Kind: "internet", Name: "mail." + domain, Source: fmt.Sprintf("127.0.10.%d", i+1), Find: find,
			Retry: []time.Duration{400 * time.Millisecond, 800 * time.Millisecond, 1500 * time.Millisecond},
			Dial:  senders.Dial, Log: log,
		}
		all = append(all, &senders.Source{
			Host: h, Prefix: fmt.Sprintf("i%08x-%d", run, i), Every: l.Traffic.scale(650 * time.Millisecond), Seed: uint64(i),
			Make: func(id string, r *rand.Rand) senders.Message { return inbound(id, domain, r) },
		})
	}
	return all, nil
}

// inbound is mail for the organization: mostly for one user, at times for
// several, for somebody who has left, or without a sender.
func inbound(id, domain string, r *rand.Rand) senders.Message {
	m := senders.Message{ID: id, From: fmt.Sprintf("user%d@%s", r.IntN(20), domain), To: Domain, Rcpts: []string{user(r)}, Padding: r.IntN(4000)}
	switch r.IntN(30) {
	case 0:
		m.Rcpts = []string{former}
	case 1, 2, 3:
		if other := user(r); other != m.Rcpts[0] {
			m.Rcpts = append(m.Rcpts, other)
		}
	case 4:
		m.From = ""
	}
	return m
}

// users send through the organization's submission listener.
func (l *Layout) users(log *senders.Log, run uint32) []*senders.Source {
	find := senders.Fixed(senders.Target{Host: "submission", Addr: l.addr("submission")})
	var all []*senders.Source
	for i, name := range users {
		h := &senders.Host{
			Kind: "users", Name: name + "-pc." + Domain, Source: fmt.Sprintf("127.0.14.%d", i+1), Find: find,
			Retry: []time.Duration{300 * time.Millisecond}, Dial: senders.Dial, Log: log,
		}
		all = append(all, &senders.Source{
			Host: h, Prefix: fmt.Sprintf("u%08x-%d", run, i), Every: l.Traffic.scale(700 * time.Millisecond), Seed: uint64(100 + i),
			Make: func(id string, r *rand.Rand) senders.Message { return outbound(id, name+"@"+Domain, r) },
		})
	}
	return all
}

// places are where users write to, as often as each is listed.
var places = []string{
	Fast, Fast, Fast, Fast, Fast, Fast, Fast, Fast, Slow, Slow, Defers, Defers, Defers, Refuse, Down, Domain, Domain,
	Branch, Branch, "alpha.test",
}

// outbound is mail of a user: half of it has recipients at several places.
func outbound(id, from string, r *rand.Rand) senders.Message {
	m := senders.Message{ID: id, From: from, To: Domain, Padding: r.IntN(6000)}
	n := 1
	if r.IntN(2) == 0 {
		n += 1 + r.IntN(3)
	}
	seen := map[string]bool{}
	for len(m.Rcpts) < n {
		to := fmt.Sprintf("someone%d@%s", r.IntN(50), places[r.IntN(len(places))])
		switch {
		case to[len(to)-len("@"+Domain):] == "@"+Domain:
			to = user(r)
		case len(to) > len(Branch) && to[len(to)-len(Branch):] == Branch:
			to = "office@" + Branch
		}
		if !seen[to] {
			seen[to] = true
			m.Rcpts = append(m.Rcpts, to)
		}
	}
	return m
}

// spammers try unknown recipients and relaying at both gateways; one follows
// MX, and sends to real users in the name of somebody who cannot be reached.
func (l *Layout) spammers(log *senders.Log, run uint32) ([]*senders.Source, error) {
	follows, err := l.lookup(0, 0)
	if err != nil {
		return nil, err
	}
	host := func(i int, find senders.Lookup) *senders.Host {
		source := fmt.Sprintf("127.0.13.%d", i)
		return &senders.Host{Kind: "spammer", Name: "dsl-0-0-0.example", Source: source, Find: find, Dial: senders.Dial, Log: log}
	}
	all := []*senders.Source{{
		Host: host(3, follows), Prefix: fmt.Sprintf("s%08x-3", run), Every: 2 * time.Second, Seed: 203,
		Make: func(id string, r *rand.Rand) senders.Message {
			return senders.Message{ID: id, From: "prize@" + Down, To: Domain, Rcpts: []string{user(r)}}
		},
	}}
	for i, gw := range []string{Retiring, Heir} {
		find := senders.Fixed(senders.Target{Host: gw + "." + Domain, Addr: l.addr(gw)})
		all = append(all, &senders.Source{
			Host: host(i+1, find), Prefix: fmt.Sprintf("s%08x-%d", run, i+1), Every: time.Second, Seed: uint64(200 + i),
			Make: func(id string, r *rand.Rand) senders.Message {
				to := fmt.Sprintf("info%d@%s", r.IntN(1000), Domain)
				if r.IntN(3) == 0 {
					to = fmt.Sprintf("victim%d@%s", r.IntN(1000), Fast)
				}
				return senders.Message{ID: id, From: "prize@" + Down, To: Domain, Rcpts: []string{to}}
			},
		})
	}
	return all, nil
}
