package main

import (
	"bufio"
	"bytes"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// memory is what Linux lets this process take, in bytes: what is available, but
// no more than the control groups allow that it is in. It is 0 where nothing
// says so, as on other systems. root is the root of the file system.
func memory(root fs.FS) int64 {
	least := int64(math.MaxInt64)
	if text, ok := field(root, "proc/meminfo", "MemAvailable:"); ok {
		if kib, err := strconv.ParseInt(strings.TrimSuffix(text, " kB"), 10, 64); err == nil {
			least = kib << 10
		}
	}
	for dir, file := range groups(root) {
		for ; dir != "." && strings.HasPrefix(dir, "sys/fs/cgroup"); dir = path.Dir(dir) {
			text, err := fs.ReadFile(root, path.Join(dir, file))
			if err != nil {
				continue // the root of a hierarchy has no limit, and a container sees only its own part
			}
			if n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil { // else it is "max"
				least = min(least, n)
			}
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}

// groups are the folders of the control groups that this process is in, each
// with the file that holds its limit: of version 2, and of version 1.
func groups(root fs.FS) map[string]string {
	found := map[string]string{}
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return found
	}
	for line := range strings.Lines(string(text)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(part) < 3:
		case part[0] == "0" && part[1] == "":
			found[path.Join("sys/fs/cgroup", part[2])] = "memory.max"
		case slices.Contains(strings.Split(part[1], ","), "memory"):
			found[path.Join("sys/fs/cgroup/memory", part[2])] = "memory.limit_in_bytes"
		}
	}
	return found
}

// field is what follows a key in a file of lines.
func field(root fs.FS, file, key string) (string, bool) {
	text, err := fs.ReadFile(root, file)
	if err != nil {
		return "", false
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), key); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}
