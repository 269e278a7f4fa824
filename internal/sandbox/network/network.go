package network

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrUnavailable is what New returns where this process may not make networks.
var ErrUnavailable = errors.New("networks for sandboxes are not available")

// Config says how to make a node's network.
type Config struct {
	// Ports of the gateway address that sandboxes may connect to from the start.
	Ports []uint16
	// Internet has sandboxes reach public addresses, through the machine's own.
	Internet bool
	// Nets are destinations beyond the machine that sandboxes reach as well.
	Nets []Net
	// Ready is how many namespaces to keep made; 4 if zero.
	Ready int
	// Log gets why making one failed; nil discards it.
	Log *slog.Logger
}

// leadsOut says whether anything beyond the machine is open.
func (c Config) leadsOut() bool { return c.Internet || len(c.Nets) > 0 }

// opens says whether any address of a prefix is open.
func (c Config) opens(p netip.Prefix) bool {
	return c.Internet && !isClosed(p) || slices.ContainsFunc(c.Nets, func(n Net) bool { return n.Prefix.Overlaps(p) })
}

// Network is a node's network. Its methods are safe for concurrent use.
type Network struct {
	cfg  Config
	slot *slot
	log  *slog.Logger

	fresh  chan *fresh     // made, but not yet fit for packets
	ready  chan *Namespace // made ahead
	failed chan error      // why there are none; nothing is kept in it
	stop   chan struct{}

	watching sync.WaitGroup

	filterMu sync.Mutex
	filter   *filter
}

// New takes a slot, sets up its gateway and filter, and starts making namespaces.
func New(ctx context.Context, cfg Config) (*Network, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("%w: needs root", ErrUnavailable)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Ready <= 0 {
		cfg.Ready = 4
	}
	if len(cfg.Nets) > maxNets {
		return nil, fmt.Errorf("%d networks are allowed, more than %d", len(cfg.Nets), maxNets)
	}
	s, err := takeSlot(lockDir)
	if err != nil {
		return nil, err
	}
	n := &Network{
		cfg: cfg, slot: s, log: cfg.Log, fresh: make(chan *fresh, settling), ready: make(chan *Namespace, cfg.Ready),
		failed: make(chan error), stop: make(chan struct{}),
	}
	if err := n.setUp(); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrUnavailable, err), s.release())
	}
	started := make(chan error)
	go n.make(started)
	go n.settle()
	err = <-started
	if err == nil && cfg.leadsOut() {
		err = n.watch()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrUnavailable, err), n.Close())
	}
	return n, ctx.Err()
}

// Gateway is the address sandboxes reach the node at.
func (n *Network) Gateway() netip.Addr { return n.slot.gateway() }

// AllowPort lets sandboxes connect to one more port of the gateway address.
func (n *Network) AllowPort(port uint16) error {
	n.filterMu.Lock()
	defer n.filterMu.Unlock()
	return n.filter.allow(port)
}

// ServeNames leads the name server that sandboxes are told of, port 53 of the
// gateway address, to ports of that address where the node listens. It is called
// once.
func (n *Network) ServeNames(udp, tcp uint16) error {
	n.filterMu.Lock()
	defer n.filterMu.Unlock()
	return n.filter.serveNames(udp, tcp)
}

// Reaches says whether sandboxes can reach an address beyond the machine.
func (n *Network) Reaches(a netip.Addr) bool {
	a = a.Unmap()
	return a.Is4() && n.cfg.opens(netip.PrefixFrom(a, a.BitLen()))
}

// Leads says where the network leads, for people.
func (n *Network) Leads() string {
	if !n.cfg.leadsOut() {
		return "this node alone"
	}
	to := []string{"this node"}
	for _, net := range n.cfg.Nets {
		to = append(to, net.String())
	}
	if n.cfg.Internet {
		to = append(to, "public addresses")
	}
	return strings.Join(to, ", ")
}

// Take returns a namespace nobody else has.
func (n *Network) Take(ctx context.Context) (*Namespace, error) {
	select {
	case ns, ok := <-n.ready:
		if !ok {
			return nil, errors.New("network is closed")
		}
		return ns, nil
	case err := <-n.failed:
		return nil, fmt.Errorf("make network namespace: %w", err)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close removes everything, once the namespaces handed out have been released.
func (n *Network) Close() error {
	close(n.stop)
	for ns := range n.ready { // until settle has ended, which make ends before
		ns.Release()
	}
	n.watching.Wait()
	return n.tearDown()
}

// setUp makes the filter, after removing what a dead node left in this slot. It
// is there before anything it filters.
func (n *Network) setUp() error {
	if err := n.slot.sweep(); err != nil {
		return err
	}
	var err error
	n.filter, err = newFilter(n.slot, n.cfg)
	return err
}

// tearDownTimeout bounds the wait for the kernel to remove namespaces, which it
// does in the background, some 20 ms after the last user has gone.
const tearDownTimeout = 5 * time.Second

func (n *Network) tearDown() error {
	deadline := time.Now().Add(tearDownTimeout)
	for {
		left, err := n.slot.interfaces()
		if err != nil {
			return errors.Join(err, n.slot.release())
		}
		if len(left) == 0 || time.Now().After(deadline) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	return errors.Join(n.slot.sweep(), n.slot.release())
}

// make makes namespaces ahead of demand until the network is closed. It has one
// thread to itself: the only one of the node that is ever in another namespace.
func (n *Network) make(started chan<- error) {
	defer close(n.fresh)
	m, err := newMaker(n.slot, n.cfg.leadsOut())
	started <- err
	if err != nil {
		return
	}
	defer m.close()
	for {
		f, err := m.make()
		if err != nil {
			n.log.Warn("making a network namespace failed", "error", err)
			select {
			case n.failed <- err:
			case <-time.After(time.Second):
			case <-n.stop:
				return
			}
			continue
		}
		select {
		case n.fresh <- f:
		case <-n.stop:
			f.close()
			f.Release()
			return
		}
	}
}

// settle hands on namespaces once they are fit to be used.
func (n *Network) settle() {
	defer close(n.ready)
	for f := range n.fresh {
		f.wait(n.stop)
		f.close()
		select {
		case n.ready <- f.Namespace:
		case <-n.stop:
			f.Release()
		}
	}
}

// Namespace is a network for one sandbox.
type Namespace struct {
	addr netip.Addr
	mu   sync.Mutex
	file *os.File
}

// Addr is the sandbox's address.
func (ns *Namespace) Addr() netip.Addr { return ns.addr }

// File stands for the namespace: it can be entered through it, and lives at
// least as long as it. It is closed by Release.
func (ns *Namespace) File() *os.File { return ns.file }

// Release gives the namespace up. The kernel removes it once no process is in
// it. Idempotent.
func (ns *Namespace) Release() {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.file.Close() // a second time is refused, and that is all
}
