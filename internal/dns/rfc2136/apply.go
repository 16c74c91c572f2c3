package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/miekg/dns"

	"example.org/ims/pkg/zone"
)

// Preflight sends the operations of c behind a prerequisite that is false.
// What it cannot find out: whether the server will refuse an MX target without
// address (BIND check-integrity), or ignore data beside an alias.
func (w *Writer) Preflight(ctx context.Context, c zone.Change) zone.Outcome {
	c = c.Canonical()
	if o := w.check(c); o.Kind != zone.Ready {
		return o
	}
	got, _, err := w.read(ctx, c.New.Name, c.New.Type)
	o := w.preflight(ctx, c)
	if o.Kind == zone.Ready {
		o.Detail = w.targets(ctx, c).Detail // a later step of a plan may mend it
	}
	if err == nil {
		o.Got = got
	}
	return o
}

func (w *Writer) preflight(ctx context.Context, c zone.Change) zone.Outcome {
	m, err := w.probe(c)
	if err != nil {
		return verdict(zone.Rejected, err.Error())
	}
	o := w.exchange(ctx, m)
	switch {
	case o.Kind == zone.Conflict && o.Rcode == dns.RcodeYXRrset:
		o.Kind, o.Detail = zone.Ready, ""
	case o.Kind == zone.Applied:
		o.Kind, o.Detail = zone.Unsupported, "the server ignores prerequisites and MADE THE CHANGE that was only asked about; compare and repair by hand"
	case o.Kind == zone.Conflict:
		o.Kind, o.Detail = zone.Unsupported, "the server answers a false prerequisite with "+rcode(o.Rcode)
	}
	return o
}

// check is what can be judged without the network.
func (w *Writer) check(c zone.Change) zone.Outcome {
	o := c.Check()
	o.Rcode, o.TSIGErr = -1, -1
	if o.Kind == zone.Ready && c.Zone != w.cfg.Zone {
		return verdict(zone.NotAuthZone, "this writer writes "+w.cfg.Zone)
	}
	return o
}

func verdict(k zone.Kind, detail string) zone.Outcome {
	return zone.Outcome{Kind: k, Rcode: -1, TSIGErr: -1, Detail: detail}
}

// Apply reads, compares, probes, updates and reads back; see zone.Writer.
func (w *Writer) Apply(ctx context.Context, c zone.Change) zone.Outcome {
	c = c.Canonical()
	if o := w.check(c); o.Kind != zone.Ready {
		return o
	}
	var o zone.Outcome
	for n := range attempts {
		if n > 0 && !pause(ctx, w.cfg.Backoff) {
			break
		}
		var again bool
		if o, again = w.attempt(ctx, c, n > 0); !again {
			return o
		}
	}
	return o
}

// unread is the outcome when the data could not be read. Unless an earlier
// attempt has an unknown fate, nothing was sent.
func unread(err error, repeated bool) zone.Outcome {
	if repeated {
		return verdict(zone.Unknown, err.Error())
	}
	if errors.Is(err, zone.ErrNotAuthoritative) {
		return verdict(zone.NotAuthZone, err.Error())
	}
	return verdict(zone.Unreachable, err.Error())
}

// compare judges the data before anything is sent.
func (w *Writer) compare(c zone.Change, got, alias zone.RRset) (zone.Outcome, bool) {
	o := verdict(zone.Ready, "")
	o.Got = got
	switch {
	case got.Equal(c.New):
		o.Kind = zone.AlreadyApplied
	case !got.SameData(c.Old):
		o.Kind, o.Detail = zone.Conflict, "the data is not what the change expects"
	case c.New.Type != "CNAME" && !alias.Empty():
		o.Kind, o.Detail = zone.Rejected, "the name is an alias: "+alias.String()
	}
	return o, o.Kind != zone.Ready
}

// targets refuses mail exchangers inside the zone that have no address or are
// aliases (RFC 2181 10.3); some servers refuse them with a code that looks like
// a missing right, others take them. Names whose addresses cannot be read here
// are let through.
func (w *Writer) targets(ctx context.Context, c zone.Change) zone.Outcome {
	o := verdict(zone.Ready, "")
	if c.New.Type != "MX" {
		return o
	}
	mx, err := c.New.MX()
	if err != nil {
		return verdict(zone.Rejected, err.Error())
	}
	for _, t := range mx {
		if t.Host == "." || !zone.IsSubdomain(t.Host, c.Zone) {
			continue
		}
		a, alias, errA := w.read(ctx, t.Host, "A")
		aaaa, _, errAAAA := w.read(ctx, t.Host, "AAAA")
		switch {
		case errA != nil || errAAAA != nil:
		case !alias.Empty():
			o.Kind, o.Detail = zone.Rejected, fmt.Sprintf("mail exchanger %s is an alias: %s", t.Host, alias)
		case a.Empty() && aaaa.Empty():
			o.Kind, o.Detail = zone.Rejected, fmt.Sprintf("mail exchanger %s has no address", t.Host)
		}
	}
	return o
}

