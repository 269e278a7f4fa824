package network

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Uplinks are the interfaces by which sandboxes' packets leave the machine. The
// kernel sends on what arrives at an interface only if forwarding is on there:
// at the sandboxes' own, which is nobody else's business, and at the uplink, for
// the answers. It is turned on at uplinks alone, never for the whole machine.
//
// Where it was off, the slot's set of uplinks says so before it is turned on, in
// the kernel, where it lives exactly as long as what it tells of; it is turned off
// again by whoever removes the slot's table, unless another node's table names
// the interface too. As long as it is named, nothing but answers to sandboxes is
// sent on from there: a machine that was no router becomes none, not even once
// its node was killed.
const uplinksName = "uplinks"

// forwardLockTimeout bounds the wait for other nodes' changes, a millisecond each.
const forwardLockTimeout = 5 * time.Second

// adjust turns forwarding on where packets to what the configuration opens leave
// by now, and off where they no longer do.
func (n *Network) adjust() error {
	unlock, err := lockForwarding()
	if err != nil {
		return err
	}
	defer unlock()
	want, err := n.leavesBy()
	if err != nil {
		return err
	}
	mine, others, err := uplinksOf(n.slot)
	if err != nil {
		return err
	}
	everywhere, err := forwards("all")
	if err != nil {
		return err
	}
	for name := range want {
		on, err := forwards(name)
		switch {
		case errors.Is(err, fs.ErrNotExist): // gone meanwhile
			continue
		case err != nil:
			return err
		case on && mine[name] && everywhere: // somebody made the machine a router
			err = n.filter.mark(name, false)
		case on && (mine[name] || !others[name]): // done, or not our doing
		default:
			if err = n.filter.mark(name, true); err == nil {
				err = setForwarding(name, true)
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		delete(mine, name)
	}
	for name := range mine {
		if err := errors.Join(turnOff(name, others, everywhere), n.filter.mark(name, false)); err != nil {
			return err
		}
	}
	return nil
}

// leavesBy names the interfaces that routes to what is open lead to.
func (n *Network) leavesBy() (map[string]bool, error) {
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	for try := 0; errors.Is(err, netlink.ErrDumpInterrupted) && try < 100; try++ {
		routes, err = netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	}
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	links := map[int]bool{}
	for _, r := range routes {
		if r.Type != unix.RTN_UNICAST || !n.cfg.opens(destination(r)) {
			continue
		}
		links[r.LinkIndex] = true
		for _, hop := range r.MultiPath {
			links[hop.LinkIndex] = true
		}
	}
	names := map[string]bool{}
	for index := range links {
		if i, err := net.InterfaceByIndex(index); err == nil && i.Flags&net.FlagLoopback == 0 { // or gone meanwhile
			names[i.Name] = true
		}
	}
	return names, nil
}

func destination(r netlink.Route) netip.Prefix {
	if r.Dst == nil {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	a, _ := netip.AddrFromSlice(r.Dst.IP.To4())
	bits, _ := r.Dst.Mask.Size()
	return netip.PrefixFrom(a, bits)
}

// uplinksOf reads whose doing forwarding is: a slot's, and other slots'.
func uplinksOf(s *slot) (mine, others map[string]bool, err error) {
	c, err := nftables.New()
	if err != nil {
		return nil, nil, fmt.Errorf("open packet filter: %w", err)
	}
	tables, err := c.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		return nil, nil, fmt.Errorf("list packet filters: %w", err)
	}
	mine, others = map[string]bool{}, map[string]bool{}
	for _, t := range tables {
		if !strings.HasPrefix(t.Name, tablePrefix) {
			continue
		}
		var elements []nftables.SetElement
		set, err := c.GetSetByName(t, uplinksName)
		if err == nil {
			elements, err = c.GetSetElements(set)
		}
		if errors.Is(err, unix.ENOENT) { // gone meanwhile
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read uplinks of %s: %w", t.Name, err)
		}
		in := others
		if t.Name == s.tableName() {
			in = mine
		}
		for _, e := range elements {
			in[strings.TrimRight(string(e.Key), "\x00")] = true
		}
	}
	return mine, others, nil
}

// restore turns forwarding off where it is the slot's doing.
func (s *slot) restore() error {
	unlock, err := lockForwarding()
	if err != nil {
		return err
	}
	defer unlock()
	mine, others, err := uplinksOf(s)
	if err != nil || len(mine) == 0 {
		return err
	}
	everywhere, err := forwards("all")
	if err != nil {
		return err
	}
	for name := range mine {
		if err := turnOff(name, others, everywhere); err != nil {
			return err
		}
	}
	return nil
}

func turnOff(name string, others map[string]bool, everywhere bool) error {
	if others[name] || everywhere {
		return nil
	}
	if err := setForwarding(name, false); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil // the interface is gone
}

// mark puts an interface in the set of uplinks, or takes it out.
func (f *filter) mark(name string, in bool) error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open packet filter: %w", err)
	}
	key := make([]byte, unix.IFNAMSIZ)
	copy(key, name)
	change := c.SetDeleteElements
	if in {
		change = c.SetAddElements
	}
	if err := change(f.uplinks, []nftables.SetElement{{Key: key}}); err != nil {
		return fmt.Errorf("mark uplink %s: %w", name, err)
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("mark uplink %s: %w", name, err)
	}
	return nil
}

// lockForwarding keeps the machine's other nodes from changing uplinks.
func lockForwarding() (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(lockDir, "forwarding"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open forwarding lock: %w", err)
	}
	for deadline := time.Now().Add(forwardLockTimeout); ; time.Sleep(5 * time.Millisecond) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) || time.Now().After(deadline) {
			f.Close()
			return nil, fmt.Errorf("lock forwarding: %w", err)
		}
	}
}

func forwardingFile(name string) string {
	return filepath.Join("/proc/sys/net/ipv4/conf", name, "forwarding")
}

func forwards(name string) (bool, error) {
	b, err := os.ReadFile(forwardingFile(name))
	if err != nil {
		return false, fmt.Errorf("read forwarding: %w", err)
	}
	return strings.TrimSpace(string(b)) == "1", nil
}

func setForwarding(name string, on bool) error {
	text := "0"
	if on {
		text = "1"
	}
	if err := os.WriteFile(forwardingFile(name), []byte(text), 0); err != nil {
		return fmt.Errorf("set forwarding: %w", err)
	}
	return nil
}
