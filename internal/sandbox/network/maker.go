package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// maker makes namespaces on a thread of its own.
type maker struct {
	slot   *slot
	home   *os.File // the node's own namespace
	anchor *os.File // one that holds the far end of the gateway
	out    bool     // whether sandboxes reach beyond the machine
	next   int      // the host number to try next
}

// newMaker makes the gateway. It locks the goroutine to its thread until close.
func newMaker(s *slot, out bool) (*maker, error) {
	runtime.LockOSThread()
	home, err := currentNamespace()
	if err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	m := &maker{slot: s, home: home, out: out}
	if err := m.makeGateway(); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *maker) close() {
	m.anchor.Close() // closing nothing, where there is none, does nothing
	m.home.Close()
	runtime.UnlockOSThread()
}

// makeGateway makes the interface with the node's address: one end of a pair
// whose other end is nowhere, so that it goes when the node does.
func (m *maker) makeGateway() error {
	anchor, h, err := m.newNamespace()
	if err != nil {
		return err
	}
	h.Close()
	m.anchor = anchor
	v := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: m.slot.gatewayName()},
		PeerName:  "far", PeerNamespace: netlink.NsFd(anchor.Fd()),
	}
	if err := netlink.LinkAdd(v); err != nil {
		return fmt.Errorf("make gateway interface: %w", err)
	}
	if err := withoutIPv6(v.Name); err != nil {
		return err
	}
	addr := &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(m.slot.gateway(), 32))}
	if err := netlink.AddrAdd(v, addr); err != nil {
		return fmt.Errorf("set gateway address: %w", err)
	}
	if err := netlink.LinkSetUp(v); err != nil {
		return fmt.Errorf("start gateway interface: %w", err)
	}
	return nil
}

// make makes a namespace with an interface on the node's network. Numbers go
// round, so that one is used again long after its last user has gone.
func (m *maker) make() (*fresh, error) {
	for range perSlot {
		m.next = m.next%(perSlot-1) + 1
		f, err := m.makeHost(m.next + 1)
		if errors.Is(err, unix.EEXIST) {
			continue
		}
		return f, err
	}
	return nil, fmt.Errorf("all %d addresses are taken", perSlot-1)
}

func (m *maker) makeHost(host int) (_ *fresh, err error) {
	file, inside, err := m.newNamespace()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			inside.Close()
			file.Close() // and with it the interfaces
		}
	}()
	addr := m.slot.addr(host)
	v := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: m.slot.vethName(host), HardwareAddr: mac(addr, 1), TxQLen: 1000},
		PeerName:  "eth0", PeerHardwareAddr: mac(addr, 2), PeerNamespace: netlink.NsFd(file.Fd()),
	}
	if err := netlink.LinkAdd(v); err != nil {
		return nil, fmt.Errorf("make interface: %w", err)
	}
	if err := m.outer(v, addr); err != nil {
		return nil, err
	}
	if err := m.inner(inside, addr, v.HardwareAddr); err != nil {
		return nil, err
	}
	return &fresh{Namespace: &Namespace{addr: addr, file: file}, inside: inside, outer: v.Index}, nil
}

// outer starts the node's end and leads the sandbox's address, and no other, to it.
func (m *maker) outer(v *netlink.Veth, addr netip.Addr) error {
	if err := withoutIPv6(v.Name); err != nil {
		return err
	}
	if err := setForwarding(v.Name, m.out); err != nil { // on a router, it would be on
		return err
	}
	if err := netlink.LinkSetUp(v); err != nil {
		return fmt.Errorf("start interface: %w", err)
	}
	route := &netlink.Route{
		LinkIndex: v.Index, Dst: ipNet(netip.PrefixFrom(addr, 32)),
		Scope: netlink.SCOPE_LINK, Src: m.slot.gateway().AsSlice(),
	}
	if err := netlink.RouteAdd(route); err != nil {
		return fmt.Errorf("add route to sandbox: %w", err)
	}
	return nil
}

// inner configures the sandbox's end. The gateway's hardware address is given,
// so that the first packet needn't ask for it. It is the only neighbour there is:
// whatever else a sandbox sends goes there, to be refused.
func (m *maker) inner(h *netlink.Handle, addr netip.Addr, gateway net.HardwareAddr) error {
	lo, err := h.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find loopback: %w", err)
	}
	eth, err := h.LinkByName("eth0")
	if err != nil {
		return fmt.Errorf("find interface inside: %w", err)
	}
	index, gw := eth.Attrs().Index, m.slot.gateway().AsSlice()
	steps := []func() error{
		func() error { return h.LinkSetUp(lo) },
		func() error {
			return h.AddrAdd(eth, &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(addr, addr.BitLen()))})
		},
		func() error { return h.LinkSetUp(eth) },
		func() error {
			return h.NeighAdd(&netlink.Neigh{
				LinkIndex: index, IP: gw, HardwareAddr: gateway, State: netlink.NUD_PERMANENT,
			})
		},
		func() error {
			there := ipNet(netip.PrefixFrom(m.slot.gateway(), addr.BitLen()))
			return h.RouteAdd(&netlink.Route{LinkIndex: index, Dst: there, Scope: netlink.SCOPE_LINK})
		},
		func() error { return h.RouteAdd(&netlink.Route{LinkIndex: index, Gw: gw}) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("configure interface inside: %w", err)
		}
	}
	return nil
}

// newNamespace makes one, with a netlink handle in it, and comes back.
func (m *maker) newNamespace() (*os.File, *netlink.Handle, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, nil, fmt.Errorf("make namespace: %w", err)
	}
	file, err := currentNamespace()
	var inside *netlink.Handle
	if err == nil {
		if err = withoutIPv6("all"); err == nil {
			inside, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		}
	}
	if back := unix.Setns(int(m.home.Fd()), unix.CLONE_NEWNET); back != nil {
		err = errors.Join(err, fmt.Errorf("come back from namespace: %w", back))
	}
	if err != nil {
		if inside != nil {
			inside.Close()
		}
		if file != nil {
			file.Close()
		}
		return nil, nil, err
	}
	return file, inside, nil
}

func currentNamespace() (*os.File, error) {
	f, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("open namespace: %w", err)
	}
	return f, nil
}

// withoutIPv6 keeps an interface of the current namespace silent in IPv6.
func withoutIPv6(name string) error {
	err := os.WriteFile(filepath.Join("/proc/sys/net/ipv6/conf", name, "disable_ipv6"), []byte("1"), 0)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("disable IPv6: %w", err)
	}
	return nil
}

// mac makes a locally administered hardware address out of an address.
func mac(a netip.Addr, side byte) net.HardwareAddr {
	b := a.As4()
	return net.HardwareAddr{2, side, b[0], b[1], b[2], b[3]}
}
