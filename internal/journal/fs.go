package journal

import (
	"fmt"
	"syscall"
)

// networkTypes are the magic numbers of statfs(2) that mean "not only this host"
// or, for FUSE and 9P, "cannot be told".
var networkTypes = map[uint32]string{
	0x00006969: "NFS",
	0x0000517b: "SMB",
	0xfe534d42: "SMB2",
	0xff534d42: "CIFS",
	0x5346414f: "AFS",
	0x6b414653: "AFS",
	0x73757245: "Coda",
	0x00c36400: "Ceph",
	0x0bd00bd0: "Lustre",
	0x47504653: "GPFS",
	0x7461636f: "OCFS2",
	0x01161970: "GFS2",
	0x01021997: "9P",
	0x65735546: "FUSE",
}

// localOnly returns a *NetworkError if dir is not on a local file system.
func localOnly(dir string) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return fmt.Errorf("look at the file system of %q: %w", dir, err)
	}
	return judgeType(dir, uint32(st.Type))
}

func judgeType(dir string, magic uint32) error {
	if name, bad := networkTypes[magic]; bad {
		return &NetworkError{Dir: dir, Type: name}
	}
	return nil
}
