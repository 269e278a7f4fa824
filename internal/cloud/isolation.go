package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/mayfly-cloud/mayfly/internal/program"
	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/cgroup"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/gvisor"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/process"
)

// openIsolation opens control groups and networks where this user may have them,
// and the strongest driver that works here, or the one that was asked for.
func (n *Node) openIsolation(ctx context.Context) error {
	groups, err := cgroup.Open(n.cfg.Log)
	switch {
	case errors.Is(err, cgroup.ErrUnavailable):
		n.cfg.Log.Debug("sandboxes get no limits", "reason", err)
	case err != nil:
		return fmt.Errorf("open control groups: %w", err)
	default:
		n.onClose(groups.Close)
	}
	if err := n.openNetwork(ctx); err != nil {
		return err
	}
	if n.driver, err = n.openDriver(ctx, groups); err != nil {
		return err
	}
	n.onClose(n.driver.Close)
	return nil
}

// openDriver opens the driver that was asked for, or gVisor, or what works
// without it.
func (n *Node) openDriver(ctx context.Context, groups *cgroup.Root) (sandbox.Driver, error) {
	exe, err := program.Install(n.path("programs"), program.Sandbox)
	if err != nil {
		return nil, err
	}
	switch n.cfg.Sandbox {
	case "gvisor":
		return n.openGVisor(ctx, exe, groups)
	case "process":
		return n.openProcess(ctx, exe, groups)
	case "auto", "":
	default:
		return nil, fmt.Errorf("isolation %q is not one of gvisor, process and auto", n.cfg.Sandbox)
	}
	d, err := n.openGVisor(ctx, exe, groups)
	if !errors.Is(err, sandbox.ErrUnsupported) {
		return d, err
	}
	p, more := n.openProcess(ctx, exe, groups)
	if more != nil {
		return nil, errors.Join(err, more)
	}
	n.noGVisor = err
	n.cfg.Log.Warn("sandboxes are weaker than gVisor's: they share the host's kernel",
		"isolation", p.Info().Name, "without", p.Info().Weaker, "reason", err)
	return p, nil
}

func (n *Node) openGVisor(ctx context.Context, exe string, groups *cgroup.Root) (sandbox.Driver, error) {
	d, err := gvisor.New(ctx, gvisor.Config{
		Exe: exe, Dir: n.path("sandboxes"), Verdict: n.path("isolation.json"),
		Cgroups: groups, Network: n.network, Log: n.cfg.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("start gVisor: %w", err)
	}
	return d, nil
}

func (n *Node) openProcess(ctx context.Context, exe string, groups *cgroup.Root) (sandbox.Driver, error) {
	d, err := process.New(ctx, process.Config{Exe: exe, Dir: n.path("sandboxes"), Cgroups: groups, Network: n.network, Log: n.cfg.Log})
	if err != nil {
		return nil, fmt.Errorf("start process isolation: %w", err)
	}
	return d, nil
}

// insideEndpoint is AWS_ENDPOINT_URL as functions see it: at the gateway of the
// sandboxes' network, or at their own loopback; empty where neither leads here.
func (n *Node) insideEndpoint() string {
	switch {
	case n.ports != nil:
		return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(int(n.insidePort())))
	case n.network == nil:
		return ""
	}
	_, port, err := net.SplitHostPort(n.cfg.Listen)
	if err != nil {
		return "" // refused by listen, with a reason
	}
	return "http://" + net.JoinHostPort(n.network.Gateway().String(), port)
}
