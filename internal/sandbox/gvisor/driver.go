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
	"github.com/mayfly-cloud/mayfly/internal/sandbox/cgroup"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/network"
)

// Config says how to run the driver.
type Config struct {
	// Dir is a directory of the driver's own. It stays empty: what the driver
	// keeps there only its launcher sees.
	Dir string
	// Cgroups bound sandboxes; without them there are no limits.
	Cgroups *cgroup.Root
	// Network connects sandboxes; without it there is no network for them. An
	// ordinary user's sandboxes have neither.
	Network *network.Network
	// Log gets what gVisor complains about; nil discards it.
	Log *slog.Logger
	// Verdict is a file in which the driver remembers what it has proved to work, so
	// that it need not at every start; empty proves each time.
	Verdict string
	// Exe is sandbox/cmd, linked statically and without the race detector.
	Exe string
}

// Driver runs sandboxes on gVisor.
type Driver struct {
	cfg   Config
	setup launch.Setup

	mu       sync.Mutex
	launcher *launch.Launcher
	guests   map[string]*guest
	closed   bool
}

var _ sandbox.Driver = (*Driver)(nil)

// New starts the driver. It proves that the machine can run it by running a
// sandbox, unless the verdict says so, and returns sandbox.ErrUnsupported with the reason if it can't.
func New(ctx context.Context, cfg Config) (*Driver, error) {
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
	d := &Driver{cfg: cfg, guests: make(map[string]*guest)}
	d.setup = launch.Setup{Dir: dir, Rootless: os.Geteuid() != 0}
	if cfg.Network != nil {
		d.setup.Gateway = cfg.Network.Gateway().String()
	}
	if d.setup.Rootless {
		d.cfg.Cgroups, d.cfg.Network = nil, nil
	}
	if err := d.choosePlatform(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", sandbox.ErrUnsupported, err), d.Close())
	}
	return d, nil
}

func (d *Driver) Info() sandbox.Info {
	i := sandbox.Info{Name: "gvisor", Detail: "own gVisor kernel (" + d.setup.Platform + ") for each sandbox, read-only root, no capabilities"}
	if d.setup.Rootless {
		i.Name = "gvisor-rootless"
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
	g := newGuest(s.ID, d, l)
	if err := g.start(ctx, s); err != nil {
		return nil, errors.Join(err, g.release())
	}
	if err := d.note(g); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// use returns the launcher, a new one if the last has ended.
func (d *Driver) use(ctx context.Context) (*launch.Launcher, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errors.New("driver is closed")
	}
	if d.launcher != nil {
		select {
		case <-d.launcher.Gone():
			d.launcher.Close()
			d.launcher = nil
		default:
			return d.launcher, nil
		}
	}
	l, err := d.startLauncher(ctx, d.setup.Platform)
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
		l.Close() // ends every sandbox at once
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
