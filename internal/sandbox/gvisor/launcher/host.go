package launcher

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	"gvisor.dev/gvisor/pkg/log"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/rootfs"
)

// diagnostics is the launcher's standard error, a pipe to the node's log;
// os.Stderr becomes something that can be given away.
var diagnostics = os.Stderr

// host is the launcher: it serves one node's requests until the node hangs up.
type host struct {
	launch.Setup
	conn  *net.UnixConn
	rules rules
	root  *rootfs.Root

	mu    sync.Mutex
	boxes map[string]*box
}

// run is the launcher's main function; it returns the exit status.
func run(args []string) int {
	if err := launchAndServe(args); err != nil {
		fmt.Fprintln(diagnostics, err)
		return 1
	}
	return 0
}

func launchAndServe(args []string) error {
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
	log.SetTarget(log.GoogleEmitter{Writer: &log.Writer{Next: io.Discard}})
	if err := h.prepare(); err != nil {
		return launch.Send(h.conn, launch.Report{Err: err.Error()})
	}
	if err := launch.Send(h.conn, launch.Report{}); err != nil {
		return err
	}
	return h.serve()
}

// prepare takes possession of the launcher's mount namespace.
func (h *host) prepare() error {
	// What runsc finds in os.Stdin and its kin it gives away to sandboxes.
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	os.Stdin, os.Stdout, os.Stderr = null, null, null
	if err := rootfs.Own(h.Dir); err != nil {
		return err
	}
	if _, err := os.Stat("/proc/thread-self/children"); err != nil {
		return fmt.Errorf("find a sandbox's processes: %w", err)
	}
	if h.root, err = rootfs.New(h.Dir, h.Gateway); err != nil {
		return err
	}
	h.rules, err = newRules(h.Setup)
	return err
}

// serve answers requests, each on a goroutine of its own: a start takes tens of
// milliseconds. They end with the process.
func (h *host) serve() error {
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
		err = h.start(q, files)
		if err == nil {
			return // answered with the sandbox's pidfd
		}
	case q.Attach != nil:
		err = h.attach(q.ID, *q.Attach)
	case q.Pause:
		err = h.with(q.ID, (*box).pause)
	case q.Resume:
		err = h.with(q.ID, (*box).resume)
	case q.Abandon:
		err = h.abandon(q.ID)
	}
	r := launch.Report{Seq: q.Seq}
	if err != nil {
		r.Err = err.Error()
	}
	h.report(r)
}

func (h *host) start(q launch.Request, files []*os.File) error {
	b := &box{id: q.ID, host: h}
	h.mu.Lock()
	if h.boxes[q.ID] != nil {
		h.mu.Unlock()
		return fmt.Errorf("sandbox %s exists", q.ID)
	}
	h.boxes[q.ID] = b
	h.mu.Unlock()
	pidfd, err := b.start(q.Start, files)
	if err != nil {
		b.destroy()
		h.forget(q.ID)
		return err
	}
	defer pidfd.Close()
	h.report(launch.Report{Seq: q.Seq}, int(pidfd.Fd()))
	go func() {
		code, signal := b.wait()
		b.destroy()
		h.forget(q.ID)
		h.report(launch.Report{ID: q.ID, Code: code, Signal: signal})
	}()
	return nil
}

func (h *host) attach(id string, m launch.Bind) error {
	return h.with(id, func(b *box) error { return b.attach(m) })
}

// with does something to a sandbox that has been started.
func (h *host) with(id string, do func(*box) error) error {
	h.mu.Lock()
	b := h.boxes[id]
	h.mu.Unlock()
	if b == nil {
		return fmt.Errorf("no sandbox %s", id)
	}
	return do(b)
}

// abandon gives up a sandbox that is still being started. One that runs is
// killed by the node, which has its pidfd.
func (h *host) abandon(id string) error {
	h.mu.Lock()
	b := h.boxes[id]
	h.mu.Unlock()
	if b == nil {
		return nil
	}
	return b.abandon()
}

func (h *host) forget(id string) {
	h.mu.Lock()
	delete(h.boxes, id)
	h.mu.Unlock()
}

// report tells the node. Without a node there is no one left to tell, and serve
// is about to end the process.
func (h *host) report(r launch.Report, files ...int) {
	if err := launch.Send(h.conn, r, files...); err != nil {
		log.Debugf("report: %v", err)
	}
}
