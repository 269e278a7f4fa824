package gvisor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
)

// guest is one sandbox, as its node sees it.
type guest struct {
	id       string
	driver   *Driver
	launcher *launcher
	wires

	pidfd *os.File
	done  chan struct{}
	exit  sandbox.Exit // valid once done is closed

	mu       sync.Mutex
	attached map[string]bool
	closed   bool
}

var _ sandbox.Sandbox = (*guest)(nil)

func (g *guest) ID() string            { return g.id }
func (g *guest) Conn() net.Conn        { return g.conn }
func (g *guest) Output() *os.File      { return g.output }
func (g *guest) Telemetry() *os.File   { return g.telemetry }
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
	c, err := g.launcher.call(request{ID: g.id, Attach: &attachRequest{Host: host, Inside: place}}, nil)
	if err != nil {
		return fmt.Errorf("attach %s: %w", place, err)
	}
	if r := <-c; r.err != nil {
		return fmt.Errorf("attach %s: %w", place, r.err)
	}
	g.attached[place] = true
	return nil
}

func (g *guest) Resize(sandbox.Limits) error { return nil }
func (g *guest) Freeze() error               { return nil }
func (g *guest) Thaw() error                 { return nil }
func (g *guest) Usage() sandbox.Usage        { return sandbox.Usage{} }
func (g *guest) Addr() string                { return "" }

func (g *guest) Kill() {
	// Not finding the process any more is what was asked for.
	unix.PidfdSendSignal(int(g.pidfd.Fd()), unix.SIGKILL, nil, 0)
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
	return errors.Join(g.wires.close(), g.pidfd.Close())
}
