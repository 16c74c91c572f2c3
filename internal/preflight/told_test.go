package preflight

import (
	"strings"
	"testing"
)

func TestTold(t *testing.T) {
	tests := []struct {
		name string
		told []Told
		id   string
		want Verdict
		text string
	}{
		{"not known", nil, "notify", Unknown, "do not say who is told"},
		{"nobody", []Told{}, "notify", Fail, "nobody is told"},
		{"by a program", []Told{{Target: "ops", Way: "exec"}}, "notify.ops", Pass, "told by exec"},
		{"through the gateway", []Told{{Target: "ops", Way: "mail", Through: "it hands mail to east"}}, "notify.ops", Fail, "it hands mail to east"},
		{"by a way that is not known", []Told{{Target: "ops", Way: "mail", Err: "look up mx: no such host"}}, "notify.ops", Unknown, "no such host"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serving(nil)
			s.Told = tt.told
			r := report(t, Input{Snapshot: s})
			c := find(t, r, tt.id)
			if c.Verdict != tt.want || !strings.Contains(c.Reason, tt.text) || (c.Fix == "") != (tt.want == Pass) || r.Verdict != tt.want.Whole() {
				t.Errorf("%+v of report %s, want %s: %s", c, r.Verdict, tt.want, tt.text)
			}
		})
	}
}
