package gvisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
)

// Config says how to run the driver.
type Config struct {
	// Dir is a directory of the driver's own. It stays empty: what the driver
	// keeps there only its launcher sees.
	Dir string
	// Log gets what gVisor complains about.
	Log *slog.Logger
	// Exe is a binary whose main calls Dispatch; this one if empty. It must be
	// statically linked and not instrumented by the race detector.
	Exe string
}

// Driver runs sandboxes on gVisor.
type Driver struct {
	cfg   Config
	setup setup

	mu       sync.Mutex
	launcher *launcher
	guests   map[string]*guest
	closed   bool
}

var _ sandbox.Driver = (*Driver)(nil)

// New starts the driver. It proves that the machine can run it by running a
// sandbox, and returns sandbox.ErrUnsupported with the reason if it can't.
func New(ctx context.Context, cfg Config) (*Driver, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("find sandbox directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, fmt.Errorf("make sandbox directory: %w", err)
	}
	if cfg.Exe == "" {
		cfg.Exe = selfName
	}
	d := &Driver{cfg: cfg, guests: make(map[string]*guest)}
	d.setup = setup{Dir: dir, Platform: "systrap", Rootless: os.Geteuid() != 0}
	if err := d.prove(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", sandbox.ErrUnsupported, err), d.Close())
	}
	return d, nil
}

func (d *Driver) Info() sandbox.Info {
	i := sandbox.Info{Name: "gvisor"}
	if d.setup.Rootless {
		i.Name = "gvisor-rootless"
	}
	return i
}

func (d *Driver) Start(ctx context.Context, s sandbox.Spec) (sandbox.Sandbox, error) {
	g, err := d.start(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("start sandbox %s: %w", s.ID, err)
	}
	return g, nil
}

func (d *Driver) start(ctx context.Context, s sandbox.Spec) (*guest, error) {
	if err := check(s); err != nil {
		return nil, err
	}
	l, err := d.use(ctx)
	if err != nil {
		return nil, err
	}
	w, theirs, err := newWires()
	if err != nil {
		return nil, err
	}
	defer closeAll(theirs)
	g := &guest{
		id: s.ID, driver: d, launcher: l, wires: w,
		done: make(chan struct{}), attached: make(map[string]bool),
	}
	if err := g.launch(ctx, s, theirs); err != nil {
		return nil, errors.Join(err, w.close())
	}
	if err := d.note(g); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// launch has the launcher start the sandbox.
func (g *guest) launch(ctx context.Context, s sandbox.Spec, theirs []*os.File) error {
	q := &startRequest{
		Args: s.Args, Env: s.Env, Dir: s.Dir, TmpBytes: s.TmpBytes,
		Processes: s.Limits.Processes, OpenFiles: s.Limits.OpenFiles,
	}
	for _, m := range s.Mounts {
		q.Mounts = append(q.Mounts, bind(m))
	}
	var fds []int
	for _, f := range theirs {
		fds = append(fds, int(f.Fd()))
	}
	c, err := g.launcher.call(request{ID: s.ID, Start: q}, g.ended, fds...)
	if err != nil {
		return err
	}
	select {
	case r := <-c:
		return g.launched(r)
	case <-ctx.Done():
	}
	// The launcher can't stop half-way, only as soon as it can.
	if _, err := g.launcher.call(request{ID: s.ID, Kill: true}, nil); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	if err := g.launched(<-c); err == nil {
		return errors.Join(ctx.Err(), g.Close())
	}
	return ctx.Err()
}

func (g *guest) launched(r reply) error {
	if r.err == nil && len(r.files) != 1 {
		closeAll(r.files)
		r.err = errors.New("launcher sent no pidfd")
	}
	if r.err != nil {
		g.launcher.forget(g.id)
		return r.err
	}
	g.pidfd = r.files[0]
	return nil
}

func (g *guest) ended(e sandbox.Exit) {
	g.exit = e
	close(g.done)
}

// use returns the launcher, a new one if the last has ended.
func (d *Driver) use(ctx context.Context) (*launcher, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errors.New("driver is closed")
	}
	if d.launcher != nil {
		select {
		case <-d.launcher.gone:
			d.launcher.conn.Close()
			d.launcher = nil
		default:
			return d.launcher, nil
		}
	}
	l, err := startLauncher(ctx, d.cfg.Exe, d.setup, d.cfg.Log)
	if err != nil {
		return nil, err
	}
	d.launcher = l
	return l, nil
}

func (d *Driver) note(g *guest) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errors.New("driver is closed")
	}
	d.guests[g.id] = g
	return nil
}

func (d *Driver) forget(g *guest) {
	d.mu.Lock()
	if d.guests[g.id] == g {
		delete(d.guests, g.id)
	}
	d.mu.Unlock()
}

func (d *Driver) Close() error {
	d.mu.Lock()
	d.closed = true
	l := d.launcher
	d.launcher = nil
	var guests []*guest
	for _, g := range d.guests {
		guests = append(guests, g)
	}
	d.mu.Unlock()
	if l != nil {
		l.close() // ends every sandbox at once
	}
	var errs []error
	for _, g := range guests {
		errs = append(errs, g.Close())
	}
	return errors.Join(errs...)
}

var validID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func check(s sandbox.Spec) error {
	if !validID.MatchString(s.ID) {
		return fmt.Errorf("invalid id %q", s.ID)
	}
	if len(s.Args) == 0 {
		return errors.New("no program")
	}
	for _, m := range s.Mounts {
		for _, p := range []string{m.Host, m.Inside} {
			if !filepath.IsAbs(p) || filepath.Clean(p) != p || strings.ContainsRune(p, 0) {
				return fmt.Errorf("invalid mount path %q", p)
			}
		}
	}
	return nil
}
