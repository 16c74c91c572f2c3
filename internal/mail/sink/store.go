package sink

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"example.org/ims/internal/mail"
)

// Record is one line of index.jsonl.
type Record struct {
	Time      time.Time `json:"time"`
	Host      string    `json:"host"`
	Helo      string    `json:"helo"`
	From      string    `json:"from"` // "" is the null reverse-path
	Rcpts     []string  `json:"rcpts"`
	SHA256    string    `json:"sha256"` // of the file
	Size      int       `json:"size"`
	MessageID string    `json:"message_id"`
	LabID     string    `json:"lab_id"` // X-Ims-Lab-Id
	File      string    `json:"file"`   // relative to the host's folder

	folder string
}

// store is a host's folder. put is safe for concurrent use.
type store struct {
	dir string

	mu    sync.Mutex
	index *os.File
}

func openStore(dir string) (*store, error) {
	f, err := os.OpenFile(filepath.Join(dir, "index.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, err
	}
	return &store{dir: dir, index: f}, nil
}

func (s *store) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.index.Close()
}

// put writes data to a file and then r to the index; both are durable when it
// returns nil. A crash in between leaves a file without a line.
func (s *store) put(r Record, data []byte) error {
	r.File = filepath.Join(fileName(r.folder), string(mail.NewID(r.Time))+".eml")
	if err := writeFile(filepath.Join(s.dir, r.File), data); err != nil {
		return fmt.Errorf("store message: %w", err)
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("store record: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.index.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("store record: %w", err)
	}
	if err := s.index.Sync(); err != nil {
		return fmt.Errorf("store record: %w", err)
	}
	return nil
}

// writeFile makes path with data in one step that survives a crash.
func writeFile(path string, data []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // it is of no use, and hidden
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// fileName makes a mailbox or a host name into the name of a folder.
func fileName(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("@_+-", c) >= 0, c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
