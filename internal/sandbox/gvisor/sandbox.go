package gvisor

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/cgroup"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/network"
)

// guest is one sandbox, as its node sees it.
type guest struct {
	id       string
	driver   *Driver
	launcher *launch.Launcher
	launch.Wires
	group *cgroup.Group      // nil without cgroups
	net   *network.Namespace // nil without a network
	pidfd *os.File

	done chan struct{}
	exit sandbox.Exit // these two are valid once done is closed
	last sandbox.Usage

	pausing sync.Mutex
	paused  bool

	mu       sync.Mutex
	attached map[string]bool
	closed   bool
}

var _ sandbox.Sandbox = (*guest)(nil)

func newGuest(id string, d *Driver, l *launch.Launcher) *guest {
	return &guest{id: id, driver: d, launcher: l, done: make(chan struct{}), attached: make(map[string]bool)}
}

func (g *guest) ID() string            { return g.id }
func (g *guest) Done() <-chan struct{} { return g.done }

func (g *guest) Attach(host, place string) error {
	if place != sandbox.PlaceTask && place != sandbox.PlaceOpt {
		return fmt.Errorf("attach %s: not a place for code", place)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.attached[place] {
		return fmt.Errorf("attach %s: taken", place)
	}
	c, err := g.launcher.Call(launch.Request{ID: g.id, Attach: &launch.Bind{Host: host, Inside: place}}, nil)
	if err != nil {
		return fmt.Errorf("attach %s: %w", place, err)
	}
	if r := <-c; r.Err != nil {
		return fmt.Errorf("attach %s: %w", place, r.Err)
	}
	g.attached[place] = true
	return nil
}

func (g *guest) Resize(l sandbox.Limits) error { return g.limit(l) }

func (g *guest) Freeze() error { return g.pause(true) }

func (g *guest) Thaw() error { return g.pause(false) }

// pause stops the guest or lets it go on, once for each.
func (g *guest) pause(stop bool) error {
	g.pausing.Lock()
	defer g.pausing.Unlock()
	if g.paused == stop {
		return nil
	}
	c, err := g.launcher.Call(launch.Request{ID: g.id, Pause: stop, Resume: !stop}, nil)
	if err != nil {
		return fmt.Errorf("pause sandbox %s (%t): %w", g.id, stop, err)
	}
	if r := <-c; r.Err != nil {
		return fmt.Errorf("pause sandbox %s (%t): %w", g.id, stop, r.Err)
	}
	g.paused = stop
	return nil
}

func (g *guest) Usage() sandbox.Usage {
	select {
	case <-g.done:
		return g.last
	default:
		return g.measure()
	}
}

// measure leaves gVisor's own memory as it is: what it takes while it boots, 12
// MiB, is charged to the launcher, and the rest is less than the program's.
func (g *guest) measure() sandbox.Usage {
	if g.group == nil {
		return sandbox.Usage{}
	}
	u := g.group.Usage()
	return sandbox.Usage{MemoryBytes: u.Memory, MemoryPeak: u.MemoryPeak, CPU: u.CPU}
}

func (g *guest) Addr() string {
	if g.net == nil {
		return ""
	}
	return g.net.Addr().String()
}

func (g *guest) Kill() {
	// Not finding the process any more is what was asked for.
	_ = unix.PidfdSendSignal(int(g.pidfd.Fd()), unix.SIGKILL, nil, 0)
}

// ended takes in that the program has, and the sandbox with it.
func (g *guest) ended(e sandbox.Exit) {
	g.last = g.measure()
	g.exit = e
	g.exit.OutOfMemory = g.group != nil && g.group.OutOfMemory()
	close(g.done)
}

func (g *guest) Exit() sandbox.Exit {
	select {
	case <-g.done:
		return g.exit
	default:
		return sandbox.Exit{}
	}
}

func (g *guest) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	g.Kill()
	<-g.done
	g.driver.forget(g)
	return g.release()
}

// release gives back what start made of the node's.
func (g *guest) release() error {
	err := g.Wires.Close()
	if g.pidfd != nil {
		err = errors.Join(err, g.pidfd.Close())
	}
	if g.net != nil {
		g.net.Release()
	}
	if g.group != nil {
		err = errors.Join(err, g.group.Close())
	}
	return err
}
