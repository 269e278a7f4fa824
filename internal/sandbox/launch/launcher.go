package launch

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
)

var errGone = errors.New("launcher has ended")

// Launcher is the node's end of a launcher process.
type Launcher struct {
	conn *net.UnixConn
	log  *slog.Logger
	proc *os.Process
	gone chan struct{} // closed when the process has ended

	mu      sync.Mutex
	seq     uint64
	waiting map[uint64]chan<- Reply
	ended   map[string]func(sandbox.Exit) // by sandbox
	dead    bool
}

// Reply answers a Call. Its files are the caller's to close.
type Reply struct {
	Err   error
	Files []*os.File
}

// Config says what to start as a launcher.
type Config struct {
	// Exe is the binary, Name the argv[0] by which it knows its part, and Env
	// its whole environment.
	Exe, Name string
	Env       []string
	Setup     Setup
	// Log gets what the launcher complains about.
	Log *slog.Logger
}

// New starts a launcher. It is ready when this returns; ctx bounds the start.
func New(ctx context.Context, cfg Config) (*Launcher, error) {
	conn, theirs, err := socketPair(unix.SOCK_SEQPACKET)
	if err != nil {
		return nil, err
	}
	l := &Launcher{
		conn: conn, log: cfg.Log, gone: make(chan struct{}),
		waiting: make(map[uint64]chan<- Reply), ended: make(map[string]func(sandbox.Exit)),
	}
	cmd, diagnostics, err := command(cfg, theirs)
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
	stop := context.AfterFunc(ctx, l.Kill)
	defer stop()
	var r Report
	buf := make([]byte, MaxPacket)
	if _, err = Receive(conn, buf, &r); err == nil && r.Err != "" {
		err = errors.New(r.Err)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("start launcher: %w", err)
	}
	go l.read(buf)
	return l, nil
}

// command also returns the read end of the launcher's standard error.
func command(cfg Config, control *os.File) (*exec.Cmd, *os.File, error) {
	arg, err := json.Marshal(cfg.Setup)
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
	if cfg.Setup.Rootless {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return cmd, r, nil
}

// own starts the process and waits for it, on one thread: the parent-death
// signal is sent when the parent thread ends, so that thread must not.
func (l *Launcher) own(cmd *exec.Cmd, diagnostics *os.File, started chan<- error) {
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
func (l *Launcher) logLines(r *os.File) {
	defer r.Close()
	lines := bufio.NewScanner(io.Reader(r))
	for lines.Scan() {
		l.log.Warn("launcher", "message", lines.Text())
	}
}

// read takes in reports until the launcher hangs up.
func (l *Launcher) read(buf []byte) {
	for {
		var r Report
		files, err := Receive(l.conn, buf, &r)
		if err != nil {
			l.Kill()
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
			Close(files)
			continue
		}
		p := Reply{Files: files}
		if r.Err != "" {
			p.Err = errors.New(r.Err)
		}
		waiting <- p
	}
}

func (l *Launcher) sandboxEnded(r Report) {
	l.mu.Lock()
	ended := l.ended[r.ID]
	delete(l.ended, r.ID)
	l.mu.Unlock()
	if ended != nil {
		ended(sandbox.Exit{Code: r.Code, Signal: r.Signal})
	}
}

// Call asks the launcher. ended is called once when the sandbox that a start
// request makes has ended; not when the start fails.
func (l *Launcher) Call(q Request, ended func(sandbox.Exit), files ...int) (<-chan Reply, error) {
	c := make(chan Reply, 1)
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
	if err := Send(l.conn, q, files...); err != nil {
		l.mu.Lock()
		delete(l.waiting, q.Seq)
		delete(l.ended, q.ID)
		l.mu.Unlock()
		return nil, err
	}
	return c, nil
}

// Forget drops what Call noted for a sandbox whose start failed.
func (l *Launcher) Forget(id string) {
	l.mu.Lock()
	delete(l.ended, id)
	l.mu.Unlock()
}

// Kill ends the launcher, and with it whatever it runs, without waiting.
func (l *Launcher) Kill() { l.proc.Kill() }

// Gone is closed once the launcher and everything it ran have ended.
func (l *Launcher) Gone() <-chan struct{} { return l.gone }

// Close ends the launcher and with it whatever it runs.
func (l *Launcher) Close() {
	l.Kill()
	<-l.gone
	l.conn.Close()
}

// bury tells everyone who still waits that there is nothing to wait for. gone
// comes first: who hears that a sandbox has ended may start the next at once.
func (l *Launcher) bury(cause error) {
	l.mu.Lock()
	l.dead = true
	waiting, ended := l.waiting, l.ended
	l.waiting, l.ended = nil, nil
	l.mu.Unlock()
	close(l.gone)
	for _, c := range waiting {
		c <- Reply{Err: fmt.Errorf("%w: %v", errGone, cause)}
	}
	for _, f := range ended {
		f(sandbox.Exit{Signal: int(unix.SIGKILL)})
	}
}
