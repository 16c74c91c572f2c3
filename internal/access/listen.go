package access

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Group owns the socket and its folder, if it exists.
const Group = "ims"

// maxPath is what fits into sockaddr_un with its final zero (unix(7)).
const maxPath = 107

// Listen opens the socket at path: 0660, in a folder that it makes 0750 if
// there is none, both of the group ims if there is one. A socket that nobody
// answers at is replaced; one that somebody answers at is an error, and so is a
// folder that others may write to.
func Listen(path string) (net.Listener, error) {
	if len(path) > maxPath {
		return nil, fmt.Errorf("listen on socket %q: the path has %d bytes, at most %d fit: choose a shorter one", path, len(path), maxPath)
	}
	gid := groupID()
	if err := Folder(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("listen on socket %q: %w", path, err)
	}
	if err := clearStale(path); err != nil {
		return nil, fmt.Errorf("listen on socket %q: %w", path, err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on socket %q: %w", path, err)
	}
	if err := share(path, 0o660, gid); err != nil {
		_ = ln.Close() // the first error is the one to tell
		return nil, fmt.Errorf("listen on socket %q: %w", path, err)
	}
	return ln, nil
}

// groupID is the group's id, or -1.
func groupID() int {
	g, err := user.LookupGroup(Group)
	if err != nil {
		return -1
	}
	id, err := strconv.Atoi(g.Gid)
	if err != nil {
		return -1
	}
	return id
}

// Folder makes a folder for sockets and what they serve, 0750 and of the group
// ims if there is one, or refuses one that others may write to.
func Folder(dir string) error {
	gid := groupID()
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			return err
		}
		if err := os.Mkdir(dir, 0o750); err != nil {
			return err
		}
		return share(dir, 0o750, gid)
	}
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("folder %s may be written to by others (%v): chmod go-w %s", dir, info.Mode().Perm(), dir)
	}
	return nil
}

// share sets the mode, whatever the umask, and the group. A user who is not in
// the group keeps its own: access is then by People among those of that group.
func share(path string, mode fs.FileMode, gid int) error {
	if gid >= 0 {
		if err := os.Chown(path, -1, gid); err != nil && !errors.Is(err, syscall.EPERM) {
			return err
		}
	}
	return os.Chmod(path, mode)
}

// clearStale removes a socket that a dead process left.
func clearStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("the path exists and is not a socket")
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		_ = c.Close() // it was only opened to see whether somebody answers
		return errors.New("another process answers there")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}
