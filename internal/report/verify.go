package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.org/ims/internal/journal"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/ledger"
)

// Check is one thing that Verify looked at.
type Check struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Says string `json:"says"`
}

// Law is the check that fails, too, if there is no tracking log.
const Law = "law"

// Verdict is what Verify found.
type Verdict struct {
	Run     string  `json:"run"`
	Head    string  `json:"head"` // of the journal's chain, to compare with one written down elsewhere
	Outcome string  `json:"outcome"`
	Checks  []Check `json:"checks"`
}

// OK reports whether every check passed.
func (v *Verdict) OK() bool {
	return !slices.ContainsFunc(v.Checks, func(c Check) bool { return !c.OK })
}

func (v *Verdict) check(what string, err error, format string, args ...any) bool {
	c := Check{What: what, OK: err == nil, Says: fmt.Sprintf(format, args...)}
	if err != nil {
		c.Says = err.Error()
	}
	v.Checks = append(v.Checks, c)
	return err == nil
}

// Verify checks a page or a bundle: that nothing is missing or changed, that the
// journal's chain holds, that the account of messages follows from the tracking
// log and obeys the conservation law, and that what is claimed is what the
// journal says. A page is drawn anew from its bundle and compared, if this
// program is of the version that made it. It needs nothing else. An error says
// that data is no report.
func Verify(data []byte, version string) (*Verdict, error) {
	files, err := Unpack(data)
	switch {
	case errors.Is(err, ErrNoReport):
		return nil, err
	case err != nil: // it is one, and was damaged
		v := &Verdict{}
		v.check("files", err, "")
		return v, nil
	}
	var m manifest
	if err := json.Unmarshal(files[manifestName], &m); err != nil || m.Schema != manifestSchema {
		return nil, fmt.Errorf("%w: its manifest cannot be read", ErrNoReport)
	}
	v := &Verdict{Run: m.Run}
	v.check("files", v.hashes(m, files), "%d files as the manifest has them", len(m.SHA256))
	chain, err := journal.VerifyExport(bytes.NewReader(files[journalName]))
	if err == nil && (chain.Run != m.Run || chain.Head.String() != m.Head || chain.Seq != m.Records) {
		err = fmt.Errorf("the chain is of run %s, %d records, head %s; the manifest says %s, %d, %s", chain.Run, chain.Seq, chain.Head, m.Run, m.Records, m.Head)
	}
	if !v.check("chain", err, "%d records lead to head %s", chain.Seq, chain.Head) {
		return v, nil
	}
	v.Head, v.Outcome = chain.Head.String(), chain.Outcome
	e, err := runner.ParseEvidence(files[journalName], m.Made)
	if !v.check("journal", err, "the records can be read") {
		return v, nil
	}
	v.check("status", v.status(&e.Status, files[statusName]), "the status is what the journal leads to: %s in %s", e.Status.Outcome, e.Status.State)
	v.kept(e, files)
	in := v.account(&e.Status, m, files)
	if bytes.HasPrefix(data, []byte("PK")) || in == nil {
		return v, nil
	}
	in.Evidence, in.Version = e, m.Version
	v.page(*in, data, version)
	return v, nil
}

// page draws the page anew and compares.
func (v *Verdict) page(in Input, data []byte, version string) {
	if in.Version != version {
		v.check("page", nil, "not compared: version %s made it, and this is %s; what is in its bundle was checked", in.Version, version)
		return
	}
	again, err := Make(in)
	if err == nil && !bytes.Equal(again.HTML, data) {
		err = errors.New("what it shows is not what its bundle leads to: it was changed")
	}
	v.check("page", err, "it shows what its bundle leads to")
}

// kept compares the plan and the comparison with those that the journal keeps.
func (v *Verdict) kept(e runner.Evidence, files map[string][]byte) {
	want := map[string][]byte{planName: nil, compareName: nil}
	for _, f := range kept(e) {
		want[f.Name] = f.Data
	}
	for _, c := range []struct{ what, file, says, none string }{
		{"plan", planName, "the plan is the one that the run was opened with", "the run was opened without a saved plan"},
		{"comparison", compareName, "the comparison is what the run saw last", "the run saw no successor beside the gateway"},
	} {
		var err error
		if !bytes.Equal(files[c.file], want[c.file]) {
			err = fmt.Errorf("%s is not what the journal keeps", c.file)
		}
		if want[c.file] == nil {
			c.says = c.none
		}
		v.check(c.what, err, "%s", c.says)
	}
}

