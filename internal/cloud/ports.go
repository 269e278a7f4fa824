package cloud

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/mayfly-cloud/mayfly/internal/worker"
)

// ports stand in for the network of sandboxes that have none: a folder that they
// all see, of unix sockets named for the ports they stand for. Package
// agent/forward is their inner end.
type ports struct {
	dir  *os.File
	open []uint16
}

// firstOpen is the first port that a program without privileges may listen at,
// which is what stands for the node inside a sandbox.
const firstOpen = 1024

// openPorts makes the folder, and decides which ports are in it.
func (n *Node) openPorts() error {
	list := []uint16{n.insidePort()}
	for _, target := range n.cfg.Allow {
		port, err := portOf(target)
		if err != nil {
			return err
		}
		if port < firstOpen {
			return fmt.Errorf("allow %s: sandboxes without a network can be given ports from %d on", target, firstOpen)
		}
		list = append(list, port)
	}
	dir := n.path("ports")
	p, err := newPorts(dir, list)
	if err != nil {
		return err
	}
	n.onClose(p.dir.Close)
	n.ports = p
	return nil
}

func newPorts(dir string, open []uint16) (*ports, error) {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, fmt.Errorf("make folder of ports: %w", err)
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder of ports: %w", err)
	}
	if err := f.Chmod(0o711); err != nil { // whatever the umask: sandboxes' users pass through
		return nil, errors.Join(fmt.Errorf("open folder of ports to sandboxes: %w", err), f.Close())
	}
	return &ports{dir: f, open: open}, nil
}

// listen listens at a port's socket. Sandboxes are other users where the node is
// root, so anybody may connect: as to the front door, whose requests are signed.
func (p *ports) listen(port uint16) (net.Listener, error) {
	// A socket's path is bound to 107 bytes, and a data folder's is not.
	path := filepath.Join("/proc/self/fd", strconv.Itoa(int(p.dir.Fd())), strconv.Itoa(int(port)))
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a node that was killed
		return nil, fmt.Errorf("remove old socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen for sandboxes: %w", err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		return nil, errors.Join(fmt.Errorf("open socket to sandboxes: %w", err), l.Close())
	}
	return l, nil
}

// forWorker are the ports as the worker sees them.
func (p *ports) forWorker() worker.Ports {
	if p == nil {
		return worker.Ports{}
	}
	return worker.Ports{Dir: p.dir.Name(), Open: p.open}
}

// insidePort is the front door's port as sandboxes without a network see it.
func (n *Node) insidePort() uint16 {
	port, err := portOf(n.cfg.Listen)
	if err != nil || port < firstOpen {
		return 4566
	}
	return port
}
