package guest

import (
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// Socket is a connected socket that is read and written with plain blocking
// calls: one system call where Go's poller makes three, which a call inside a
// sandbox feels. Whoever waits holds a thread, so there must be few.
type Socket struct {
	file *os.File
	fd   int

	mu     sync.Mutex // keeps HangUp from a descriptor that is another's by then
	closed bool
}

// NewSocket takes over the socket behind f.
func NewSocket(f *os.File) *Socket {
	return &Socket{file: f, fd: int(f.Fd())} // Fd makes it blocking
}

// Read reads what is there, or waits for it.
func (s *Socket) Read(p []byte) (int, error) {
	for {
		n, err := syscall.Read(s.fd, p)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return 0, fmt.Errorf("read socket: %w", err)
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// Write writes all of p.
func (s *Socket) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n, err := syscall.Write(s.fd, p[done:])
		if err != nil && err != syscall.EINTR {
			return done, fmt.Errorf("write socket: %w", err)
		}
		done += max(n, 0)
	}
	return done, nil
}

// HangUp ends the connection under whoever reads or writes it; they see its end.
func (s *Socket) HangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		_ = syscall.Shutdown(s.fd, syscall.SHUT_RDWR) // not connected any more, where it fails
	}
}

// Close is for the one who reads and writes.
func (s *Socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.file.Close()
}
