package spool

import (
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// CrashableFS is a file system in memory for Options.FS in tests: it can lose
// power and run out of space. Archives are written to real files still.
type CrashableFS struct {
	*vfs.MemFS
	free atomic.Uint64
}

var _ vfs.FS = (*CrashableFS)(nil)

// NewCrashableFS is an empty one with a terabyte free.
func NewCrashableFS() *CrashableFS { return crashable(vfs.NewCrashableMem()) }

func crashable(m *vfs.MemFS) *CrashableFS {
	f := &CrashableFS{MemFS: m}
	f.free.Store(1 << 40)
	return f
}

// Crash is what would be found after a loss of power now: nothing that was not
// synced. f itself goes on.
func (f *CrashableFS) Crash() *CrashableFS { return crashable(f.CrashClone(vfs.CrashCloneCfg{})) }

// SetFree sets how many bytes are free.
func (f *CrashableFS) SetFree(n uint64) { f.free.Store(n) }

// GetDiskUsage implements vfs.FS.
func (f *CrashableFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: f.free.Load(), TotalBytes: 1 << 41}, nil
}
