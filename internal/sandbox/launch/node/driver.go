package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/cgroup"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/network"
)

// Config says how to run sandboxes.
type Config struct {
	// Exe is the launcher's binary, Name the argv[0] by which it knows its part,
	// and Env its whole environment.
	Exe, Name string
	Env       []string
	// Dir is a directory of the driver's own. It stays empty: what the driver
	// keeps there only its launcher sees.
	Dir string
	// Platform is gVisor's.
	Platform string
	// Cgroups bound sandboxes, and Network connects them; either may be missing. An
	// ordinary user's sandboxes have neither.
	Cgroups *cgroup.Root
	Network *network.Network
	// Bounds gives a sandbox's own bounds from those of its code; nil: the same.
	Bounds func(sandbox.Limits) sandbox.Limits
	// Log gets what the launcher complains about; nil discards it.
	Log *slog.Logger
}

// Driver keeps a launcher and the sandboxes it runs. Its methods are safe for
// concurrent use.
type Driver struct {
	cfg   Config
	setup launch.Setup

	mu       sync.Mutex
	launcher *launcher
	guests   map[string]*Guest
	closed   bool
}

// New makes a driver, whose launcher is started when it is needed.
func New(cfg Config) (*Driver, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("find sandbox directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, fmt.Errorf("make sandbox directory: %w", err)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	d := &Driver{cfg: cfg, guests: make(map[string]*Guest)}
	d.setup = launch.Setup{Dir: dir, Platform: cfg.Platform, Rootless: os.Geteuid() != 0}
	if cfg.Network != nil {
		d.setup.Gateway = cfg.Network.Gateway().String()
	}
	if d.setup.Rootless {
		d.cfg.Cgroups, d.cfg.Network = nil, nil
	}
	return d, nil
}

// Describe adds to what a driver says of itself who runs it, and what bounds and
// connects its sandboxes.
func (d *Driver) Describe(i sandbox.Info) sandbox.Info {
	if d.setup.Rootless {
		i.Name += "-rootless"
		i.Detail += ", run as an ordinary user"
	}
	if c := d.cfg.Cgroups; c != nil {
		i.Detail += ", bounded by cgroups " + c.Versions()
		i.Weaker = append(i.Weaker, c.Lacks()...)
	} else {
		i.Weaker = append(i.Weaker, "memory limit", "CPU limit")
	}
	if d.cfg.Network != nil {
		i.Detail += ", own network"
	} else {
		i.Weaker = append(i.Weaker, "own network")
	}
	return i
}

// Open starts the launcher.
func (d *Driver) Open(ctx context.Context) error {
	_, err := d.use(ctx)
	return err
}

// Prove has the launcher's binary answer on the control socket of a sandbox.
func (d *Driver) Prove(ctx context.Context, id string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	exe, err := filepath.EvalSymlinks(d.cfg.Exe)
	if err != nil {
		return fmt.Errorf("find sandbox program: %w", err)
	}
	l, err := d.use(ctx)
	if err != nil {
		return err
	}
	// A sandbox that hangs ends with its launcher, and every wait with it.
	stop := context.AfterFunc(ctx, l.kill)
	const inside = "/var/runtime/" + launch.ProbeName
	err = d.probe(ctx, sandbox.Spec{
		ID: id, Args: []string{inside}, Dir: "/", Mounts: []sandbox.Mount{{Host: exe, Inside: inside}},
	})
	if !stop() && err == nil {
		err = ctx.Err()
	}
	return err
}

func (d *Driver) probe(ctx context.Context, s sandbox.Spec) error {
	g, err := d.start(ctx, s)
	if err != nil {
		return err
	}
	said, err := io.ReadAll(io.LimitReader(g.Conn(), 64))
	if err := errors.Join(err, g.Close()); err != nil {
		return fmt.Errorf("run probe: %w", err)
	}
	if string(said) != launch.ProbeAnswer {
		return fmt.Errorf("probe answered %q, exit %+v", said, g.Exit())
	}
	return nil
}

// Start is what sandbox.Driver says of it.
func (d *Driver) Start(ctx context.Context, s sandbox.Spec) (*Guest, error) {
	g, err := d.start(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("start sandbox %s: %w", s.ID, err)
	}
	return g, nil
}

func (d *Driver) start(ctx context.Context, s sandbox.Spec) (*Guest, error) {
	if err := check(s); err != nil {
		return nil, err
	}
	l, err := d.use(ctx)
	if err != nil {
		return nil, err
	}
	g := &Guest{id: s.ID, driver: d, launcher: l, done: make(chan struct{}), attached: make(map[string]bool)}
	if err := g.start(ctx, s); err != nil {
		return nil, errors.Join(err, g.release())
	}
	if err := d.note(g); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
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
			d.launcher.close()
			d.launcher = nil
		default:
			return d.launcher, nil
		}
	}
	l, err := startLauncher(ctx, &d.cfg, d.setup)
	if err != nil {
		return nil, err
	}
	d.launcher = l
	return l, nil
}

func (d *Driver) note(g *Guest) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errors.New("driver is closed")
	}
	d.guests[g.id] = g
	return nil
}

func (d *Driver) forget(g *Guest) {
	d.mu.Lock()
	if d.guests[g.id] == g {
		delete(d.guests, g.id)
	}
	d.mu.Unlock()
}

// Close ends every sandbox and the launcher, and waits until they are gone.
func (d *Driver) Close() error {
	d.mu.Lock()
	d.closed = true
	l := d.launcher
	d.launcher = nil
	var guests []*Guest
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
