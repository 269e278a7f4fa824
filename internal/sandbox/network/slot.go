package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// How 10.201.0.0/16 is shared out: a /21 to each node on the machine, in which
// the first address is the gateway's and the others the sandboxes'.
const (
	slots    = 32
	slotBits = 21
	perSlot  = 1<<(32-slotBits) - 2 // without the first and the last
)

// lockDir holds the locks of the machine's slots, which all its nodes share.
const lockDir = "/run/mayfly"

var network = netip.AddrFrom4([4]byte{10, 201, 0, 0})

// slot is a node's number on its machine.
type slot struct {
	n    int
	lock *os.File
}

// takeSlot takes the lowest free one and cleans up the other free ones.
func takeSlot(dir string) (*slot, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make lock directory: %w", err)
	}
	var mine *slot
	var errs []error
	for n := range slots {
		s, err := lockSlot(dir, n, mine == nil)
		if err != nil {
			return nil, errors.Join(err, mine.release())
		}
		switch {
		case s == nil: // taken, or never used
		case mine == nil:
			mine = s
		default:
			errs = append(errs, s.sweep(), s.release())
		}
	}
	if mine == nil {
		return nil, fmt.Errorf("all %d networks of the machine are taken", slots)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, mine.release())
	}
	return mine, nil
}

// lockSlot returns nil if another process has it, or if it isn't there and
// shouldn't be made.
func lockSlot(dir string, n int, make bool) (*slot, error) {
	flags := os.O_RDWR
	if make {
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(filepath.Join(dir, "network-"+strconv.Itoa(n)), flags, 0o600)
	if !make && errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open network lock: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, nil
		}
		return nil, fmt.Errorf("lock network: %w", err)
	}
	return &slot{n: n, lock: f}, nil
}

func (s *slot) release() error {
	if s == nil {
		return nil
	}
	return s.lock.Close()
}

// tablePrefix is what the names of all slots' tables start with.
const tablePrefix = "mayfly-"

func (s *slot) tableName() string        { return tablePrefix + strconv.Itoa(s.n) }
func (s *slot) gatewayName() string      { return fmt.Sprintf("mf%dgw", s.n) }
func (s *slot) vethPrefix() string       { return fmt.Sprintf("mf%dv", s.n) }
func (s *slot) vethName(host int) string { return s.vethPrefix() + strconv.Itoa(host) }
func (s *slot) gateway() netip.Addr      { return s.addr(1) }
func (s *slot) subnet() netip.Prefix     { return netip.PrefixFrom(s.addr(0), slotBits) }

// addr is the address of a host in the slot's subnet; 1 is the gateway.
func (s *slot) addr(host int) netip.Addr {
	a := network.As4()
	n := s.n<<(32-slotBits) | host
	a[2], a[3] = byte(n>>8), byte(n)
	return netip.AddrFrom4(a)
}

// interfaces lists the slot's on this machine.
func (s *slot) interfaces() ([]netlink.Link, error) {
	all, err := netlink.LinkList()
	for try := 0; errors.Is(err, netlink.ErrDumpInterrupted) && try < 100; try++ {
		all, err = netlink.LinkList() // interfaces came or went meanwhile
	}
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	var mine []netlink.Link
	for _, l := range all {
		name := l.Attrs().Name
		if name == s.gatewayName() || strings.HasPrefix(name, s.vethPrefix()) {
			mine = append(mine, l)
		}
	}
	return mine, nil
}

// sweep removes whatever the slot has on this machine.
func (s *slot) sweep() error {
	left, err := s.interfaces()
	if err != nil {
		return err
	}
	for _, l := range left {
		if err := netlink.LinkDel(l); err != nil && !isGone(err) {
			return fmt.Errorf("remove interface %s: %w", l.Attrs().Name, err)
		}
	}
	if err := s.restore(); err != nil {
		return err
	}
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open packet filter: %w", err)
	}
	// Removing what isn't there is an error, so it is made first.
	c.DelTable(c.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: s.tableName()}))
	if err := c.Flush(); err != nil {
		return fmt.Errorf("remove packet filter: %w", err)
	}
	return nil
}

func isGone(err error) bool {
	return errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT) || errors.As(err, &netlink.LinkNotFoundError{})
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
