package journal

import (
	"errors"
	"testing"
)

func TestNetworkFileSystems(t *testing.T) {
	for magic, want := range map[uint32]string{0x6969: "NFS", 0xfe534d42: "SMB2", 0x65735546: "FUSE", 0xef53: "", 0x01021994: ""} {
		err := judgeType("/x", magic)
		if want == "" {
			if err != nil {
				t.Errorf("%#x: %v", magic, err)
			}
			continue
		}
		if n, ok := errors.AsType[*NetworkError](err); !ok || n.Type != want {
			t.Errorf("%#x: %v, want %s", magic, err, want)
		}
	}
}

func TestConnectionsAreSafe(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		if err := j.db.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %s, %v, want %s", pragma, got, err, want)
		}
	}
	if _, err := j.Reader.db.Exec(`INSERT INTO plan VALUES ('n', 'r')`); err == nil {
		t.Error("the reader can write")
	}
}
