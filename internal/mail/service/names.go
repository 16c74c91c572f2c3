package service

import (
	"context"
	"net/netip"
	"sync"

	"example.org/ims/internal/mail/delivery"
)

// keeper looks the hosts of a gateway's settings up once, and again only when
// the service starts anew, as the historical service did (Q285023). Domains are
// looked up each time.
type keeper struct {
	delivery.Resolver
	mu   sync.Mutex
	kept map[string][]delivery.Target
}

var (
	_ delivery.Resolver     = (*keeper)(nil)
	_ delivery.HostResolver = (*keeper)(nil)
)

// Host implements delivery.HostResolver. What could not be looked up is not kept.
func (k *keeper) Host(ctx context.Context, host string) ([]delivery.Target, error) {
	k.mu.Lock()
	list, ok := k.kept[host]
	k.mu.Unlock()
	if ok {
		return list, nil
	}
	look := k.Lookup
	if hr, ok := k.Resolver.(delivery.HostResolver); ok {
		look = hr.Host
	}
	list, err := look(ctx, host)
	if err == nil && len(list) > 0 {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.kept[host] = list
	}
	return list, err
}

// resolved is what is kept, for Config; nil if nothing is, or k is nil.
func (k *keeper) resolved() map[string][]netip.AddrPort {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.kept) == 0 {
		return nil
	}
	out := map[string][]netip.AddrPort{}
	for host, list := range k.kept {
		for _, t := range list {
			if a, err := netip.ParseAddrPort(t.Addr); err == nil {
				out[host] = append(out[host], a)
			}
		}
	}
	return out
}
