package spool

import (
	"encoding/binary"
	"fmt"

	"example.org/ims/internal/mail"
	"example.org/ims/pkg/gateway"
)

// Keys begin with the kind of the record. Gateway names are preceded by their
// length, so that no gateway's range holds another's.
//
//	e LEN gateway STORE id   entry, JSON
//	i id                     what is known of a body: kind, size, checksum
//	b id                     body
//	t SEQ                    tracking event, JSON
//	s LEN gateway key        setting
const (
	kindEntry   = 'e'
	kindInfo    = 'i'
	kindBody    = 'b'
	kindEvent   = 't'
	kindSetting = 's'
)

func gatewayPrefix(kind byte, gw string) []byte {
	k := make([]byte, 0, len(gw)+64)
	k = append(k, kind, byte(len(gw)))
	return append(k, gw...)
}

func storePrefix(gw string, st gateway.Store) []byte {
	return append(gatewayPrefix(kindEntry, gw), byte(st))
}

func entryKey(gw string, st gateway.Store, id mail.ID) []byte {
	return append(storePrefix(gw, st), id...)
}

// parseEntryKey is the inverse of entryKey.
func parseEntryKey(k []byte) (gw string, st gateway.Store, id mail.ID, err error) {
	if len(k) < 3 || k[0] != kindEntry || len(k) < 3+int(k[1]) {
		return "", 0, "", fmt.Errorf("%w: entry key %q", ErrDamaged, k)
	}
	n := 2 + int(k[1])
	gw, st, id = string(k[2:n]), gateway.Store(k[n]), mail.ID(k[n+1:])
	if st >= gateway.NumStores || !validID(id) {
		return "", 0, "", fmt.Errorf("%w: entry key %q", ErrDamaged, k)
	}
	return gw, st, id, nil
}

func bodyKey(kind byte, id mail.ID) []byte { return append([]byte{kind}, id...) }

func eventKey(seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kindEvent}, seq)
}

func parseEventKey(k []byte) (uint64, error) {
	if len(k) != 9 || k[0] != kindEvent {
		return 0, fmt.Errorf("%w: event key %q", ErrDamaged, k)
	}
	return binary.BigEndian.Uint64(k[1:]), nil
}

func settingKey(gw, key string) []byte {
	return append(gatewayPrefix(kindSetting, gw), key...)
}

// after is the first key behind all keys with prefix p.
func after(p []byte) []byte {
	end := append([]byte(nil), p...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

// validID reports whether id can be part of a key and of a file name.
func validID(id mail.ID) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := 0; i < len(id); i++ {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func validGateway(gw string) bool { return len(gw) <= 255 }
