package resolve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/miekg/dns"

	"example.org/ims/internal/dns/msg"
	"example.org/ims/pkg/zone"
)

// rrset finds an RRset along aliases, in the cache or by asking. The absence
// of the type is an empty one and no error, that of the name ErrNoSuchDomain.
// ttl is how long the answer stays in the cache.
func (r *Resolver) rrset(ctx context.Context, name, typ string) (set zone.RRset, ttl time.Duration, err error) {
	if err := ctx.Err(); err != nil {
		return set, 0, err
	}
	q := question{name, typ}
	if e, ok := r.cache.get(q, time.Now()); ok {
		return e.set, time.Until(e.until), e.err
	}
	e, err := r.fetch(ctx, name, typ)
	if err != nil {
		return set, 0, err
	}
	ttl = min(max(time.Duration(e.set.TTL)*time.Second, r.cfg.MinTTL), r.cfg.MaxTTL)
	e.until = time.Now().Add(ttl)
	r.cache.put(q, e)
	return e.set, ttl, e.err
}

// fetch asks, and asks again for the end of an alias that the answer does not
// follow. The TTL of the result is the smallest along the way.
func (r *Resolver) fetch(ctx context.Context, name, typ string) (entry, error) {
	least := ^uint32(0)
	for range maxAliases {
		m, err := r.ask(ctx, name, typ)
		if err != nil {
			return entry{}, err
		}
		end, followed := name, false
		for range maxAliases {
			alias := msg.RRset(end, "CNAME", m.Answer)
			if alias.Empty() || typ == "CNAME" {
				break
			}
			end, least, followed = alias.Data[0], min(least, alias.TTL), true
		}
		set := msg.Answer(end, typ, m)
		if !set.Empty() || m.Rcode == dns.RcodeNameError || !followed || msg.SOA(m.Ns) != nil {
			set.TTL = min(set.TTL, least)
			e := entry{set: set}
			if m.Rcode == dns.RcodeNameError {
				e.err = ErrNoSuchDomain
			}
			return e, nil
		}
		name = end
	}
	return entry{}, fmt.Errorf("ask for %s %s: chain of aliases is too long", name, typ)
}

// ask asks the servers in order until one gives an answer that counts.
func (r *Resolver) ask(ctx context.Context, name, typ string) (*dns.Msg, error) {
	var errs []error
	for _, s := range r.cfg.Servers {
		m, _, err := msg.Ask(ctx, msg.Query{Addr: s, Name: name, Type: typ, Recurse: true, Timeout: r.cfg.Timeout})
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
		case m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError:
			err = fmt.Errorf("ask %s for %s %s: %s", s, name, typ, dns.RcodeToString[m.Rcode])
		case !m.Authoritative && !m.RecursionAvailable:
			err = fmt.Errorf("ask %s for %s %s: refers elsewhere", s, name, typ)
		default:
			return m, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}