// attempt compares, sends one update and reads back. repeated: an earlier
// attempt has an unknown fate. again means that the fate of this one is not
// known, the data is not New, and another attempt is safe because Old is a
// prerequisite.
func (w *Writer) attempt(ctx context.Context, c zone.Change, repeated bool) (o zone.Outcome, again bool) {
	soa, err := w.soa(ctx) // before the comparison, so that it covers it
	if err != nil {
		return unread(err, repeated), repeated
	}
	got, alias, err := w.read(ctx, c.New.Name, c.New.Type)
	if err != nil {
		return unread(err, repeated), repeated
	}
	if o, done := w.compare(c, got, alias); done {
		if repeated && o.Kind == zone.AlreadyApplied {
			o.Kind = zone.Applied
		}
		return o, false
	}
	if !repeated {
		if o := w.ready(ctx, c, got); o.Kind != zone.Ready {
			return o, false
		}
	}
	m, err := w.build(c, soa)
	if err != nil {
		return verdict(zone.Rejected, err.Error()), false
	}
	o = w.exchange(ctx, m)
	if repeated && o.Kind == zone.Unreachable { // the earlier attempt may still be on its way
		o.Kind = zone.Unknown
	}
	got, alias, err = w.read(ctx, c.New.Name, c.New.Type)
	if err != nil {
		o = unconfirmed(o, err)
		return o, o.Kind == zone.Unknown
	}
	o.Got = got
	return settle(o, c, alias, repeated)
}

// ready checks the targets and asks for permission.
func (w *Writer) ready(ctx context.Context, c zone.Change, got zone.RRset) zone.Outcome {
	o := w.targets(ctx, c)
	if o.Kind == zone.Ready {
		o = w.preflight(ctx, c)
	}
	if o.Kind == zone.Unknown { // the probe cannot have changed anything
		o.Kind, o.Detail = zone.Unreachable, "no usable answer to the preflight: "+o.Detail
	}
	o.Got = got
	if o.Kind == zone.Unsupported { // or it has, see preflight
		return w.with(ctx, o, c)
	}
	return o
}

// unconfirmed is an exchange whose read-back failed. The refusals stand: they
// do not depend on the data.
func unconfirmed(o zone.Outcome, err error) zone.Outcome {
	switch o.Kind {
	case zone.Applied, zone.Conflict, zone.Unknown:
		o.Kind, o.Detail = zone.Unknown, o.Detail+"; not read back: "+err.Error()
	default:
	}
	return o
}

// settle judges an exchange by the data that was read back after it.
func settle(o zone.Outcome, c zone.Change, alias zone.RRset, repeated bool) (zone.Outcome, bool) {
	isNew, isOld := o.Got.Equal(c.New), o.Got.SameData(c.Old)
	switch {
	case isNew && (o.Kind == zone.Applied || o.Kind == zone.Unknown || repeated):
		o.Kind, o.Detail = zone.Applied, ""
	case isNew:
		o.Kind, o.Detail = zone.AlreadyApplied, "somebody else made the same change at the same time"
	case o.Kind == zone.Unknown && isOld:
		return o, true
	case o.Kind == zone.Unknown:
		o.Kind, o.Detail = zone.Conflict, "the data became something else ("+o.Detail+")"
	case o.Kind == zone.Conflict && !alias.Empty() && c.New.Type != "CNAME":
		o.Kind, o.Detail = zone.Rejected, "the name is an alias: "+alias.String()
	case o.Kind == zone.Conflict && isOld:
		o.Detail = "the zone changed in between and changed back, or strict mode saw another change; try again"
	case o.Kind == zone.Applied && o.Got.SameData(c.New):
		o.Kind, o.Detail = zone.Rejected, fmt.Sprintf("the server made the change but publishes TTL %d", o.Got.TTL)
	case o.Kind == zone.Applied && isOld:
		o.Kind, o.Detail = zone.Rejected, "the server answered NOERROR and changed nothing"
	case o.Kind == zone.Applied:
		o.Kind, o.Detail = zone.Conflict, "the change was made and then changed by somebody else"
	case o.Kind == zone.Denied:
		o.Detail = "refused after a good preflight: the zone is frozen, or a mail exchanger has no address; see the server's log; or: " + o.Detail
	}
	return o, false
}

// soa is the zone's SOA in strict mode.
func (w *Writer) soa(ctx context.Context) (*zone.RRset, error) {
	if !w.cfg.Strict {
		return nil, nil
	}
	r, err := w.Read(ctx, w.cfg.Zone, "SOA")
	if err != nil {
		return nil, err
	}
	if r.Empty() {
		return nil, fmt.Errorf("read SOA of %s: none: %w", w.cfg.Zone, zone.ErrNotAuthoritative)
	}
	return &r, nil
}

// with adds the data as it is now.
func (w *Writer) with(ctx context.Context, o zone.Outcome, c zone.Change) zone.Outcome {
	if got, err := w.Read(ctx, c.New.Name, c.New.Type); err == nil {
		o.Got = got
	}
	return o
}

// pause waits for d; false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
