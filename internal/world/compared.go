package world

import (
	"encoding/json"

	"example.org/ims/internal/compare"
)

// Compared is the comparison of the gateway with its successor that an
// observation remembers; ok is false if it made none.
func Compared(memory map[string]string) (r compare.Report, ok bool) {
	err := json.Unmarshal([]byte(memory[memCompared]), &r)
	return r, err == nil
}
