package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/output"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/runner"
)

func summaries() []runner.Summary {
	at := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	return []runner.Summary{
		{Run: "east-2", Gateway: "east", Opened: at.Add(time.Hour)},
		{Run: "east-1", Gateway: "east", Opened: at, Closed: &at},
	}
}

func TestAnOpenRunBlocksAPlan(t *testing.T) {
	for gateway, want := range map[string]plan.Verdict{"east": plan.Blocked, "west": plan.Ready} {
		pl := &plan.Plan{Verdict: plan.Ready, Gateway: gateway, Next: "north", Runbook: "q285090"}
		holds(pl, summaries())
		if pl.Verdict != want {
			t.Errorf("holds(%s) = %s, want %s", gateway, pl.Verdict, want)
		}
		var out strings.Builder
		err := showPlan(output.New(&out, &strings.Builder{}, output.Options{}), pl, planView{})
		if blocked := output.KindOf(err) == output.Blocked; blocked != (want == plan.Blocked) {
			t.Errorf("showPlan(%s) = %v", gateway, err)
		}
		if named := strings.Contains(out.String(), "fix: ims status east-2\n"); named != (want == plan.Blocked) || strings.Contains(out.String(), "east-1") {
			t.Errorf("the page for %s:\n%s", gateway, &out)
		}
	}
}

func TestWhichRunWasMeant(t *testing.T) {
	for word, want := range map[string]string{
		"east":   "; the last run of gateway east is east-2",
		"esat-2": `; did you mean "east-2"?`,
		"north":  "",
	} {
		if got := meant(word, summaries()); got != want {
			t.Errorf("meant(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestNextLineSaysWhetherAnAnswerCountsNow(t *testing.T) {
	var asked, early runner.Status
	for into, text := range map[*runner.Status]string{
		&asked: `{"asked":{},"action":{"verb":"approve","state":"confirm","what":"Remove it?","command":"ims approve east-1 confirm"}}`,
		&early: `{"action":{"verb":"approve","state":"confirm","what":"Remove it?","command":"ims approve east-1 confirm"}}`,
	} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		s    runner.Status
		want string
	}{
		{asked, "Next: approve confirm, now: Remove it?\n      ims approve east-1 confirm\n"},
		{early, "Next: approve confirm, now: Remove it?\n      then: ims approve east-1 confirm\n"},
	} {
		var out strings.Builder
		if err := output.New(&out, &strings.Builder{}, output.Options{}).Result("x", nil, func(p *output.Page) { nextLine(p, &tt.s) }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, out.String()); diff != "" {
			t.Errorf("nextLine (-want +got):\n%s", diff)
		}
	}
}

func TestLeavingAViewIsNoError(t *testing.T) {
	for yes, want := range map[bool]string{
		false: "run east-1 goes on without this view; to look at it again: ims monitor east-1\n",
		true: "run east-1 goes on without this view; to look at it again: ims monitor east-1\n" +
			"nobody answers its questions any more; ims status east-1 says what it asks\n",
	} {
		var words strings.Builder
		f := &follower{p: output.New(&strings.Builder{}, &words, output.Options{}), run: "east-1", yes: yes}
		f.leave()
		if diff := cmp.Diff(want, words.String()); diff != "" {
			t.Errorf("leave with --yes %t (-want +got):\n%s", yes, diff)
		}
	}
}

func TestAHeldGatewayNamesTheRunAndSinceWhen(t *testing.T) {
	held := &runner.HeldError{Resource: "gateway/east", Run: "east-1", Owner: "runner 7 on host", Since: time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)}
	told := telling("", fmt.Errorf("open run %q: %w", "east-2", held))
	if got, want := told.Error(), "gateway east is held by run east-1, which is open since 2026-11-22T06:00:00Z"; got != want {
		t.Errorf("telling = %q, want %q", got, want)
	}
	if kind := output.KindOf(told); kind != output.Blocked {
		t.Errorf("its kind is %q, want blocked", kind)
	}
}

func TestNoRunnerIsToldWithoutAnAddress(t *testing.T) {
	err := fmt.Errorf("ask the runner: %w", &url.Error{Op: "Post", URL: "http://runner/v1/runs", Err: fmt.Errorf("%w for /var/lib/ims", runner.ErrNoRunner)})
	told := telling("east-1", err)
	if got, want := told.Error(), runner.ErrNoRunner.Error()+" for /var/lib/ims"; got != want || !errors.Is(told, runner.ErrNoRunner) {
		t.Errorf("telling = %q, want %q", got, want)
	}
}
