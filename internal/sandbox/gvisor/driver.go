package gvisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/cgroup"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch/node"
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
	platform string
	node     *node.Driver
}

var _ sandbox.Driver = (*Driver)(nil)

// New starts the driver. It proves that the machine can run it by running a
// sandbox, unless the verdict says so, and returns sandbox.ErrUnsupported with the reason if it can't.
func New(ctx context.Context, cfg Config) (*Driver, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	on := make(platforms)
	for _, p := range []string{kvm, systrap} {
		d, err := node.New(node.Config{
			Exe: cfg.Exe, Name: launch.LauncherName,
			// The variable keeps runsc from looking for other binaries.
			Env: []string{"GVISOR_SIDECAR_BINARIES_DIR=/proc/none", "PATH=/usr/bin:/bin"},
			Dir: cfg.Dir, Platform: p, Cgroups: cfg.Cgroups, Network: cfg.Network, Bounds: bounds, Log: cfg.Log,
		})
		if err != nil {
			return nil, err
		}
		on[p] = d
	}
	platform, err := on.choose(ctx, &cfg)
	if err == nil {
		err = on.closeBut(platform)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", sandbox.ErrUnsupported, err), on.closeBut(""))
	}
	return &Driver{platform: platform, node: on[platform]}, nil
}

func (d *Driver) Info() sandbox.Info {
	return d.node.Describe(sandbox.Info{
		Name: "gvisor", Detail: "own gVisor kernel (" + d.platform + ") for each sandbox, read-only root, no capabilities",
	})
}

func (d *Driver) Start(ctx context.Context, s sandbox.Spec) (sandbox.Sandbox, error) {
	g, err := d.node.Start(ctx, s)
	if err != nil {
		return nil, err
	}
	return &guest{Guest: g}, nil
}

func (d *Driver) Close() error { return d.node.Close() }

// overhead is what gVisor itself takes of a sandbox's memory: its kernel and
// the file server, measured at 20 MiB and grown by what a program does. Usage
// leaves it in: what a kernel takes while it boots, 12 MiB, is charged to the
// launcher, and the rest is less than the program's.
const overhead = 28 << 20

func bounds(l sandbox.Limits) sandbox.Limits {
	if l.MemoryBytes > 0 {
		l.MemoryBytes += overhead
	}
	if l.Processes > 0 {
		// The bound on the code's processes is kept inside. On the host every
		// one of them is several threads, and hitting this one kills the sandbox.
		l.Processes = 1024 + 8*l.Processes
	}
	return l
}

// guest is one sandbox, as its node sees it.
type guest struct {
	*node.Guest

	pausing sync.Mutex
	paused  bool
}

var _ sandbox.Sandbox = (*guest)(nil)

func (g *guest) Freeze() error { return g.pause(true) }

func (g *guest) Thaw() error { return g.pause(false) }

// pause stops the guest or lets it go on, once for each.
func (g *guest) pause(stop bool) error {
	g.pausing.Lock()
	defer g.pausing.Unlock()
	if g.paused == stop {
		return nil
	}
	if _, err := g.Ask(launch.Request{Pause: stop, Resume: !stop}); err != nil {
		return fmt.Errorf("pause sandbox %s (%t): %w", g.ID(), stop, err)
	}
	g.paused = stop
	return nil
}
