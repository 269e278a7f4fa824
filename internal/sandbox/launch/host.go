package launch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Maker is a driver's own part of a launcher.
type Maker interface {
	// Prepare takes possession of the launcher's mount namespace. It comes first.
	Prepare(Setup) error
	// Box names a sandbox, and makes nothing yet. Calls exclude each other.
	Box(id string) Box
}

// Box is one sandbox, as its launcher sees it.
type Box interface {
	// Start makes the sandbox and starts its program, with as many files as the
	// request must have. It returns the pidfd of the process that ends with it.
	Start(*Start, []*os.File) (*os.File, error)
	// Answer does what else is asked. Only Abandon may come before Start is done.
	Answer(Request) (Report, error)
	// Wait waits until the program has ended, and the sandbox with it.
	Wait() (code, signal int)
	// Destroy removes whatever of the sandbox there is, after Wait or an error of
	// Start. What it can't remove goes when the launcher does.
	Destroy()
}

// host serves one node's requests until the node hangs up.
type host struct {
	maker Maker
	conn  *net.UnixConn

	mu    sync.Mutex
	boxes map[string]Box
}

// Serve is a launcher's main function; it returns the exit status.
func Serve(args []string, m Maker) int {
	complaints := os.Stderr // Prepare may put something else there
	if err := serve(args, m); err != nil {
		fmt.Fprintln(complaints, err)
		return 1
	}
	return 0
}

func serve(args []string, m Maker) error {
	h := &host{maker: m, boxes: make(map[string]Box)}
	if len(args) != 1 {
		return errors.New("not started by a node")
	}
	var s Setup
	if err := json.Unmarshal([]byte(args[0]), &s); err != nil {
		return fmt.Errorf("decode set-up: %w", err)
	}
	f := os.NewFile(ControlFD, "control socket")
	c, err := net.FileConn(f)
	f.Close()
	if err != nil {
		return fmt.Errorf("wrap control socket: %w", err)
	}
	h.conn = c.(*net.UnixConn)
	if err := m.Prepare(s); err != nil {
		return Send(h.conn, Report{Err: err.Error()})
	}
	if err := Send(h.conn, Report{}); err != nil {
		return err
	}
	return h.listen()
}

// listen answers requests, each on a goroutine of its own: a start takes tens of
// milliseconds. They end with the process.
func (h *host) listen() error {
	buf := make([]byte, MaxPacket)
	for {
		var q Request
		files, err := Receive(h.conn, buf, &q)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		go h.answer(q, files)
	}
}

func (h *host) answer(q Request, files []*os.File) {
	defer Close(files)
	var r Report
	var err error
	switch b := h.box(q.ID); {
	case q.Start != nil:
		if err = h.start(q, files); err == nil {
			return // answered with the sandbox's pidfd
		}
	case b != nil:
		r, err = b.Answer(q)
	case !q.Abandon: // a start that has failed by itself is as good
		err = fmt.Errorf("no sandbox %s", q.ID)
	}
	if r.Seq = q.Seq; err != nil {
		r.Err = err.Error()
	}
	h.report(r)
}

func (h *host) start(q Request, files []*os.File) error {
	want := FileNetNS
	if q.Start.Network {
		want++
	}
	if len(files) != want {
		return fmt.Errorf("start with %d files, want %d", len(files), want)
	}
	b, err := h.newBox(q.ID)
	if err != nil {
		return err
	}
	pidfd, err := b.Start(q.Start, files)
	if err != nil {
		b.Destroy()
		h.forget(q.ID)
		return err
	}
	h.report(Report{Seq: q.Seq}, int(pidfd.Fd()))
	pidfd.Close() // the node has it
	go func() {
		code, signal := b.Wait()
		b.Destroy()
		h.forget(q.ID)
		h.report(Report{ID: q.ID, Code: code, Signal: signal})
	}()
	return nil
}

func (h *host) newBox(id string) (Box, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.boxes[id] != nil {
		return nil, fmt.Errorf("sandbox %s exists", id)
	}
	b := h.maker.Box(id)
	h.boxes[id] = b
	return b, nil
}

func (h *host) box(id string) Box {
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
func (h *host) report(r Report, files ...int) {
	if err := Send(h.conn, r, files...); err != nil && !errors.Is(err, unix.EPIPE) {
		fmt.Fprintln(os.Stderr, err)
	}
}
