package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSummarize(t *testing.T) {
	tests := []struct {
		name string
		in   []string
		want []string
		ok   bool
	}{
		{
			"a skip has its reason, and is counted",
			[]string{
				`{"Action":"run","Package":"p","Test":"TestA"}`,
				`{"Action":"pass","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestB","Output":"    b.go:7: named is not installed\n"}`,
				`{"Action":"skip","Package":"p","Test":"TestB"}`,
				`{"Action":"output","Package":"p","Output":"ok p 1.2s\n"}`,
				`{"Action":"pass","Package":"p","Elapsed":1.2}`,
				`{"Action":"skip","Package":"no/tests","Elapsed":0}`,
			},
			[]string{"ok   p  1.2s  1 passed, 1 skipped", "SKIP p TestB: named is not installed", "1 passed, 0 failed, 1 skipped"},
			true,
		},
		{
			"a failure prints what the test said",
			[]string{
				`{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: got 1, want 2\n"}`,
				`{"Action":"fail","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Output":"FAIL\tp\t0.5s\n"}`,
				`{"Action":"fail","Package":"p","Elapsed":0.5}`,
			},
			[]string{"FAIL p TestA", "    a_test.go:7: got 1, want 2", "FAIL p  0.5s", "0 passed, 1 failed, 0 skipped"},
			false,
		},
		{
			"a panic fails the package without a failed test",
			[]string{
				`{"Action":"pass","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestB","Output":"panic: test timed out\n"}`,
				`{"Action":"fail","Package":"p","Elapsed":60}`,
			},
			[]string{"panic: test timed out", "FAIL p  60.0s", "broken packages: 1", "1 passed, 1 failed, 0 skipped"},
			false,
		},
		{
			"a package that does not build fails",
			[]string{
				`{"ImportPath":"q","Action":"build-output","Output":"q.go:1: undefined: x\n"}`,
				`{"ImportPath":"q","Action":"build-fail"}`,
				`go: warning`,
			},
			[]string{"q.go:1: undefined: x", "FAIL q: does not build", "go: warning", "broken packages: 1", "0 passed, 1 failed, 0 skipped"},
			false,
		},
		{
			"what takes long is named, slowest first, without its parts",
			[]string{
				`{"Action":"pass","Package":"p","Test":"TestA","Elapsed":9.9}`,
				`{"Action":"pass","Package":"p","Test":"TestB","Elapsed":31.4}`,
				`{"Action":"pass","Package":"p","Test":"TestC/part","Elapsed":99}`,
				`{"Action":"pass","Package":"p","Test":"TestC","Elapsed":99}`,
				`{"Action":"pass","Package":"p","Elapsed":140}`,
			},
			[]string{"ok   p  140.0s  4 passed, 0 skipped", "SLOW p TestC: 99s", "SLOW p TestB: 31s", "4 passed, 0 failed, 0 skipped"},
			true,
		},
		{"no test is no success", nil, []string{"0 passed, 0 failed, 0 skipped"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			ok, err := summarize(strings.NewReader(strings.Join(tt.in, "\n")), &out)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Join(tt.want, "\n")+"\n", out.String()); diff != "" || ok != tt.ok {
				t.Errorf("summarize = %v, want %v (-want +got):\n%s", ok, tt.ok, diff)
			}
		})
	}
}
