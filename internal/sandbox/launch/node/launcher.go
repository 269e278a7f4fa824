package node

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
)

var errGone = errors.New("launcher has ended")

// launcher is the node's end of a launcher process.
type launcher struct {
	conn *net.UnixConn
	log  *slog.Logger
	proc *os.Process
	gone chan struct{} // closed when the process and everything it ran have ended

	mu      sync.Mutex
	seq     uint64
	waiting map[uint64]chan<- reply
	ended   map[string]func(sandbox.Exit) // by sandbox
	dead    bool
}

// reply answers a call. Its files are the caller's to close.
type reply struct {
	launch.Report
	err   error
	files []*os.File
}

// startLauncher starts one. It is ready when this returns; ctx bounds the start.
func startLauncher(ctx context.Context, cfg *Config, setup launch.Setup) (*launcher, error) {
	conn, theirs, err := socketPair(unix.SOCK_SEQPACKET)
	if err != nil {
		return nil, err
	}
	l := &launcher{
		conn: conn, log: cfg.Log, gone: make(chan struct{}),
		waiting: make(map[uint64]chan<- reply), ended: make(map[string]func(sandbox.Exit)),
	}
	cmd, diagnostics, err := command(cfg, setup, theirs)
	if err != nil {
		theirs.Close()
		conn.Close()
		return nil, err
	}
	started := make(chan error)
	go l.own(cmd, diagnostics, started)
	err = <-started
	theirs.Close() // so that its end is seen should it end without a word
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("start launcher: %w", err)
	}
	stop := context.AfterFunc(ctx, l.kill)
	defer stop()
	var r launch.Report
	buf := make([]byte, launch.MaxPacket)
	if _, err = launch.Receive(conn, buf, &r); err == nil && r.Err != "" {
		err = errors.New(r.Err)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		l.close()
		return nil, fmt.Errorf("start launcher: %w", err)
	}
	go l.read(buf)
	return l, nil
}

// command also returns the read end of the launcher's standard error.
func command(cfg *Config, setup launch.Setup, control *os.File) (*exec.Cmd, *os.File, error) {
	arg, err := json.Marshal(setup)
	if err != nil {
		return nil, nil, fmt.Errorf("encode set-up: %w", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("make pipe: %w", err)
	}
	cmd := &exec.Cmd{
		Path: cfg.Exe, Args: []string{cfg.Name, string(arg)}, Dir: "/",
		Env:    cfg.Env, // nothing of the node's: secrets may be in it
		Stderr: w, ExtraFiles: []*os.File{control},
		SysProcAttr: &syscall.SysProcAttr{
			Setsid: true, Pdeathsig: unix.SIGKILL,
			Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS,
		},
	}
	if setup.Rootless {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return cmd, r, nil
}

// own starts the process and waits for it, on one thread: the parent-death
// signal is sent when the parent thread ends, so that thread must not.
func (l *launcher) own(cmd *exec.Cmd, diagnostics *os.File, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Start()
	cmd.Stderr.(*os.File).Close()
	if err != nil {
		diagnostics.Close()
		started <- err
		return
	}
	l.proc = cmd.Process
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		l.logLines(diagnostics)
	}()
	started <- nil
	err = cmd.Wait()
	<-logged
	l.bury(err)
}

// logLines copies what the launcher says to the node's log.
func (l *launcher) logLines(r *os.File) {
	defer r.Close()
	lines := bufio.NewScanner(io.Reader(r))
	for lines.Scan() {
		l.log.Warn("launcher", "message", lines.Text())
	}
}

// read takes in reports until the launcher hangs up.
func (l *launcher) read(buf []byte) {
	for {
		var r launch.Report
		files, err := launch.Receive(l.conn, buf, &r)
		if err != nil {
			l.kill()
			return
		}
		if r.ID != "" {
			l.sandboxEnded(r)
			continue
		}
		l.mu.Lock()
		waiting := l.waiting[r.Seq]
		delete(l.waiting, r.Seq)
		l.mu.Unlock()
		if waiting == nil {
			launch.Close(files)
			continue
		}
		p := reply{Report: r, files: files}
		if r.Err != "" {
			p.err = errors.New(r.Err)
		}
		waiting <- p
	}
}

func (l *launcher) sandboxEnded(r launch.Report) {
	l.mu.Lock()
	ended := l.ended[r.ID]
	delete(l.ended, r.ID)
	l.mu.Unlock()
	if ended != nil {
		ended(sandbox.Exit{Code: r.Code, Signal: r.Signal})
	}
}

// call asks the launcher. ended is called once when the sandbox that a start
// request makes has ended; not when the start fails.
func (l *launcher) call(q launch.Request, ended func(sandbox.Exit), files ...int) (<-chan reply, error) {
	c := make(chan reply, 1)
	l.mu.Lock()
	if l.dead {
		l.mu.Unlock()
		return nil, errGone
	}
	l.seq++
	q.Seq = l.seq
	l.waiting[q.Seq] = c
	if ended != nil {
		l.ended[q.ID] = ended
	}
	l.mu.Unlock()
	if err := launch.Send(l.conn, q, files...); err != nil {
		l.mu.Lock()
		delete(l.waiting, q.Seq)
		delete(l.ended, q.ID)
		l.mu.Unlock()
		return nil, err
	}
	return c, nil
}

// forget drops what call noted for a sandbox whose start failed.
func (l *launcher) forget(id string) {
	l.mu.Lock()
	delete(l.ended, id)
	l.mu.Unlock()
}

// kill ends the launcher, and with it whatever it runs, without waiting.
func (l *launcher) kill() { l.proc.Kill() }

// close ends the launcher and with it whatever it runs.
func (l *launcher) close() {
	l.kill()
	<-l.gone
	l.conn.Close()
}

// bury tells everyone who still waits that there is nothing to wait for. gone
// comes first: who hears that a sandbox has ended may start the next at once.
func (l *launcher) bury(cause error) {
	l.mu.Lock()
	l.dead = true
	waiting, ended := l.waiting, l.ended
	l.waiting, l.ended = nil, nil
	l.mu.Unlock()
	close(l.gone)
	for _, c := range waiting {
		c <- reply{err: fmt.Errorf("%w: %v", errGone, cause)}
	}
	for _, f := range ended {
		f(sandbox.Exit{Signal: int(unix.SIGKILL)})
	}
}
