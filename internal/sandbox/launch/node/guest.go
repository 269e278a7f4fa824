package node

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/cgroup"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/network"
)

// Guest is one sandbox, as its node sees it: a sandbox.Sandbox but for Freeze and
// Thaw, which are the drivers' own.
type Guest struct {
	id       string
	driver   *Driver
	launcher *launcher
	wires
	group *cgroup.Group      // nil without cgroups
	net   *network.Namespace // nil without a network
	pidfd *os.File

	done chan struct{}
	exit sandbox.Exit // these two are valid once done is closed
	last sandbox.Usage
	peak atomic.Int64 // of memory, as seen so far

	mu       sync.Mutex
	attached map[string]bool
	closed   bool
}

// These, and the wires, are what sandbox.Sandbox says of them.

func (g *Guest) ID() string            { return g.id }
func (g *Guest) Done() <-chan struct{} { return g.done }

func (g *Guest) Attach(host, place string) error {
	if place != sandbox.PlaceTask && place != sandbox.PlaceOpt {
		return fmt.Errorf("attach %s: not a place for code", place)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.attached[place] {
		return fmt.Errorf("attach %s: taken", place)
	}
	if _, err := g.Ask(launch.Request{Attach: &launch.Bind{Host: host, Inside: place}}); err != nil {
		return fmt.Errorf("attach %s: %w", place, err)
	}
	g.attached[place] = true
	return nil
}

func (g *Guest) Resize(l sandbox.Limits) error {
	if g.group == nil {
		return nil
	}
	if bounds := g.driver.cfg.Bounds; bounds != nil {
		l = bounds(l)
	}
	err := errors.Join(g.group.SetMemory(l.MemoryBytes), g.group.SetCPU(l.CPUs), g.group.SetCPUShare(l.CPUShare), g.group.SetProcesses(l.Processes))
	if err != nil {
		return fmt.Errorf("limit sandbox: %w", err)
	}
	return nil
}

// Usage is the cgroup's. Where that doesn't tell the memory the launcher does,
// and the peak is the most that it ever told.
func (g *Guest) Usage() sandbox.Usage {
	select {
	case <-g.done:
		return g.last
	default:
	}
	u := g.measure()
	if u.MemoryBytes > 0 {
		return u
	}
	if r, err := g.Ask(launch.Request{Measure: true}); err == nil { // else it is ending
		u.MemoryBytes, u.MemoryPeak = r.Memory, g.peaked(r.Memory)
	}
	return u
}

// measure is Usage without the launcher's help.
func (g *Guest) measure() sandbox.Usage {
	if g.group == nil {
		return sandbox.Usage{MemoryPeak: g.peaked(0)}
	}
	u := g.group.Usage()
	return sandbox.Usage{MemoryBytes: u.Memory, MemoryPeak: g.peaked(u.MemoryPeak), CPU: u.CPU}
}

// peaked takes in a peak and gives the highest.
func (g *Guest) peaked(n int64) int64 {
	for {
		highest := g.peak.Load()
		if n <= highest {
			return highest
		}
		if g.peak.CompareAndSwap(highest, n) {
			return n
		}
	}
}

func (g *Guest) Addr() string {
	if g.net == nil {
		return ""
	}
	return g.net.Addr().String()
}

func (g *Guest) Kill() {
	// Not finding the process any more is what was asked for. In cgroup v1 a
	// frozen process dies when it goes on.
	_ = unix.PidfdSendSignal(int(g.pidfd.Fd()), unix.SIGKILL, nil, 0)
	if g.group != nil {
		_ = g.group.Thaw()
	}
}

func (g *Guest) Exit() sandbox.Exit {
	select {
	case <-g.done:
		return g.exit
	default:
		return sandbox.Exit{}
	}
}

func (g *Guest) Close() error {
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
func (g *Guest) release() error {
	err := g.wires.Close()
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

// Ask has the launcher do something to the sandbox.
func (g *Guest) Ask(q launch.Request) (launch.Report, error) {
	q.ID = g.id
	c, err := g.launcher.call(q, nil)
	if err != nil {
		return launch.Report{}, err
	}
	r := <-c
	return r.Report, r.err
}

// Group is the sandbox's control group, nil without one.
func (g *Guest) Group() *cgroup.Group { return g.group }

// Pidfd is that of the process whose end is the sandbox's.
func (g *Guest) Pidfd() *os.File { return g.pidfd }
