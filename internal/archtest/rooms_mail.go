package archtest

// outside are the rooms that reach the world: the embedded mail service, and the
// adapters.
var outside = map[string]room{
	// The embedded mail service.
	"internal/mail":         {imports: arrows{"pkg/gateway": theWords, "pkg/ledger": theRecords}},
	"internal/mail/address": {},
	"internal/mail/routing": {imports: arrows{"pkg/gateway": theWords, "internal/mail": theMail, "internal/mail/address": theAddress}},
	"internal/mail/spool": {imports: arrows{
		"internal/mail": theMail,
		"pkg/gateway":   theWords,
		"pkg/ledger":    theRecords,
	}},
	"internal/mail/spool/spooltest": {imports: arrows{"internal/mail": theMail, "internal/mail/spool": theFiles, "pkg/ledger": theRecords, "pkg/gateway": theWords}},
	"internal/mail/smtpd":           {imports: arrows{"internal/mail/address": theAddress, "internal/mail": theMail}},
	"internal/mail/delivery": {imports: arrows{
		"internal/mail":         theMail,
		"internal/mail/address": theAddress,
		"pkg/gateway":           theWords,
		"pkg/ledger":            theRecords,
	}, tests: arrows{"internal/mail/spool": theFiles}},
	"internal/mail/dsn":  {imports: arrows{"internal/mail": theMail, "internal/mail/address": theAddress}},
	"internal/mail/sink": {imports: arrows{"internal/mail": theMail, "internal/mail/address": theAddress}},
	"internal/mail/probe": {imports: arrows{
		"pkg/facts": "what a listener answers is a fact", "pkg/gateway": theWords, "internal/patience": thePatience,
	}},
	"internal/mail/service": {imports: arrows{
		"internal/mail":          theMail,
		"internal/mail/address":  theAddress,
		"internal/mail/delivery": "moves what leaves",
		"internal/mail/dsn":      "reports what cannot be delivered",
		"internal/mail/routing":  "decides which gateway takes a message",
		"internal/mail/smtpd":    "takes what arrives",
		"internal/mail/spool":    "keeps what was taken",
		"pkg/gateway":            theContract,
		"pkg/ledger":             theRecords,
	}, tests: arrows{
		"pkg/gateway/gatewaytest": theSuite,
		"internal/mail/sink":      "hosts that answer as told",
	}},
	"internal/mail/control": {imports: arrows{
		"internal/access":       theRights,
		"internal/patience":     thePatience,
		"internal/mail":         theMail,
		"internal/mail/service": "what the socket controls",
		"pkg/gateway":           theContract,
		"pkg/ledger":            theRecords,
	}, tests: arrows{"internal/gateway/mem": "a gateway behind the socket"}},

	// Adapters: their contract and facts only.
	"internal/gateway/mem": {
		imports: arrows{"pkg/gateway": theContract, "pkg/ledger": theRecords, "pkg/facts": theFacts, "internal/mail/routing": theRules},
		tests:   arrows{"pkg/gateway/gatewaytest": theSuite},
	},
	"internal/gateway/embedded": {
		imports: arrows{"pkg/gateway": theContract, "pkg/ledger": theRecords, "pkg/facts": theFacts, "internal/mail/control": "speaks to the service over its socket"},
		tests:   arrows{"pkg/gateway/gatewaytest": theSuite, "internal/gateway/mem": "a gateway behind the socket", "internal/mail": theMail, "internal/mail/service": "the service it speaks to", "internal/mail/sink": "hosts that answer as told"},
	},
	"internal/gateway/readonly": {
		imports: arrows{"pkg/gateway": theContract, "pkg/ledger": theRecords},
		tests:   arrows{"pkg/gateway/gatewaytest": theSuite, "internal/gateway/mem": "a gateway to wrap"},
	},
	"internal/gateway/fault": {
		imports: arrows{"pkg/gateway": theContract, "pkg/ledger": theRecords},
		tests:   arrows{"pkg/gateway/gatewaytest": theSuite, "internal/gateway/mem": "a gateway to wrap"},
	},
	"internal/dns/mem":  {imports: arrows{"pkg/zone": theContract}, tests: arrows{"pkg/zone/zonetest": theSuite}},
	"internal/dns/tsig": {imports: arrows{"pkg/zone": "a key belongs to a zone"}},
	"internal/dns/msg":  {imports: arrows{"pkg/zone": "converts the contract's RRsets to wire form"}},
	"internal/dns/rfc2136": {
		imports: arrows{"pkg/zone": theContract, "internal/dns/msg": "RRsets on the wire", "internal/dns/tsig": "updates are signed"},
		tests:   arrows{"pkg/zone/zonetest": theSuite, "internal/dns/dnstest": theServers, "internal/dns/server": "a server to update", "internal/dns/watch": "what the servers give afterwards"},
	},
	"internal/dns/server": {
		imports: arrows{"pkg/zone": "serves the contract's RRsets", "internal/dns/msg": "RRsets on the wire", "internal/dns/tsig": "updates and transfers are signed"},
		tests:   arrows{"internal/dns/dnstest": theServers, "internal/dns/rfc2136": "a client to be updated by"},
	},
	"internal/dns/watch": {
		imports: arrows{"pkg/zone": "observes the contract's RRsets", "internal/dns/msg": "RRsets on the wire", "internal/dns/tsig": "transfers are signed", "pkg/facts": theFacts, "internal/patience": thePatience},
		tests:   arrows{"internal/dns/dnstest": theServers, "internal/dns/server": "servers to watch", "internal/dns/rfc2136": "a change to watch"},
	},
	"internal/dns/resolve": {
		imports: arrows{"pkg/zone": "looks the contract's RRsets up", "internal/dns/msg": "RRsets on the wire"},
		tests:   arrows{"internal/dns/dnstest": theServers, "internal/dns/rfc2136": "a change to follow", "internal/dns/server": "a server to ask"},
	},
	"internal/dns/axfr": {
		imports: arrows{"pkg/zone": "RRsets of a zone", "internal/dns/msg": "RRsets on the wire", "internal/dns/tsig": "transfers are signed"},
		tests:   arrows{"internal/dns/dnstest": theServers},
	},
	"internal/dns/bindtest": {
		imports: arrows{"internal/dns/dnstest": theServers, "internal/dns/msg": "RRsets on the wire", "internal/dns/tsig": "the keys", "pkg/zone": theContract},
		tests: arrows{
			"internal/dns/rfc2136": "updates BIND", "internal/dns/server": "exchanges zones with BIND",
			"internal/dns/watch": "watches BIND", "internal/dns/resolve": "asks BIND", "pkg/zone/zonetest": theSuite,
		},
	},
	"internal/dns/dnstest": {imports: arrows{"internal/dns/server": "starts it", "internal/dns/tsig": "makes keys"}},
}
