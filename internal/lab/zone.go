package lab

import (
	"fmt"
	"strings"
)

// zoneText is the organization's zone: its MX leads to the gateway that is
// going to retire.
func (l *Layout) zoneText() string {
	return fmt.Sprintf(`$ORIGIN %s.
$TTL %d
@          IN SOA ns1 hostmaster 1 2 1 86400 1
           IN NS  ns1
           IN NS  ns2
           IN MX  10 east
           IN TXT "v=spf1 mx -all"
branch     IN MX  10 east
ns1        IN A   127.0.0.1
ns2        IN A   127.0.0.1
east       IN A   %s
west       IN A   %s
mail       IN A   127.0.0.1
bridgehead IN A   127.0.0.1
`, Domain, l.Settings.TTL, machines[Retiring], machines[Heir])
}

// reverseName is the zone of the addresses of the gateways' machines.
const reverseName = "20.0.127.in-addr.arpa"

// reverseText says what their addresses are called.
func (l *Layout) reverseText() string {
	return fmt.Sprintf(`$ORIGIN %s.
$TTL %d
@ IN SOA ns1.%[3]s. hostmaster.%[3]s. 1 2 1 86400 1
  IN NS  ns1.%[3]s.
1 IN PTR east.%[3]s.
2 IN PTR west.%[3]s.
`, reverseName, l.Settings.TTL, Domain)
}

// internetText is the zone of the rest of the world.
func (l *Layout) internetText() string {
	var b strings.Builder
	fmt.Fprintf(&b, "$ORIGIN test.\n$TTL 60\n@ IN SOA ns hostmaster 1 3600 600 86400 5\n  IN NS ns\nns IN A 127.0.0.1\n")
	for _, d := range remoteDomains {
		fmt.Fprintf(&b, "%s. IN MX 10 mx.%s.\nmx.%s. IN A 127.0.0.1\n", d, d, d)
	}
	b.WriteString("mx.reports IN A 127.0.0.1\n")
	for _, d := range senderDomains {
		fmt.Fprintf(&b, "%s. IN MX 10 mx.reports\n", d)
	}
	return b.String()
}

// keyText is the key file of dynamic updates, as tsig-keygen writes it.
func (l *Layout) keyText() string {
	return fmt.Sprintf("key %q {\n\talgorithm hmac-sha256;\n\tsecret %q;\n};\n", keyName, l.Secret)
}

// keyFile is where it is.
func (l *Layout) keyFile() string { return l.path("dns", "update.key") }
