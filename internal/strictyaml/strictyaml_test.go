package strictyaml

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type sample struct {
	At
	Name   Text           `yaml:"name"`
	Wait   time.Duration  `yaml:"wait"`
	Retry  []string       `yaml:"retry"`
	Deep   *deep          `yaml:"deep"`
	States Map[deep]      `yaml:"states"`
	Hosts  map[string]int `yaml:"hosts"`
}

type deep struct {
	Live  bool `yaml:"live"`
	Count int  `yaml:"count"`
}

func TestDecode(t *testing.T) {
	var got sample
	mistakes := Decode("a.yaml", []byte(`# comment
name: "on"
wait: 3d
retry: [.25h, 1h]
deep: {live: true, count: 3}
states:
  second: {count: 2}
  first:
    count: 1
hosts:
  a.test: 25
`), &got)
	if err := mistakes.Err(); err != nil {
		t.Fatal(err)
	}
	want := sample{
		At:    At{Pos{"a.yaml", 2, 1}},
		Name:  Text{"on", Pos{"a.yaml", 2, 7}},
		Wait:  72 * time.Hour,
		Retry: []string{".25h", "1h"},
		Deep:  &deep{true, 3},
		States: Map[deep]{
			{Text{"second", Pos{"a.yaml", 7, 3}}, deep{Count: 2}},
			{Text{"first", Pos{"a.yaml", 8, 3}}, deep{Count: 1}},
		},
		Hosts: map[string]int{"a.test": 25},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Decode (-want +got):\n%s", diff)
	}
}

func TestMistakes(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{
			"every mistake at once", "nam: x\nwait: soon\ndeep: {live: 1, cuont: 2}\n",
			`a.yaml:1:1: unknown key "nam"; did you mean "name"?
a.yaml:2:7: wait wants a duration such as 90s, 15m, 48h or 3d, this is "soon"
a.yaml:3:14: deep.live wants true or false, this is "1"
a.yaml:3:17: unknown key "cuont" in deep; did you mean "count"?`,
		},
		{"yaml 1.1 boolean", "name: off\n", `a.yaml:1:7: a plain "off" is a boolean to YAML 1.1 tools: quote it, or write true or false`},
		{"wrong kind", "retry: 5\n", `a.yaml:1:8: retry wants a list, this is a number`},
		{"alias", "name: &a x\n", `a.yaml:1:7: anchors and aliases are not allowed: write the value out`},
		{"no value", "name:\n", `a.yaml:1:7: name has no value`},
		{"no near key", "zzzzzz: 1\n", `a.yaml:1:1: unknown key "zzzzzz"; valid keys are name, wait, retry, deep, states, hosts`},
		{
			"keys twice", "name: x\nstates:\n  a: {count: 1}\n  \"a\": {cuont: 2}\nname: z\nhosts: {b: 1, b: 2}\nwait: soon\n",
			`a.yaml:5:1: key "name" stands twice, first in line 1
a.yaml:4:3: key "a" stands twice, first in line 3
a.yaml:4:9: unknown key "cuont" in states.a; did you mean "count"?
a.yaml:6:15: key "b" stands twice, first in line 6
a.yaml:7:7: wait wants a duration such as 90s, 15m, 48h or 3d, this is "soon"`,
		},
		{"empty", "", `a.yaml:1:1: the file is empty`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s sample
			if diff := cmp.Diff(tt.want, Decode("a.yaml", []byte(tt.in), &s).Error()); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: x\nstates: {a: {live: true}}\n"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		var s sample
		_ = Decode("f", data, &s)
	})
}
