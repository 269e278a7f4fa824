package launcher

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/rootfs"
)

// host is the launcher: it serves one node's requests until the node hangs up.
type host struct {
	launch.Setup
	conn *net.UnixConn
	root *rootfs.Root

	mu    sync.Mutex
	boxes map[string]*box
	users uint32 // handed out so far
}

// run is the launcher's main function; it returns the exit status.
func run(args []string) int {
	if err := serve(args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serve(args []string) error {
	h := &host{boxes: make(map[string]*box)}
	if len(args) != 1 {
		return errors.New("not started by a node")
	}
	if err := json.Unmarshal([]byte(args[0]), &h.Setup); err != nil {
		return fmt.Errorf("decode set-up: %w", err)
	}
	f := os.NewFile(launch.ControlFD, "control socket")
	c, err := net.FileConn(f)
	f.Close()
	if err != nil {
		return fmt.Errorf("wrap control socket: %w", err)
	}
	h.conn = c.(*net.UnixConn)
	if err := h.prepare(); err != nil {
		return launch.Send(h.conn, launch.Report{Err: err.Error()})
	}
	if err := launch.Send(h.conn, launch.Report{}); err != nil {
		return err
	}
	return h.listen()
}

// prepare takes possession of the launcher's mount namespace.
func (h *host) prepare() error {
	if err := rootfs.Own(h.Dir); err != nil {
		return err
	}
	if !h.Rootless {
		// Groups come along into a sandbox's user namespace. An ordinary user
		// has only such as may read what the user may.
		if err := syscall.Setgroups(nil); err != nil {
			return fmt.Errorf("leave groups: %w", err)
		}
	}
	if err := makeDevices(h.Dir + devices); err != nil {
		return err
	}
	var err error
	h.root, err = rootfs.New(h.Dir, h.Gateway)
	return err
}

// listen answers requests, each on a goroutine of its own. They end with the
// process.
func (h *host) listen() error {
	buf := make([]byte, launch.MaxPacket)
	for {
		var q launch.Request
		files, err := launch.Receive(h.conn, buf, &q)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		go h.answer(q, files)
	}
}

func (h *host) answer(q launch.Request, files []*os.File) {
	defer launch.Close(files)
	var err error
	switch {
	case q.Start != nil:
		if err = h.start(q, files); err == nil {
			return // answered with the sandbox's pidfd
		}
	case q.Attach != nil:
		b := h.box(q.ID)
		if b == nil {
			err = fmt.Errorf("no sandbox %s", q.ID)
			break
		}
		err = b.attach(*q.Attach)
	case q.Abandon:
		if b := h.box(q.ID); b != nil {
			b.abandon()
		}
	}
	r := launch.Report{Seq: q.Seq}
	if err != nil {
		r.Err = err.Error()
	}
	h.report(r)
}

func (h *host) start(q launch.Request, files []*os.File) error {
	b, err := h.newBox(q.ID)
	if err != nil {
		return err
	}
	pidfd, err := b.start(q.Start, files)
	if err != nil {
		b.destroy()
		h.forget(q.ID)
		return err
	}
	h.report(launch.Report{Seq: q.Seq}, int(pidfd.Fd()))
	pidfd.Close() // the node has it
	go func() {
		code, signal := b.wait()
		b.destroy()
		h.forget(q.ID)
		h.report(launch.Report{ID: q.ID, Code: code, Signal: signal})
	}()
	return nil
}

func (h *host) newBox(id string) (*box, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.boxes[id] != nil {
		return nil, fmt.Errorf("sandbox %s exists", id)
	}
	b := &box{id: id, host: h, number: h.users}
	h.users++
	h.boxes[id] = b
	return b, nil
}

func (h *host) box(id string) *box {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.boxes[id]
}

func (h *host) forget(id string) {
	h.mu.Lock()
	delete(h.boxes, id)
	h.mu.Unlock()
}

// report tells the node. Without a node there is no one left to tell, and
// listen is about to end the process.
func (h *host) report(r launch.Report, files ...int) {
	if err := launch.Send(h.conn, r, files...); err != nil && !errors.Is(err, syscall.EPIPE) {
		fmt.Fprintln(os.Stderr, err)
	}
}
