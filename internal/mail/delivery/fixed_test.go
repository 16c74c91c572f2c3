package delivery

import (
	"testing"

	"example.org/ims/pkg/gateway"
)

func TestFixedHost(t *testing.T) {
	p, err := newPolicy(gateway.Settings{ForwardHost: "smart.example", ETRN: map[string]string{"dial.example": "Dial.example:2525", "mx.example": ""}})
	if err != nil {
		t.Fatal(err)
	}
	for dest, want := range map[string]hop{
		FixedHost("West.example"):      {"[west.example]", true},
		FixedHost("west.example:2525"): {"[west.example]:2525", true},
		FixedHost("192.0.2.1"):         {"[192.0.2.1]:25", true},
		FixedHost("[2001:db8::1]:26"):  {"[2001:db8::1]:26", true},
		"[192.0.2.1]":                  {"smart.example", true}, // address literals are domains
		"[IPv6:2001:db8::1]":           {"smart.example", true},
		"x.dial.example":               {"dial.example:2525", true},
		"mx.example":                   {"smart.example", true},
	} {
		if got := p.hopOf(dest); got != want {
			t.Errorf("hopOf(%s) = %+v, want %+v", dest, got, want)
		}
	}
}
