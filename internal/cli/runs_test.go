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
	"example.org/ims/internal/verdict"
)

func summaries() []runner.Summary {
	at := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	return []runner.Summary{
		{Run: "east-2", Gateway: "east", Opened: at.Add(time.Hour)},
		{Run: "east-1", Gateway: "east", Opened: at, Closed: &at},
	}
}

// TestAPlanSaysWhatStandsInTheWay wants the page, the ticket and the exit code
// of a plan to tell what blocks from what is asked.
func TestAPlanSaysWhatStandsInTheWay(t *testing.T) {
	blocker := plan.Check{ID: "open-run.east-2", Verdict: verdict.Fail, Why: "run east-2 is open", Fix: "ims status east-2", Provenance: "live"}
	question := plan.Check{ID: "consent.when[0]", Verdict: verdict.Ask, Asked: "consent", Why: "mail is returned", Fix: "ims route add west", Provenance: "live"}
	another := blocker
	another.ID = "open-run.east-3"
	waived := blocker
	waived.Waived = "we know (anna)"
	consent := plan.Step{ID: "consent", Asks: &plan.Question{When: plan.Now, Question: verdict.Question{
		State: "consent", Ask: "Go on?", Min: 2, From: []string{"anna", "ben", "cleo"}, NotSelf: true, Expires: "72h0m0s", Choices: []string{"granted"},
	}}}
	for _, tt := range []struct {
		name   string
		checks []plan.Check
		whole  plan.Verdict
		want   output.Kind
		lines  []string
	}{
		{"ready", nil, plan.Ready, output.Done, []string{"Verdict: READY   0 blockers, 0 questions, 0 unknown, 0 ok   (exit 0)"}},
		{"waived", []plan.Check{waived}, plan.Ready, output.Done, []string{"Verdict: READY   0 blockers,", "waived    open-run.east-2: run east-2 is open (live)"}},
		{"asked", []plan.Check{question}, plan.Asks, output.Blocked, []string{
			"Verdict: ASKS   0 blockers, 1 question, 0 unknown, 0 ok   (exit 2)",
			"QUESTION  consent: asks 2 people of anna, ben, cleo, not whoever opened the run;\n          open for 3d: Go on?\n",
			"          - consent.when[0]: mail is returned (live)\n          answer, once it asks: ims approve RUN consent\n          or mend it before: ims route add west\n",
		}},
		{"blocked", []plan.Check{question, blocker, another}, plan.Blocked, output.Blocked, []string{
			"Verdict: BLOCKED   2 blockers, 1 question, 0 unknown, 0 ok   (exit 2)",
			"BLOCKER   open-run.east-2: run east-2 is open (live)\n          the same is wanted by open-run.east-3\n          fix: ims status east-2\n",
			"The prediction comes no further than consent: ",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pl := &plan.Plan{Verdict: tt.whole, Gateway: "east", Next: "west", Runbook: "q285090", States: []plan.Step{consent}, Checks: tt.checks}
			if tt.want != output.Done {
				pl.Questions = []verdict.Question{consent.Asks.Question}
			}
			var out strings.Builder
			if err := showPlan(output.New(&out, &strings.Builder{}, output.Options{}), pl, planView{}); output.KindOf(err) != tt.want {
				t.Errorf("ends as %v, want %v", output.KindOf(err), tt.want)
			}
			for _, l := range tt.lines {
				if !strings.Contains(out.String(), l) {
					t.Errorf("the page has no %q:\n%s", l, &out)
				}
			}
			ticket := string(planMarkdown(pl, planView{}))
			for _, c := range tt.checks {
				if c.Open() && !strings.Contains(ticket, "**"+c.Verdict.Word()+"**") {
					t.Errorf("the ticket does not tell a %s:\n%s", c.Verdict, ticket)
				}
			}
		})
	}
}

func TestAQuestionSaysHowItIsAnswered(t *testing.T) {
	for want, choices := range map[string][]string{
		"ims approve RUN held": {"granted"},
		"ims approve RUN held --choice CHOICE, which is send, back or export": {"send", "back", "export"},
	} {
		if got := answerWords(verdict.Question{State: "held", Choices: choices}); got != want {
			t.Errorf("%q, want %q", got, want)
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
		&asked: `{"asked":{},"action":{"verb":"approve","state":"confirm","what":"Remove it?","commands":["ims approve east-1 confirm"]}}`,
		&early: `{"state":"watch","action":{"verb":"approve","state":"confirm","what":"Remove it?","commands":["ims approve east-1 confirm"]}}`,
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
		{early, "Next: approve confirm, once the run comes there from watch: Remove it?\n      then: ims approve east-1 confirm\n"},
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
