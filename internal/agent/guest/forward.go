package guest

import (
	"io"
	"net"
	"sync"
)

// maxForwards bounds the connections forwarded at a time, per address.
const maxForwards = 128

// forwarder gives a sandbox without a network one address: what connects there
// is connected with a unix socket.
type forwarder struct {
	agent    *Agent
	listener net.Listener
	to       string

	mu   sync.Mutex
	open map[net.Conn]struct{}
}

// run forwards until the agent ends.
func (f *forwarder) run() {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	tasks.Go(func() {
		<-f.agent.quit
		_ = f.listener.Close() // nothing more is accepted either way
		f.mu.Lock()
		defer f.mu.Unlock()
		for c := range f.open {
			_ = c.Close() // it is ending anyway
		}
	})
	for {
		in, err := f.listener.Accept()
		if err != nil {
			return
		}
		if !f.add(in) {
			_ = in.Close() // over the limit: the program is told by the end of file
			continue
		}
		tasks.Go(func() { f.connect(in) })
	}
}

// connect pipes both ways until both ends have finished.
func (f *forwarder) connect(in net.Conn) {
	defer f.drop(in)
	out, err := net.Dial("unix", f.to)
	if err != nil {
		return
	}
	defer f.drop(out)
	f.mu.Lock()
	if f.open != nil {
		f.open[out] = struct{}{}
	}
	f.mu.Unlock()
	var back sync.WaitGroup
	back.Go(func() { pipe(in, out) })
	pipe(out, in)
	back.Wait()
}

// pipe copies one way, and passes the end of file on.
func pipe(to, from net.Conn) {
	// The plain interfaces keep io.Copy from splice, which sandboxes lack.
	_, err := io.Copy(struct{ io.Writer }{to}, struct{ io.Reader }{from})
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite() // the other end may be gone already
		return
	}
	_ = to.Close() // a broken pipe is broken both ways
	_ = from.Close()
}

func (f *forwarder) add(c net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.open) >= 2*maxForwards {
		return false
	}
	select {
	case <-f.agent.quit:
		return false
	default:
	}
	if f.open == nil {
		f.open = map[net.Conn]struct{}{}
	}
	f.open[c] = struct{}{}
	return true
}

func (f *forwarder) drop(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, c)
	_ = c.Close() // both ways are done
}
