package forward

import (
	"errors"
	"io"
	"net"
	"syscall"
	"time"
)

// maxConns bounds the connections forwarded at a time, per port.
const maxConns = 128

// pause is how long a port rests when the sandbox has no descriptors left.
const pause = 10 * time.Millisecond

// forwarder connects what arrives at a listener with a unix socket.
type forwarder struct {
	listener net.Listener
	to       string
	places   chan struct{}
}

func newForwarder(l net.Listener, to string) *forwarder {
	return &forwarder{listener: l, to: to, places: make(chan struct{}, maxConns)}
}

// run forwards until the listener fails. Connections over the limit wait in the
// listener's queue.
func (f *forwarder) run() error {
	for {
		f.places <- struct{}{}
		in, err := f.listener.Accept()
		if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
			time.Sleep(pause)
			<-f.places
			continue
		}
		if err != nil {
			return err
		}
		go func() {
			f.connect(in)
			<-f.places
		}()
	}
}

// connect pipes both ways until both ends have finished. A node that doesn't
// answer shows as a connection that ends at once.
func (f *forwarder) connect(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("unix", f.to)
	if err != nil {
		return
	}
	defer out.Close()
	back := make(chan struct{})
	go func() {
		defer close(back)
		pipe(in, out)
	}()
	pipe(out, in)
	<-back
}

// pipe copies one way, and passes the end of file on.
func pipe(to, from net.Conn) {
	// The plain interfaces keep io.Copy from splice, which gVisor lacks.
	_, err := io.Copy(struct{ io.Writer }{to}, struct{ io.Reader }{from})
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite() // the other end may be gone already
		return
	}
	_ = to.Close() // a broken pipe is broken both ways
	_ = from.Close()
}
