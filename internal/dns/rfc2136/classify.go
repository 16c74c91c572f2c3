package rfc2136

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/miekg/dns"

	"example.org/ims/pkg/zone"
)

// classify judges a reply to an update with message id. Applied means that the
// server says so, Conflict that a prerequisite was false; both are believed
// only of a signed reply to a signed request.
func (w *Writer) classify(id uint16, r *dns.Msg, err error) zone.Outcome {
	o := zone.Outcome{Rcode: -1, TSIGErr: -1}
	if r == nil || r.Id != id || !r.Response || r.Opcode != dns.OpcodeUpdate {
		o.Detail = "no usable reply"
		if err != nil {
			o.Detail += ": " + err.Error()
		}
		return o
	}
	o.Rcode = r.Rcode
	t := r.IsTsig()
	if t != nil {
		o.TSIGErr = int(t.Error)
		if w.tsigError(&o, t) {
			return o
		}
	}
	verified := w.cfg.Key == nil || t != nil && err == nil
	switch r.Rcode {
	case dns.RcodeSuccess, dns.RcodeYXDomain, dns.RcodeYXRrset, dns.RcodeNXRrset, dns.RcodeNameError:
		switch {
		case !verified:
			o.Detail = "reply not authenticated"
			if err != nil {
				o.Detail += ": " + err.Error()
			}
		case r.Rcode == dns.RcodeSuccess:
			o.Kind = zone.Applied
		default:
			o.Kind, o.Detail = zone.Conflict, "the server says "+rcode(r.Rcode)
		}
	default:
		w.refusal(&o, t != nil)
	}
	return o
}

// tsigError judges the error field of the reply's TSIG (RFC 8945 5.3.2).
func (w *Writer) tsigError(o *zone.Outcome, t *dns.TSIG) bool {
	switch t.Error {
	case dns.RcodeBadSig:
		o.Kind, o.Detail = zone.BadSig, fmt.Sprintf("the server has another secret for key %v", w.cfg.Key)
	case dns.RcodeBadKey:
		o.Kind = zone.BadKey
		o.Detail = fmt.Sprintf("the server does not know key %v, or not with this algorithm, or not for this zone", w.cfg.Key)
	case dns.RcodeBadTime:
		o.Kind, o.Skew = zone.ClockSkew, skew(t)
		o.Detail = fmt.Sprintf("the server's clock is %v off from ours", o.Skew)
	default:
		return false
	}
	return true
}

// skew is the server's clock, from the other data of a BADTIME reply, minus
// the time the request was signed (RFC 8945 5.2.3).
func skew(t *dns.TSIG) time.Duration {
	b, err := hex.DecodeString(t.OtherData)
	if err != nil || len(b) != 6 {
		return 0
	}
	var server int64
	for _, x := range b {
		server = server<<8 | int64(x)
	}
	return time.Duration(server-int64(t.TimeSigned)) * time.Second
}

// refusal judges the codes with which nothing was changed, and those that say
// nothing.
func (w *Writer) refusal(o *zone.Outcome, signed bool) {
	name := w.cfg.Zone
	switch o.Rcode {
	case dns.RcodeRefused:
		o.Kind = zone.Denied
		o.Detail = fmt.Sprintf("refused; grant the right, for example: update-policy { grant %s name %s MX; };", w.keyName(), name)
		if w.cfg.Key != nil && !signed {
			o.Detail = fmt.Sprintf("refused without signature: unknown key, other secret, clock, or no right for key %v in zone %s, or not the primary", w.cfg.Key, name)
		}
	case dns.RcodeNotAuth:
		o.Kind, o.Detail = zone.NotAuthZone, fmt.Sprintf("%s is not a primary of %s; check zone and server", w.cfg.Server, name)
	case dns.RcodeNotZone:
		o.Kind, o.Detail = zone.NotInZone, "the server finds a name outside zone "+name
	case dns.RcodeNotImplemented:
		o.Kind, o.Detail = zone.Unsupported, w.cfg.Server+" does not take dynamic updates"
	case dns.RcodeFormatError:
		o.Kind, o.Detail = zone.Rejected, "the server finds the message malformed"
	default: // SERVFAIL and codes nobody expects: the fate is not known
		o.Kind, o.Detail = zone.Unknown, "the server says "+rcode(o.Rcode)
	}
}

func (w *Writer) keyName() string {
	if w.cfg.Key == nil {
		return "KEY"
	}
	return w.cfg.Key.Name
}
