package server

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"log/slog"
	"time"

	"github.com/miekg/dns"

	"example.org/ims/internal/dns/tsig"
	"example.org/ims/pkg/zone"
)

// accept lets requests of the three opcodes through.
func accept(h dns.Header) dns.MsgAcceptAction {
	const response = 1 << 15
	switch opcode := int(h.Bits>>11) & 0xF; {
	case h.Bits&response != 0:
		return dns.MsgIgnore
	case opcode != dns.OpcodeQuery && opcode != dns.OpcodeNotify && opcode != dns.OpcodeUpdate:
		return dns.MsgRejectNotImplemented
	case h.Qdcount != 1:
		return dns.MsgReject
	}
	return dns.MsgAccept
}

// handle answers one request.
func (s *Server) handle(w dns.ResponseWriter, q *dns.Msg) {
	w.TsigTimersOnly(false)
	r := new(dns.Msg)
	r.SetReply(q)
	switch {
	case q.IsTsig() != nil && w.TsigStatus() != nil:
		r.Rcode = dns.RcodeNotAuth
	case q.Opcode == dns.OpcodeUpdate:
		r.Rcode = s.update(q, s.grant(q))
	case q.Opcode == dns.OpcodeNotify:
		s.notified(w, q, r)
	case q.Question[0].Qclass != dns.ClassINET:
		r.Rcode = dns.RcodeRefused
	case q.Question[0].Qtype == dns.TypeAXFR || q.Question[0].Qtype == dns.TypeIXFR:
		if s.transfer(w, q, r) {
			return
		}
	default:
		s.query(q.Question[0], r)
	}
	s.reply(w, q, r)
}

// grant is what the verified key of q may do.
func (s *Server) grant(q *dns.Msg) Grant {
	if t := q.IsTsig(); t != nil {
		return s.grants[zone.CanonicalName(t.Hdr.Name)]
	}
	return Grant{}
}

// reply fits r to the transport, signs it if q was signed, and sends it.
func (s *Server) reply(w dns.ResponseWriter, q, r *dns.Msg) {
	if opt := q.IsEdns0(); opt != nil {
		r.SetEdns0(ednsSize, opt.Do())
	}
	r.Compress = true
	if w.RemoteAddr().Network() == "udp" {
		size := dns.MinMsgSize
		if opt := q.IsEdns0(); opt != nil {
			size = max(size, min(int(opt.UDPSize()), ednsSize))
		}
		if q.IsTsig() != nil {
			size -= signatureSize
		}
		r.Truncate(size)
	}
	sign(w, q, r)
	if err := w.WriteMsg(r); err != nil {
		s.cfg.Log.Warn("dns reply not sent", slog.String("zone", s.cfg.Zone), slog.Any("err", err))
	}
}

const (
	ednsSize      = 1232 // avoids fragments (DNS flag day 2020)
	signatureSize = 160  // an upper bound of what a TSIG adds
)

// sign attaches the TSIG of a reply to a signed request (RFC 8945 5.3). The
// reply to one that did not verify carries the error; BADSIG and BADKEY are
// sent unsigned, BADTIME signed and with our clock.
func sign(w dns.ResponseWriter, q, r *dns.Msg) {
	t := q.IsTsig()
	if t == nil {
		return
	}
	now := time.Now().Unix()
	r.SetTsig(t.Hdr.Name, t.Algorithm, tsig.Fudge, now)
	out := r.IsTsig()
	switch err := w.TsigStatus(); {
	case err == nil:
	case errors.Is(err, dns.ErrTime):
		var clock [8]byte
		binary.BigEndian.PutUint64(clock[:], uint64(now))
		out.Error, out.TimeSigned = dns.RcodeBadTime, t.TimeSigned
		out.OtherLen, out.OtherData = 6, hex.EncodeToString(clock[2:])
	case errors.Is(err, dns.ErrSecret), errors.Is(err, dns.ErrKeyAlg):
		out.Error = dns.RcodeBadKey
	default:
		out.Error = dns.RcodeBadSig
	}
}
