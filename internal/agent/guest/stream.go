package guest

import (
	"fmt"
	"io"
	"net"
	"os"
)

// stream is a connection as the server needs it.
type stream interface {
	io.ReadWriteCloser
	// hangUp ends the connection under whoever reads or writes it.
	hangUp()
}

type netStream struct{ net.Conn }

func newStream(c net.Conn) stream { return &netStream{c} }

func (s *netStream) hangUp() { _ = s.Close() } // it is ending anyway

// OpenControl opens the control socket behind a descriptor.
func OpenControl(fd uintptr) (io.ReadWriteCloser, error) {
	f := os.NewFile(fd, "control")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("open control socket: %w", err)
	}
	return c, nil
}
