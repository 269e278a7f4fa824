package guest

import (
	"fmt"
	"os"
	"syscall"
)

// Command says what to start. Env is the whole environment.
type Command struct {
	Args []string
	Env  []string
	Dir  string
	// Files become descriptors 0, 1, 2 and on; a nil one is closed there.
	Files []*os.File
}

// Process is a started program.
type Process interface {
	// Wait returns when it has ended; it is called once.
	Wait() Exit
	// Signal signals it and what it has started.
	Signal(syscall.Signal)
}

// Exit says how a process ended.
type Exit struct {
	// Code is the exit status; Signal is what ended it, if one did.
	Code   int
	Signal syscall.Signal
}

// Success says whether it ended with status 0.
func (x Exit) Success() bool { return x == Exit{} }

// String is as AWS's messages have it: "exit status 1", "signal: killed".
func (x Exit) String() string {
	if x.Signal != 0 {
		return "signal: " + x.Signal.String()
	}
	return fmt.Sprintf("exit status %d", x.Code)
}

// child is a process of this agent.
type child struct {
	Process
	gone chan struct{} // closed when it has ended
}

// kill ends it at once, unless it has ended.
func (c *child) kill() {
	select {
	case <-c.gone:
	default:
		c.Signal(syscall.SIGKILL)
	}
}

// launch starts a command with its logs going where they belong, and has ended
// called when it is over. The command's files come after the usual three. It is
// called with the lock held.
func (a *Agent) launch(cmd Command, source string, ended func(Exit)) (*child, error) {
	out, mine, err := a.logs(source, a.cfg.Output, false)
	if err != nil {
		return nil, err
	}
	if mine {
		defer out.Close() // the child has its own
	}
	fd, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0) // os.Open would start the poller
	if err != nil {
		return nil, fmt.Errorf("open input: %w", err)
	}
	null := os.NewFile(uintptr(fd), os.DevNull)
	defer null.Close()
	cmd.Files = append([]*os.File{null, out, out}, cmd.Files...)
	p, err := a.cfg.Start(cmd)
	if err != nil {
		return nil, err // its text goes to the function's author as it is
	}
	c := &child{Process: p, gone: make(chan struct{})}
	a.tasks.Go(func() {
		x := p.Wait()
		close(c.gone)
		ended(x)
	})
	return c, nil
}

// processes are the children that were started.
func (a *Agent) processes() []*child {
	var ps []*child
	if a.runtime.proc != nil {
		ps = append(ps, a.runtime.proc)
	}
	for _, e := range a.exts {
		if e.proc != nil {
			ps = append(ps, e.proc)
		}
	}
	return ps
}