func (v *Verdict) hashes(m manifest, files map[string][]byte) error {
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(m.SHA256)) {
		data, ok := files[name]
		switch {
		case !ok:
			wrong = append(wrong, name+" is missing")
		case hash(data) != m.SHA256[name]:
			wrong = append(wrong, name+" was changed")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if _, ok := m.SHA256[name]; !ok && name != manifestName {
			wrong = append(wrong, name+" was added")
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%s", strings.Join(wrong, "; "))
	}
	return nil
}

// status compares the status with the one that the journal leads to.
func (v *Verdict) status(want *runner.Status, raw []byte) error {
	var got runner.Status
	if err := json.Unmarshal(raw, &got); err != nil {
		return fmt.Errorf("read %s: %w", statusName, err)
	}
	switch {
	case got.State != want.State || got.Outcome != want.Outcome || len(got.Visits) != len(want.Visits):
		return fmt.Errorf("it claims %s in %s after %d states, the journal says %s in %s after %d", got.Outcome, got.State, len(got.Visits), want.Outcome, want.State, len(want.Visits))
	case !maps.Equal(got.Facts, want.Facts):
		return errors.New("it claims other facts than the journal")
	case !maps.Equal(got.Ledger, want.Ledger):
		return errors.New("it claims another account than the journal")
	case !got.Ends.Equal(want.Ends) || !got.Limit.Equal(want.Limit) || !got.Action.At.Equal(want.Action.At):
		return errors.New("it claims other times of what is to come than the journal")
	}
	return nil
}

// account checks the account of messages against the tracking log and, of a
// gateway that is gone, against the journal. It returns what the account was made
// from, nil if that cannot be read.
func (v *Verdict) account(s *runner.Status, m manifest, files map[string][]byte) *Input {
	if m.Lacks != "" {
		v.check(Law, fmt.Errorf("there is no tracking log: %s", m.Lacks), "")
		return &Input{Untracked: m.Lacks, Taken: m.Taken}
	}
	var events []ledger.Event
	for n, line := range bytes.Split(bytes.TrimSpace(files[trackingName]), []byte("\n")) {
		var e ledger.Event
		if len(line) == 0 {
			continue
		}
		if err := json.Unmarshal(line, &e); err != nil {
			v.check("tracking log", fmt.Errorf("%s:%d: %w", trackingName, n+1, err), "")
			return nil
		}
		events = append(events, e)
	}
	var present []ledger.Item
	if err := json.Unmarshal(files[presentName], &present); err != nil {
		v.check("tracking log", fmt.Errorf("read %s: %w", presentName, err), "")
		return nil
	}
	book := ledger.NewBook(m.Gateway)
	book.Add(events...)
	l := book.Ledger(present, m.Taken)
	v.check(Law, l.Balance(), "%s", ledger.Law(l.Counts()))
	all := messages(book, events, m.Gateway)
	var err error
	if !bytes.Equal(ledgerCSV(all), files[ledgerName]) {
		err = fmt.Errorf("%s is not what the tracking log leads to", ledgerName)
	}
	v.check("fates", err, "%d pairs, each with the fate that the tracking log tells", len(all))
	if s.Facts["gw.exists"] == "false" {
		v.check("numbers", sameCounts(&l, s.Ledger), "the tracking log and the journal count alike")
	}
	return &Input{Events: events, Present: present, Taken: m.Taken}
}

// sameCounts compares the account with the one that was observed last. Nothing
// can change it once the gateway is gone.
func sameCounts(l *ledger.Ledger, seen map[string]int64) error {
	counts := l.Counts()
	for _, set := range ledger.Sets() {
		if seen[set] != counts[set] {
			return fmt.Errorf("%s: the tracking log leads to %d, the journal says %d", set, counts[set], seen[set])
		}
	}
	return nil
}
