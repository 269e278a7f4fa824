package guest

import (
	"fmt"
	"os"
	"sync"
	"syscall"
)

// Reaper starts processes and collects every child's end, those that became
// children because their parents died (the duty of process 1) included. A
// program has one.
type Reaper struct {
	mu      sync.Mutex
	started *sync.Cond
	mine    map[int]*process
}

// NewReaper makes the reaper and starts to collect.
func NewReaper() *Reaper {
	r := &Reaper{mine: map[int]*process{}}
	r.started = sync.NewCond(&r.mu)
	go r.collect()
	return r
}

type process struct {
	pid   int
	exit  chan Exit
	mu    sync.Mutex
	ended bool
}

// Wait returns when the process has ended.
func (p *process) Wait() Exit { return <-p.exit }

// Signal signals the process's group, unless it has ended: its number may be
// another's by then.
func (p *process) Signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		_ = syscall.Kill(-p.pid, s) // gone already, or going
	}
}

// Start starts a command in a process group of its own. An error that is
// fs.ErrNotExist is of the program itself, not of its interpreter or directory.
func (r *Reaper) Start(cmd Command) (Process, error) {
	if _, err := os.Stat(cmd.Args[0]); err != nil {
		return nil, fmt.Errorf("find program: %w", err)
	}
	attr := &syscall.ProcAttr{Dir: cmd.Dir, Env: cmd.Env, Sys: &syscall.SysProcAttr{Setpgid: true}}
	for _, f := range cmd.Files {
		fd := ^uintptr(0)
		if f != nil {
			fd = f.Fd()
		}
		attr.Files = append(attr.Files, fd)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	pid, err := syscall.ForkExec(cmd.Args[0], cmd.Args, attr)
	if err != nil {
		return nil, fmt.Errorf("fork/exec %s: %v", cmd.Args[0], err)
	}
	p := &process{pid: pid, exit: make(chan Exit, 1)}
	r.mine[pid] = p
	r.started.Signal()
	return p, nil
}

// collect waits for children, one after another, as long as the program lives.
func (r *Reaper) collect() {
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, 0, nil)
		switch {
		case err == syscall.ECHILD:
			r.mu.Lock()
			for len(r.mine) == 0 {
				r.started.Wait()
			}
			r.mu.Unlock()
		case err == nil:
			r.ended(pid, ws)
		case err != syscall.EINTR:
			panic(fmt.Sprintf("wait for children: %v", err))
		}
	}
}

func (r *Reaper) ended(pid int, ws syscall.WaitStatus) {
	r.mu.Lock()
	p := r.mine[pid]
	delete(r.mine, pid)
	r.mu.Unlock()
	if p == nil {
		return
	}
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	x := Exit{Code: ws.ExitStatus()}
	if ws.Signaled() {
		x = Exit{Signal: ws.Signal()}
	}
	p.exit <- x
}
