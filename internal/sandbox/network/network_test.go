package network_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/network"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) *network.Network {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	n, err := network.New(context.Background(), network.Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func shut(t *testing.T, n *network.Network) {
	t.Helper()
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

func take(t *testing.T, n *network.Network) *network.Namespace {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ns, err := n.Take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ns.Release)
	return ns
}

// inside runs f on a thread in the namespace.
func inside(t *testing.T, ns *network.Namespace, f func()) {
	t.Helper()
	within(t, ns.File(), f)
}

func within(t *testing.T, ns *os.File, f func()) {
	t.Helper()
	must(t, world.Within(ns, func() error { f(); return nil }))
}

// reach connects from the namespace with a blocking socket, since the runtime
// may move anything else to another thread.
func reach(t *testing.T, ns *network.Namespace, to netip.AddrPort) error {
	t.Helper()
	return reachFrom(t, ns.File(), to)
}

func reachFrom(t *testing.T, ns *os.File, to netip.AddrPort) error {
	t.Helper()
	var err error
	within(t, ns, func() {
		var fd int
		if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return
		}
		defer unix.Close(fd)
		wait := unix.Timeval{Usec: 300_000}
		if err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &wait); err == nil {
			err = unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())})
		}
	})
	return err
}

func listen(t *testing.T, addr string) uint16 {
	t.Helper()
	l, err := net.Listen("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

func TestOnlyTheNodesPortsAreReached(t *testing.T) {
	n := open(t)
	defer shut(t, n)
	gw := n.Gateway()
	open, other := listen(t, gw.String()+":0"), listen(t, gw.String()+":0")
	everywhere, loopback := listen(t, "0.0.0.0:0"), listen(t, "127.0.0.1:0")
	if err := n.AllowPort(open); err != nil {
		t.Fatal(err)
	}
	if err := n.AllowPort(everywhere); err != nil {
		t.Fatal(err)
	}
	ns, neighbour := take(t, n), take(t, n)
	defer ns.Release()
	defer neighbour.Release()
	host := hostAddr(t)
	for _, c := range []struct {
		name string
		to   netip.AddrPort
		want bool
	}{
		{"allowed port of the gateway", netip.AddrPortFrom(gw, open), true},
		{"another port of the gateway", netip.AddrPortFrom(gw, other), false},
		{"host loopback", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), loopback), false},
		{"host address, allowed port", netip.AddrPortFrom(host, everywhere), false},
		{"neighbour", netip.AddrPortFrom(neighbour.Addr(), open), false},
		{"the world", netip.MustParseAddrPort("192.0.2.1:80"), false},
	} {
		if err := reach(t, ns, c.to); (err == nil) != c.want {
			t.Errorf("%s: reached %v, want %v (%v)", c.name, err == nil, c.want, err)
		}
	}
}

// hostAddr is an address of the machine outside our networks.
func hostAddr(t *testing.T) netip.Addr {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		p := netip.MustParsePrefix(a.String())
		if p.Addr().Is4() && !p.Addr().IsLoopback() && !strings.HasPrefix(a.String(), "10.201.") {
			return p.Addr()
		}
	}
	return netip.MustParseAddr("198.51.100.1") // a machine without any: just unreachable
}

func TestNodesDontShare(t *testing.T) {
	a, b := open(t), open(t)
	defer shut(t, a)
	defer shut(t, b)
	if a.Gateway() == b.Gateway() {
		t.Errorf("both have %v", a.Gateway())
	}
	port := listen(t, b.Gateway().String()+":0")
	if err := b.AllowPort(port); err != nil {
		t.Fatal(err)
	}
	ns := take(t, a)
	defer ns.Release()
	if err := reach(t, ns, netip.AddrPortFrom(b.Gateway(), port)); err == nil {
		t.Error("a sandbox of one node reaches another node")
	}
}

func TestEverySandboxHasItsOwn(t *testing.T) {
	n := open(t)
	defer shut(t, n)
	const count = 40
	var wg sync.WaitGroup
	got := make(chan *network.Namespace, count)
	for range count {
		wg.Go(func() {
			if ns, err := n.Take(context.Background()); err != nil {
				t.Error(err)
			} else {
				got <- ns
			}
		})
	}
	wg.Wait()
	close(got)
	seen := make(map[netip.Addr]bool)
	for ns := range got {
		if seen[ns.Addr()] {
			t.Errorf("%v twice", ns.Addr())
		}
		seen[ns.Addr()] = true
		ns.Release()
		ns.Release()
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	n := open(t)
	before := interfaces(t, prefixOf(t, n))
	for range 3 {
		take(t, n).Release()
	}
	shut(t, n)
	for _, i := range before {
		if now, err := net.InterfaceByIndex(i.Index); err == nil {
			t.Errorf("left: %s", now.Name)
		}
	}
	if _, err := n.Take(context.Background()); err == nil {
		t.Error("Take after Close")
	}
}

// TestDeadNodesRestIsSwept leaves in the last slot what a killed node may.
func TestDeadNodesRestIsSwept(t *testing.T) {
	n := open(t)
	shut(t, n)
	const prefix = "mf31"
	if err := os.WriteFile("/run/mayfly/network-31", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	addInterface(t, prefix+"gw")
	addInterface(t, prefix+"v7")
	shut(t, open(t))
	if left := interfaces(t, prefix); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestTakeGivesUp(t *testing.T) {
	n := open(t)
	defer shut(t, n)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 20 { // ready ones may win the race
		ns, err := n.Take(ctx)
		if errors.Is(err, context.Canceled) {
			return
		}
		if err == nil {
			ns.Release()
		}
	}
	t.Error("never")
}

// prefixOf is what the names of a network's interfaces start with.
func prefixOf(t *testing.T, n *network.Network) string {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		addrs, _ := i.Addrs() // gone meanwhile: not it
		for _, a := range addrs {
			if strings.HasPrefix(a.String(), n.Gateway().String()+"/") {
				return strings.TrimSuffix(i.Name, "gw")
			}
		}
	}
	t.Fatal("no gateway interface")
	return ""
}

func interfaces(t *testing.T, prefix string) []net.Interface {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(i net.Interface) bool {
		return i.Name != prefix+"gw" && !strings.HasPrefix(i.Name, prefix+"v")
	})
}

func BenchmarkTake(b *testing.B) {
	n, err := network.New(context.Background(), network.Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		ns, err := n.Take(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		ns.Release()
	}
	b.StopTimer()
	if err := n.Close(); err != nil {
		b.Fatal(fmt.Errorf("close: %w", err))
	}
}
