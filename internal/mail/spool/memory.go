package spool

import "github.com/cockroachdb/pebble/v2/vfs"

// CrashableFS is a file system in memory that can lose power, for Options.FS
// in tests. Archives are written to real files still.
type CrashableFS struct{ *vfs.MemFS }

var _ vfs.FS = CrashableFS{}

// NewCrashableFS is an empty one.
func NewCrashableFS() CrashableFS { return CrashableFS{vfs.NewCrashableMem()} }

// Crash is what would be found after a loss of power now: nothing that was not
// synced. f itself goes on.
func (f CrashableFS) Crash() CrashableFS { return CrashableFS{f.CrashClone(vfs.CrashCloneCfg{})} }
