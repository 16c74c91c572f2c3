package main

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// pipe is a standard output that is no terminal. Go ends a process that writes
// to a closed pipe on descriptor 1, at once: what it has started and written
// would stay behind. On another descriptor the write fails instead, and gone is
// called.
type pipe struct {
	w    io.Writer
	gone func()
}

// newPipe takes over the standard output.
func newPipe(stdout *os.File, gone func()) (pipe, error) {
	fd, err := syscall.Dup(int(stdout.Fd()))
	if err != nil {
		return pipe{}, err
	}
	syscall.CloseOnExec(fd)
	return pipe{os.NewFile(uintptr(fd), stdout.Name()), gone}, nil
}

func (p pipe) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		p.gone()
	}
	return n, err
}
