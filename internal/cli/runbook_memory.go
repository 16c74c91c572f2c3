package cli

import (
	"cmp"
	"fmt"
	"math"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// What checks take together, unless --max-memory says otherwise: three quarters
// of what there is, which leaves the rest of the machine room to live.
const (
	sharePart, shareWhole = 3, 4
	memoryUnsaid          = 4 << 30 // where the machine does not say what there is
)

// memoryLimit is what the checks of a command may take together, in bytes.
func (s *session) memoryLimit(asked int64) int64 {
	if asked > 0 {
		return asked
	}
	return cmp.Or(s.io.Memory/shareWhole*sharePart, memoryUnsaid)
}

// tightHeap lets the collector keep the process near a number of bytes that is
// in use, where it would let garbage grow to as much again. It returns what
// undoes that.
func tightHeap(used int64) (undo func()) {
	const rest = 64 << 20 // of the program itself
	before := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(before, used+used/16+rest))
	return func() { debug.SetMemoryLimit(before) }
}

// sizeValue is a number of bytes: 800M, 6G, 1.5GiB are in units of 1024, and so
// are MB and GB.
type sizeValue struct {
	bytes int64
	text  string
}

var _ pflag.Value = (*sizeValue)(nil)

func (v *sizeValue) String() string { return v.text }

func (*sizeValue) Type() string { return "size" }

func (v *sizeValue) Set(s string) error {
	number := strings.TrimRight(strings.ToUpper(s), "IB ")
	unit := 1.0
	for i, letter := range "KMGT" {
		if text, ok := strings.CutSuffix(number, string(letter)); ok {
			number, unit = text, math.Pow(1024, float64(i+1))
		}
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if bytes := n * unit; err == nil && bytes >= 1 && bytes < math.MaxInt64 {
		v.bytes, v.text = int64(bytes), s
		return nil
	}
	return fmt.Errorf("want a size such as 800M or 6G, this is %q", s)
}
