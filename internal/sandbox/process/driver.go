package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/cgroup"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch/node"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/network"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/process/launcher"
)

// Config says how to run the driver.
type Config struct {
	// Dir is a directory of the driver's own. It stays empty: what the driver
	// keeps there only its launcher sees.
	Dir string
	// Cgroups bound sandboxes; without them memory and processor time have no
	// limit. Network connects sandboxes. An ordinary user's have neither.
	Cgroups *cgroup.Root
	Network *network.Network
	// Log gets what the launcher complains about; nil discards it.
	Log *slog.Logger
	// Exe is sandbox/cmd.
	Exe string
}

// Driver runs sandboxes as processes of the host's kernel.
type Driver struct{ node *node.Driver }

var _ sandbox.Driver = (*Driver)(nil)

const probeTimeout = 10 * time.Second

// New starts the driver. It proves that the machine can run it by running a
// sandbox, and returns sandbox.ErrUnsupported with the reason if it can't.
func New(ctx context.Context, cfg Config) (*Driver, error) {
	n, err := node.New(node.Config{
		Exe: cfg.Exe, Name: launcher.Name, Env: []string{},
		Dir: cfg.Dir, Cgroups: cfg.Cgroups, Network: cfg.Network, Log: cfg.Log,
	})
	if err != nil {
		return nil, err
	}
	if err := n.Prove(ctx, "probe", probeTimeout); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", sandbox.ErrUnsupported, err), n.Close())
	}
	return &Driver{node: n}, nil
}

func (d *Driver) Info() sandbox.Info {
	i := sandbox.Info{
		Name:   "process",
		Detail: "namespaces and a system call filter around processes of the host's kernel, read-only root, no capabilities",
		Weaker: []string{"own kernel"},
	}
	if !launcher.HasLandlock() {
		i.Weaker = append(i.Weaker, "Landlock")
	}
	i = d.node.Describe(i)
	i.Weaker = slices.DeleteFunc(i.Weaker, func(l string) bool {
		return l == "freezing" || l == "process limit" // done without cgroups
	})
	return i
}

func (d *Driver) Start(ctx context.Context, s sandbox.Spec) (sandbox.Sandbox, error) {
	if len(s.Args) > 0 && !filepath.IsAbs(s.Args[0]) {
		return nil, fmt.Errorf("start sandbox %s: no program", s.ID)
	}
	g, err := d.node.Start(ctx, s)
	if err != nil {
		return nil, err
	}
	p := &guest{Guest: g, pid: pidOf(g.Pidfd())}
	if c := g.Group(); c != nil && c.CanFreeze() {
		p.freezer = c
	}
	return p, nil
}

func (d *Driver) Close() error { return d.node.Close() }

// guest is one sandbox, as its node sees it.
type guest struct {
	*node.Guest
	freezer *cgroup.Group // nil where there is none
	pid     int           // of the program, as this process counts
}

var _ sandbox.Sandbox = (*guest)(nil)

func (g *guest) Freeze() error {
	if g.freezer != nil {
		return g.freezer.Freeze()
	}
	return g.bySignal(stop)
}

func (g *guest) Thaw() error {
	if g.freezer != nil {
		return g.freezer.Thaw()
	}
	return g.bySignal(resume)
}

// bySignal freezes or thaws where there is no freezer. What has ended, and may
// have left its number to another process, is left alone.
func (g *guest) bySignal(do func(pid int) error) error {
	select {
	case <-g.Done():
		return nil
	default:
	}
	if g.pid < 1 {
		return nil // gone before its number was known
	}
	return do(g.pid)
}
