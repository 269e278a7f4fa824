package node

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
)

// logPipeBytes is how much a sandbox may print before its writes wait for the
// node to read.
const logPipeBytes = 1 << 20

// wires are the node's ends of a sandbox's descriptors, as sandbox.Sandbox
// describes them.
type wires struct {
	conn              *net.UnixConn
	output, telemetry *os.File
}

// newWires makes them, and the files to give to the sandbox, in the order of a
// start request. The caller closes those.
func newWires() (w wires, theirs []*os.File, err error) {
	defer func() {
		if err != nil {
			launch.Close(theirs)
			err = errors.Join(err, w.Close())
		}
	}()
	var f *os.File
	if w.conn, f, err = socketPair(unix.SOCK_STREAM); err != nil {
		return w, theirs, err
	}
	theirs = append(theirs, f)
	if w.output, f, err = logPipe(); err != nil {
		return w, theirs, err
	}
	theirs = append(theirs, f)
	if w.telemetry, f, err = logPipe(); err != nil {
		return w, theirs, err
	}
	return w, append(theirs, f), nil
}

// Conn, Output and Telemetry are what sandbox.Sandbox says of them.
func (w *wires) Conn() net.Conn      { return w.conn }
func (w *wires) Output() *os.File    { return w.output }
func (w *wires) Telemetry() *os.File { return w.telemetry }

// Close closes what of them is open.
func (w *wires) Close() error {
	var errs []error
	if w.conn != nil {
		errs = append(errs, w.conn.Close())
	}
	for _, f := range []*os.File{w.output, w.telemetry} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	for i, err := range errs {
		if errors.Is(err, os.ErrClosed) || errors.Is(err, net.ErrClosed) {
			errs[i] = nil // the caller was first
		}
	}
	return errors.Join(errs...)
}

// logPipe returns a pipe whose read end doesn't block and whose write end does.
func logPipe() (r, w *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, fmt.Errorf("make pipe: %w", err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		unix.Close(fds[0])
		unix.Close(fds[1])
		return nil, nil, fmt.Errorf("make pipe: %w", err)
	}
	// An ordinary user's pipes share a budget; the default size will do then.
	_, _ = unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, logPipeBytes)
	return os.NewFile(uintptr(fds[0]), "log pipe"), os.NewFile(uintptr(fds[1]), "log pipe"), nil
}

// socketPair returns one end of a socket for this process and one to give away.
func socketPair(kind int) (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make socket pair: %w", err)
	}
	mine := os.NewFile(uintptr(fds[0]), "socket")
	defer mine.Close()
	theirs := os.NewFile(uintptr(fds[1]), "socket")
	c, err := net.FileConn(mine)
	if err != nil {
		theirs.Close()
		return nil, nil, fmt.Errorf("wrap socket: %w", err)
	}
	return c.(*net.UnixConn), theirs, nil
}
