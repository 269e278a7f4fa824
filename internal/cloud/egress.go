package cloud

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/network"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/resolver"
)

// hostNames is the file that names the machine's name servers.
const hostNames = "/etc/resolv.conf"

// ErrNoWayOut is why a node doesn't start where it can't let functions reach what
// it was told to.
var ErrNoWayOut = errors.New("functions can be let out of no sandbox here")

// openNetwork makes networks for sandboxes, where this user may.
func (n *Node) openNetwork(ctx context.Context) error {
	cfg, err := n.cfg.network()
	if err != nil {
		return err
	}
	n.network, err = network.New(ctx, cfg)
	leadsOut := cfg.Internet || len(cfg.Nets) > 0
	switch {
	case errors.Is(err, network.ErrUnavailable) && !leadsOut:
		n.cfg.Log.Debug("sandboxes get no network", "reason", err)
		return nil
	case errors.Is(err, network.ErrUnavailable):
		return fmt.Errorf("%w: %w", ErrNoWayOut, err)
	case err != nil:
		return fmt.Errorf("open networks: %w", err)
	}
	n.onClose(n.network.Close)
	if !leadsOut {
		return nil
	}
	blockers, err := network.Blockers()
	if err != nil {
		return err
	}
	if len(blockers) > 0 {
		n.cfg.Log.Warn("functions may not reach what was opened to them: another packet filter refuses by default", "chains", blockers)
	}
	return nil
}

// network is the configuration of sandboxes' networks.
func (c Config) network() (network.Config, error) {
	out := network.Config{Internet: c.Internet, Log: c.Log}
	for _, text := range c.AllowNet {
		net, err := network.ParseNet(text)
		if err != nil {
			return out, fmt.Errorf("allow network: %w", err)
		}
		out.Nets = append(out.Nets, net)
	}
	return out, nil
}

// openNames serves names to sandboxes: those of the node, and with the internet
// those of the machine's name servers.
func (n *Node) openNames(ctx context.Context) error {
	if n.network == nil {
		return nil
	}
	cfg := resolver.Config{Addr: n.network.Gateway(), Own: n.ownNames(), Reaches: n.network.Reaches, Log: n.cfg.Log}
	if n.cfg.Internet {
		cfg.Upstreams = resolver.HostFile(hostNames)
	}
	r, err := resolver.Listen(ctx, cfg)
	if err != nil {
		return fmt.Errorf("serve names: %w", err)
	}
	n.run("names", r.Run)
	return n.network.ServeNames(r.Ports())
}

// ownNames are the names that lead to the node, with all below them: what its
// virtual hosts end in. The rest of a domain that isn't the node's stays whose it is.
func (n *Node) ownNames() []string {
	names := []string{"host.mayfly.internal", "localhost"}
	for _, service := range []string{"lambda-url", "s3"} {
		names = append(names, strings.ToLower(service+"."+n.cfg.Region+"."+n.cfg.Domain))
	}
	return names
}

// reach is what functions can reach, for people.
func (n *Node) reach() []string {
	if n.network == nil && n.ports == nil {
		return nil
	}
	list := []string{"this node"}
	for _, target := range n.cfg.Allow {
		port, err := portOf(target)
		if err != nil {
			continue // refused at the start, with a reason
		}
		list = append(list, fmt.Sprintf("%s as host.mayfly.internal:%d", target, port))
	}
	list = append(list, n.cfg.AllowNet...)
	if n.cfg.Internet {
		list = append(list, "public addresses")
	}
	return list
}
