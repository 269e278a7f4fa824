package guest

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
)

// Listener accepts connections with plain blocking calls, as Socket reads. Go's
// poller stays unused for as long as nobody needs it, which spares every call
// the thread that would watch it.
type Listener struct {
	fd   int
	addr string

	mu     sync.Mutex // keeps Close from a descriptor that is another's by then
	closed bool
	left   bool
}

// Listen listens at an IPv4 address; port 0 chooses one.
func Listen(address string) (*Listener, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().Is4() {
		return nil, fmt.Errorf("listen at %q: not an IPv4 address and port", address)
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make listener: %w", err)
	}
	l := &Listener{fd: fd}
	if err := l.bind(at); err != nil {
		_ = syscall.Close(fd) // it was never used
		return nil, fmt.Errorf("listen at %s: %w", at, err)
	}
	return l, nil
}

func (l *Listener) bind(at netip.AddrPort) error {
	err := errors.Join(
		syscall.SetsockoptInt(l.fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1),
		syscall.Bind(l.fd, &syscall.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}),
		syscall.Listen(l.fd, maxConns))
	if err != nil {
		return err
	}
	sa, err := syscall.Getsockname(l.fd)
	if err != nil {
		return err
	}
	port := sa.(*syscall.SockaddrInet4).Port
	l.addr = netip.AddrPortFrom(at.Addr(), uint16(port)).String()
	return nil
}

// Addr is where it listens, "127.0.0.1:9001".
func (l *Listener) Addr() string { return l.addr }

// Accept waits for a connection. After Close it returns net.ErrClosed. One
// goroutine calls it, until it fails.
func (l *Listener) Accept() (*Socket, error) {
	for {
		fd, _, err := syscall.Accept4(l.fd, syscall.SOCK_CLOEXEC)
		switch {
		case err == nil:
			// An answer goes out at once. It is two writes where it is large.
			if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
				_ = syscall.Close(fd) // it has ended already
				continue
			}
			return NewSocket(os.NewFile(uintptr(fd), "connection")), nil
		case err == syscall.EINTR, err == syscall.ECONNABORTED:
			continue
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.left = true
		_ = syscall.Close(l.fd) // nothing was written to it
		if l.closed {
			return nil, net.ErrClosed
		}
		return nil, fmt.Errorf("accept at %s: %w", l.addr, err)
	}
}

// Close has Accept return.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.left {
		return nil
	}
	l.closed = true
	return syscall.Shutdown(l.fd, syscall.SHUT_RDWR)
}
