package workertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
)

// Driver is a sandbox.Driver for tests. Set its fields before its first use.
type Driver struct {
	// Program runs in each sandbox; Serve makes one of a handler.
	Program Program
	// BootDelay is how long a Start takes.
	BootDelay time.Duration
	// Starting, when set, is told of a Start that begins.
	Starting func(sandbox.Spec)
	// StartErr, when set, decides whether a Start fails.
	StartErr func(sandbox.Spec) error
	// Usage is what every sandbox says it takes.
	Usage sandbox.Usage

	mu       sync.Mutex
	alive    map[*Sandbox]struct{}
	started  int
	starting int
	peak     int
	freezes  int
	specs    []sandbox.Spec
}

// Info names the driver.
func (d *Driver) Info() sandbox.Info { return sandbox.Info{Name: "fake"} }

// Start starts the Program in a goroutine.
func (d *Driver) Start(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	d.note(func() {
		d.starting++
		d.peak = max(d.peak, d.starting)
		d.specs = append(d.specs, spec)
	})
	defer d.note(func() { d.starting-- })
	if d.Starting != nil {
		d.Starting(spec)
	}
	select {
	case <-time.After(d.BootDelay):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if d.StartErr != nil {
		if err := d.StartErr(spec); err != nil {
			return nil, err
		}
	}
	s := &Sandbox{driver: d, spec: spec, done: make(chan struct{}), killed: make(chan struct{}), thawed: make(chan struct{})}
	close(s.thawed)
	g := &Guest{Spec: spec, Killed: s.killed, s: s}
	if err := s.plumb(g); err != nil {
		return nil, err
	}
	d.note(func() {
		if d.alive == nil {
			d.alive = map[*Sandbox]struct{}{}
		}
		d.alive[s] = struct{}{}
		d.started++
	})
	go s.run(g)
	return s, nil
}

// Close ends every sandbox.
func (d *Driver) Close() error {
	for _, s := range d.Alive() {
		_ = s.Close()
	}
	return nil
}

// Alive are the sandboxes that have not been closed.
func (d *Driver) Alive() []*Sandbox {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []*Sandbox
	for s := range d.alive {
		list = append(list, s)
	}
	return list
}

// Started counts sandboxes; MostStarting is how many started at once; Freezes
// counts those of all sandboxes.
func (d *Driver) Started() int { return d.get(&d.started) }

// MostStarting is the highest number of starts that were under way at once.
func (d *Driver) MostStarting() int { return d.get(&d.peak) }

// Freezes counts the freezes of all sandboxes.
func (d *Driver) Freezes() int { return d.get(&d.freezes) }

// Specs are those of all starts.
func (d *Driver) Specs() []sandbox.Spec {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]sandbox.Spec(nil), d.specs...)
}

func (d *Driver) get(n *int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return *n
}

func (d *Driver) note(f func()) {
	d.mu.Lock()
	f()
	d.mu.Unlock()
}

// Sandbox is one of a Driver's.
type Sandbox struct {
	driver *Driver
	spec   sandbox.Spec

	conn     net.Conn
	out, tel *os.File
	done     chan struct{}
	killed   chan struct{}
	killOnce sync.Once
	mu       sync.Mutex
	exit     sandbox.Exit
	frozen   bool
	thawed   chan struct{}
	attached map[string]string
	limits   []sandbox.Limits
	oomed    bool
}

// plumb makes the socket and the pipes.
func (s *Sandbox) plumb(g *Guest) error {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make socket pair: %w", err)
	}
	if s.conn, err = FileConn(fds[0]); err != nil {
		return err
	}
	if g.Conn, err = FileConn(fds[1]); err != nil {
		return err
	}
	if s.out, g.Output, err = os.Pipe(); err != nil {
		return err
	}
	s.tel, g.Telemetry, err = os.Pipe()
	return err
}

// FileConn makes a connection of a socket.
func FileConn(fd int) (net.Conn, error) {
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	return net.FileConn(f)
}

func (s *Sandbox) run(g *Guest) {
	exit := s.driver.Program(g)
	s.mu.Lock()
	select {
	case <-s.killed:
		s.exit = sandbox.Exit{Signal: 9, OutOfMemory: s.oomed}
	default:
		s.exit = exit
	}
	s.mu.Unlock()
	g.Conn.Close()
	g.Output.Close()
	g.Telemetry.Close()
	close(s.done)
}

// ID and the others below are the sandbox.Sandbox.
func (s *Sandbox) ID() string { return s.spec.ID }

// Conn is the worker's end of the socket.
func (s *Sandbox) Conn() net.Conn { return s.conn }

// Output is the read end of the output.
func (s *Sandbox) Output() *os.File { return s.out }

// Telemetry is the read end of the telemetry.
func (s *Sandbox) Telemetry() *os.File { return s.tel }

// Attach remembers what is attached where.
func (s *Sandbox) Attach(host, place string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.attached == nil {
		s.attached = map[string]string{}
	}
	s.attached[place] = host
	return nil
}

// Attached is the host directory at a place.
func (s *Sandbox) Attached(place string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attached[place]
}

// Resize remembers the limits.
func (s *Sandbox) Resize(l sandbox.Limits) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = append(s.limits, l)
	return nil
}

// Limits are the Spec's and all that Resize set.
func (s *Sandbox) Limits() []sandbox.Limits {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sandbox.Limits{s.spec.Limits}, s.limits...)
}

// Freeze makes the guest's next read wait.
func (s *Sandbox) Freeze() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.frozen {
		s.frozen, s.thawed = true, make(chan struct{})
		s.driver.note(func() { s.driver.freezes++ })
	}
	return nil
}

// Thaw lets it go on.
func (s *Sandbox) Thaw() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frozen {
		s.frozen = false
		close(s.thawed)
	}
	return nil
}

// Frozen says whether it is frozen now.
func (s *Sandbox) Frozen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.frozen
}

// Usage is the Driver's.
func (s *Sandbox) Usage() sandbox.Usage { return s.driver.Usage }

// Addr is empty.
func (s *Sandbox) Addr() string { return "" }

// Kill ends the program, which sees its socket close.
func (s *Sandbox) Kill() {
	s.killOnce.Do(func() {
		close(s.killed)
		_ = s.Thaw()
		if c, ok := s.conn.(*net.UnixConn); ok {
			_ = c.CloseWrite() // the guest's reads end; ours end when it is gone
		}
	})
}

// Done is closed when the program has returned.
func (s *Sandbox) Done() <-chan struct{} { return s.done }

// Exit says how it ended.
func (s *Sandbox) Exit() sandbox.Exit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exit
}

// Close kills and waits.
func (s *Sandbox) Close() error {
	s.Kill()
	<-s.done
	s.driver.note(func() { delete(s.driver.alive, s) })
	return errors.Join(ignoreClosed(s.conn.Close()), ignoreClosed(s.out.Close()), ignoreClosed(s.tel.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
