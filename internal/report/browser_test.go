package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/report"
)

// chromium finds the browser. Without it the test skips, unless
// IMS_REQUIRE_SERVERS is 1.
func chromium(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("chromium")
	switch {
	case err == nil:
	case os.Getenv("IMS_REQUIRE_SERVERS") == "1":
		t.Fatalf("chromium is required (IMS_REQUIRE_SERVERS=1): %v", err)
	default:
		t.Skipf("no chromium: %v", err)
	}
	return path
}

// TestInABrowser opens the page in headless Chromium, with a search, and reads
// what it then shows, what its console said and what it asked the network for.
func TestInABrowser(t *testing.T) {
	browser := chromium(t)
	in := performed(t)
	r, err := report.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	page, net := filepath.Join(dir, "page.html"), filepath.Join(dir, "net.json")
	if err := os.WriteFile(page, r.HTML, 0o600); err != nil {
		t.Fatal(err)
	}
	id := in.Events[0].Message
	cmd := exec.CommandContext(t.Context(), browser,
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-extensions", "--user-data-dir="+filepath.Join(dir, "profile"),
		"--host-resolver-rules=MAP * ~NOTFOUND", "--log-net-log="+net, "--enable-logging=stderr", "--v=0", "--dump-dom",
		"file://"+page+"#q="+id)
	cmd.WaitDelay = 10 * time.Second
	var dom, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &dom, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("chromium: %v\n%s", err, log.Bytes())
	}
	if i := bytes.Index(log.Bytes(), []byte("CONSOLE")); i >= 0 {
		t.Errorf("console: %s", log.Bytes()[i:])
	}
	shown := dom.String()
	for name, n := range in.Evidence.Status.Ledger {
		if want := `data-term="` + name + `">` + strconv.FormatInt(n, 10) + "<"; !strings.Contains(shown, want) {
			t.Errorf("the page lacks %s, which the status says", want)
		}
	}
	if found := regexp.MustCompile(`id="found">(\d+) of (\d+) pairs`).FindStringSubmatch(shown); found == nil || found[1] == "0" || found[1] == found[2] {
		t.Errorf("a search for %s found %q", id, found)
	}
	if !strings.Contains(shown, "<td>"+id+"</td>") {
		t.Error("the page does not list the message that was searched for")
	}
	if !regexp.MustCompile(`<b>\w+</b><br>\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ</td>`).MatchString(shown) {
		t.Error("the page does not say when the message ended, as people read times")
	}
	for _, url := range requested(t, net) {
		if !strings.HasPrefix(url, "file://"+dir) && !strings.HasPrefix(url, "data:") {
			t.Errorf("the page asked for %s", url)
		}
	}
}

// requested lists the addresses in a network log of Chromium. Its own services
// are left out: they belong to no page.
func requested(t *testing.T, path string) []string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var log struct {
		Events []struct {
			Params struct {
				URL       string `json:"url"`
				Initiator string `json:"initiator"`
			} `json:"params"`
		} `json:"events"`
	}
	if err := json.Unmarshal(raw, &log); err != nil {
		t.Fatal(fmt.Errorf("read network log: %w", err))
	}
	var urls []string
	for _, e := range log.Events {
		if e.Params.URL != "" && e.Params.Initiator != "" && e.Params.Initiator != "not an origin" {
			urls = append(urls, e.Params.URL)
		}
	}
	return urls
}
