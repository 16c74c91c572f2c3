package spool_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// archived makes a spool with two gateways, archives one and returns the
// archive's path and the entries in it.
func archived(t *testing.T) (path string, m spool.Manifest, bodies [][]byte) {
	t.Helper()
	s := open(t, t.TempDir(), nil)
	for _, b := range [][]byte{[]byte("small"), make([]byte, spool.MaxInline+1)} {
		bodies = append(bodies, b)
		deposit(t, s, "G", gateway.Bad, b, "r@x")
	}
	deposit(t, s, "other", gateway.Out, []byte("foreign"), "r@x")
	var tx spool.Tx
	tx.Set("G", "k", []byte{0, 255})
	tx.Set("other", "k", []byte("foreign"))
	commit(t, s, &tx)
	path = filepath.Join(t.TempDir(), "G.tar")
	m, err := s.Archive("G", path, []byte(`{"name":"G"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Archive("G", path, nil); err == nil {
		t.Error("an archive was overwritten")
	}
	return path, m, bodies
}

type member struct {
	name string
	data []byte
}

func members(t *testing.T, path string) (all []member) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, member{h.Name, b})
	}
}

func TestArchive(t *testing.T) {
	path, m, bodies := archived(t)
	if m.Entries != 2 || m.Bodies != 2 || m.Settings != 1 || m.Events != 2 || m.LastEvent != 3 || m.Unreadable != 0 {
		t.Errorf("manifest = %+v", m)
	}
	again, err := spool.ReadArchive(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, again); diff != "" {
		t.Errorf("ReadArchive() -written +read:\n%s", diff)
	}
	found := 0
	for _, mem := range members(t, path) {
		if strings.HasPrefix(mem.name, "bodies/") && (bytes.Equal(mem.data, bodies[0]) || bytes.Equal(mem.data, bodies[1])) {
			found++
		}
		if bytes.Contains(mem.data, []byte("foreign")) {
			t.Errorf("%s holds data of another gateway", mem.name)
		}
	}
	if found != 2 {
		t.Errorf("%d bodies found byte for byte, want 2", found)
	}
}

func TestReadArchiveFindsDamage(t *testing.T) {
	path, _, _ := archived(t)
	good := members(t, path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rebuild := func(all []member) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, m := range all {
			err := errors.Join(w.WriteHeader(&tar.Header{Name: m.name, Size: int64(len(m.data)), Mode: 0o600}))
			if _, werr := w.Write(m.data); errors.Join(err, werr) != nil {
				t.Fatal(err, werr)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	if err := os.WriteFile(path, rebuild(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := spool.ReadArchive(path); err != nil {
		t.Fatalf("rebuilt archive is refused: %v", err)
	}
	check := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := spool.ReadArchive(path); !errors.Is(err, spool.ErrDamaged) {
			t.Errorf("%s: error = %v, want ErrDamaged", name, err)
		}
	}
	last := len(good) - 1
	for i, m := range good[:last] {
		changed := append([]member(nil), good...)
		changed[i].data = append(bytes.Clone(m.data), ' ')
		check(m.name+" changed", rebuild(changed))
		check(m.name+" left out", rebuild(append(append([]member(nil), good[:i]...), good[i+1:]...)))
		check(m.name+" twice", rebuild(append([]member{m}, good...)))
	}
	check("manifest left out", rebuild(good[:last]))
	check("something after the manifest", rebuild(append(append([]member(nil), good...), good[0])))
	check("unlisted member", rebuild(append([]member{{"bodies/extra", nil}}, good...)))
	check("foreign member", rebuild(append([]member{{"extra", nil}}, good...)))
	check("cut short", whole[:len(whole)/2])
	check("empty", nil)

	lie := append([]member(nil), good...)
	var m spool.Manifest
	if err := json.Unmarshal(lie[last].data, &m); err != nil {
		t.Fatal(err)
	}
	m.Events++
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	lie[last].data = b
	check("manifest with another count", rebuild(lie))
}

func TestManifestDigest(t *testing.T) {
	path, m, _ := archived(t)
	all := members(t, path)
	sum := sha256.Sum256(all[len(all)-1].data)
	if m.Digest != hex.EncodeToString(sum[:]) {
		t.Errorf("Digest = %s, want the checksum of the last member", m.Digest)
	}
}

func TestRemove(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	e := deposit(t, s, "G", gateway.Out, []byte("body"), "r@x")
	deposit(t, s, "GG", gateway.Out, []byte("neighbour"), "r@x")
	var tx spool.Tx
	tx.Set("G", "k", []byte("v"))
	tx.Set("GG", "k", []byte("v"))
	commit(t, s, &tx)
	if _, err := s.Remove("G"); !errors.Is(err, spool.ErrNotEmpty) {
		t.Errorf("Remove() with mail error = %v, want ErrNotEmpty", err)
	}
	if _, ok, err := s.Setting("G", "k"); !ok || err != nil {
		t.Errorf("refused removal removed a setting, %v", err)
	}
	commit(t, s, deletion(e))
	for range 2 {
		if left, err := s.Remove("G"); err != nil || len(left) > 0 {
			t.Errorf("Remove() = %v, %v", left, err)
		}
	}
	if _, err := s.Remove(""); err == nil {
		t.Error("the organization was removed")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, nil)
	if _, ok, err := s.Setting("G", "k"); ok || err != nil {
		t.Errorf("setting outlived its gateway, %v", err)
	}
	if _, ok, err := s.Setting("GG", "k"); !ok || err != nil {
		t.Errorf("removal took another gateway's setting, %v", err)
	}
	if got := s.Gateways(); !cmp.Equal(got, []string{"GG"}) {
		t.Errorf("Gateways() = %v", got)
	}
	kinds := map[ledger.Kind]int{}
	for _, e := range events(t, s, 0, 0) {
		if e.Gateway == "G" {
			kinds[e.Kind]++
		}
	}
	if diff := cmp.Diff(map[ledger.Kind]int{ledger.Accepted: 1, ledger.Deleted: 1}, kinds); diff != "" {
		t.Errorf("events of the removed gateway -want +got:\n%s", diff)
	}
}

func TestLose(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	e := deposit(t, s, "G", gateway.Out, []byte("body"), "r@x")
	if err := s.Lose("G", e.ID); err != nil {
		t.Fatal(err)
	}
	if n := len(events(t, s, 0, 0)); n != 1 {
		t.Errorf("%d events, want 1: the loss must not be logged", n)
	}
	if got := scan(t, s, "G", gateway.Out); len(got) > 0 {
		t.Errorf("entry is still there: %v", got)
	}
	if _, _, err := s.Body(e.Message); !errors.Is(err, spool.ErrNotFound) {
		t.Errorf("body is still there: %v", err)
	}
	items, _, err := s.Present("G")
	if err != nil {
		t.Fatal(err)
	}
	if l := ledger.Compute(events(t, s, 0, 0), items, "G"); l.Unaccounted != 1 || l.UnaccountedPairs[0].Message != string(e.Message) {
		t.Errorf("ledger = %+v, want the lost message unaccounted", l)
	}
	if err := s.Lose("G", e.ID); !errors.Is(err, spool.ErrNotFound) {
		t.Errorf("losing twice: %v", err)
	}
}
