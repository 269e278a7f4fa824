package network_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/network"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest/world"
)

// openWith is open, of a configuration.
func openWith(t *testing.T, cfg network.Config) *network.Network {
	t.Helper()
	cfg.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	n, err := network.New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// ask sends a packet from the namespace and waits for the answer.
func ask(t *testing.T, ns *network.Namespace, to netip.AddrPort) error {
	t.Helper()
	var err error
	inside(t, ns, func() {
		var fd int
		if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return
		}
		defer unix.Close(fd)
		wait := unix.Timeval{Usec: 300_000}
		if err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
			return
		}
		if err = unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}); err != nil {
			return
		}
		if _, err = unix.Write(fd, []byte("hello?")); err != nil {
			return
		}
		b := make([]byte, 64)
		var k int
		if k, err = unix.Read(fd, b); err == nil && !bytes.Equal(b[:k], []byte("hello")) {
			err = errors.New(string(b[:k]))
		}
	})
	return err
}

func TestWhereNetworksLead(t *testing.T) {
	if !world.Enter(t) {
		return
	}
	parse := func(s string) network.Net {
		n, err := network.ParseNet(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, c := range []struct {
		name string
		cfg  network.Config
		want []netip.Addr
	}{
		{"nowhere", network.Config{}, nil},
		{"to the internet", network.Config{Internet: true}, []netip.Addr{world.Public}},
		{"to a network", network.Config{Nets: []network.Net{parse("172.20.0.0/16")}}, []netip.Addr{world.Database}},
		{"to a port", network.Config{Nets: []network.Net{parse("172.20.0.5:8080")}}, []netip.Addr{world.Database}},
		{"to another port", network.Config{Nets: []network.Net{parse("172.20.0.5:5432")}}, nil},
		{"to the machine's own network", network.Config{Nets: []network.Net{parse("192.168.77.0/24")}}, []netip.Addr{world.Router}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := openWith(t, c.cfg)
			defer shut(t, n)
			port := listen(t, "0.0.0.0:0")
			if err := n.AllowPort(port); err != nil {
				t.Fatal(err)
			}
			ns, neighbour := take(t, n), take(t, n)
			defer neighbour.Release()
			if err := reach(t, ns, netip.AddrPortFrom(n.Gateway(), port)); err != nil {
				t.Error("the node itself:", err)
			}
			ns.Release()
			for _, a := range []netip.Addr{
				world.Public, world.Private, world.Database, world.Metadata, world.Router, world.Machine, neighbour.Addr(), n.Gateway(),
				netip.MustParseAddr("192.168.77.255"), netip.MustParseAddr("255.255.255.255"), netip.MustParseAddr("224.0.0.1"),
			} {
				to := netip.AddrPortFrom(a, world.Port)
				if a == world.Machine {
					to = netip.AddrPortFrom(a, port)
				}
				for how, try := range map[string]func(*testing.T, *network.Namespace, netip.AddrPort) error{"TCP": reach, "UDP": ask} {
					ns := take(t, n) // another for each: the kernel refuses a sender's packets six times, then once a second
					err := try(t, ns, to)
					ns.Release()
					switch {
					case slices.Contains(c.want, a):
						if err != nil {
							t.Errorf("%s to %s: %v", how, to, err)
						}
					case a.IsMulticast() || strings.HasSuffix(a.String(), ".255"):
						if err == nil {
							t.Errorf("%s reached %s", how, to)
						}
					case !errors.Is(err, unix.ECONNREFUSED):
						t.Errorf("%s to %s: %v, want it refused at once", how, to, err)
					}
				}
			}
			if on := forwarding(t, "eth0"); on != (len(c.want) > 0 || len(c.cfg.Nets) > 0) {
				t.Errorf("forwarding at the uplink: %v", on)
			}
			if forwarding(t, "all") || forwarding(t, "lo") {
				t.Error("the machine is a router")
			}
		})
		if forwarding(t, "eth0") {
			t.Errorf("%s: forwarding is left on", c.name)
		}
	}
}

// Two nodes have the same uplink, which goes with the last; a third is killed, and
// what it leaves is removed by the next.
func TestForwardingIsLeftAsItWas(t *testing.T) {
	if !world.Enter(t) {
		return
	}
	a, b := openWith(t, network.Config{Internet: true}), openWith(t, network.Config{Internet: true})
	shut(t, a)
	ns := take(t, b)
	if err := reach(t, ns, netip.AddrPortFrom(world.Public, world.Port)); err != nil {
		t.Error("after another node's end:", err)
	}
	ns.Release()
	shut(t, b)
	if forwarding(t, "eth0") {
		t.Error("left on by the last")
	}

	leaveBehind(t, "eth0")
	shut(t, openWith(t, network.Config{}))
	if forwarding(t, "eth0") {
		t.Error("left on by a killed node's successor")
	}
	for _, table := range tables(t) {
		t.Errorf("left: %s", table)
	}

	// Somebody else's doing is left alone.
	set(t, "eth0", true)
	shut(t, openWith(t, network.Config{Internet: true}))
	if !forwarding(t, "eth0") {
		t.Error("turned off what it didn't turn on")
	}
	set(t, "eth0", false)
	c := openWith(t, network.Config{Internet: true})
	set(t, "all", true)
	eventually(t, "the machine's routing is nobody's business", func() bool { return len(uplinks(t)) == 0 })
	shut(t, c)
	if !forwarding(t, "eth0") {
		t.Error("turned off what became everybody's")
	}
}

// leaveBehind does to the last slot what a killed node does.
func leaveBehind(t *testing.T, uplink string) {
	t.Helper()
	if err := os.WriteFile("/run/mayfly/network-31", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	table := c.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "mayfly-31"})
	key := make([]byte, unix.IFNAMSIZ)
	copy(key, uplink)
	err = c.AddSet(&nftables.Set{Table: table, Name: "uplinks", KeyType: nftables.TypeIFName}, []nftables.SetElement{{Key: key}})
	if err := errors.Join(err, c.Flush()); err != nil {
		t.Fatal(err)
	}
	set(t, uplink, true)
}

func tables(t *testing.T) []string {
	t.Helper()
	c, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.ListTables()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, x := range all {
		names = append(names, x.Name)
	}
	return names
}

// uplinks are those that any node's table names.
func uplinks(t *testing.T) []nftables.SetElement {
	t.Helper()
	c, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	var all []nftables.SetElement
	for _, name := range tables(t) {
		s, err := c.GetSetByName(&nftables.Table{Family: nftables.TableFamilyINet, Name: name}, "uplinks")
		if err != nil {
			t.Fatal(err)
		}
		l, err := c.GetSetElements(s)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l...)
	}
	return all
}

func forwarding(t *testing.T, name string) bool {
	t.Helper()
	b, err := os.ReadFile("/proc/sys/net/ipv4/conf/" + name + "/forwarding")
	if err != nil {
		t.Fatal(err)
	}
	return string(b) == "1\n"
}

func set(t *testing.T, name string, on bool) {
	t.Helper()
	text := "0"
	if on {
		text = "1"
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/conf/"+name+"/forwarding", []byte(text), 0); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: ", what)
		}
	}
}

func TestUplinksComeAndGo(t *testing.T) {
	if !world.Enter(t) {
		return
	}
	n := openWith(t, network.Config{Internet: true})
	t.Cleanup(func() { shut(t, n) }) // after all that is in it
	out := &netlink.Route{Gw: world.Router.AsSlice()}
	if err := netlink.RouteDel(out); err != nil {
		t.Fatal(err)
	}
	eventually(t, "forwarding ends with the way out", func() bool { return !forwarding(t, "eth0") && len(uplinks(t)) == 0 })
	if err := netlink.RouteAdd(out); err != nil {
		t.Fatal(err)
	}
	eventually(t, "forwarding comes with a way out", func() bool { return forwarding(t, "eth0") })
	if err := reach(t, take(t, n), netip.AddrPortFrom(world.Public, world.Port)); err != nil {
		t.Error(err)
	}
}

// A machine of which a node makes use as a way out does not become one for others,
// nor a way in.
func TestTheMachineBecomesNoRouter(t *testing.T) {
	if !world.Enter(t) {
		return
	}
	inside := netip.MustParseAddr("172.31.0.2")
	lan, err := world.Elsewhere(func() error { return nil })
	must(t, err)
	defer lan.Close()
	must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "lan0"}, PeerName: "eth0", PeerNamespace: netlink.NsFd(lan.Fd())}))
	must(t, world.Address("lan0", netip.MustParseAddr("172.31.0.1")))
	must(t, world.Within(lan, func() error {
		if err := world.Address("eth0", inside); err != nil {
			return err
		}
		if err := netlink.RouteAdd(&netlink.Route{Gw: net.IPv4(172, 31, 0, 1)}); err != nil {
			return err
		}
		return world.Greet(t, netip.AddrPortFrom(inside, world.Port))
	}))
	must(t, world.Within(world.Internet, func() error {
		return netlink.RouteAdd(&netlink.Route{Gw: world.Machine.AsSlice()}) // for all that it hasn't got
	}))
	to := netip.AddrPortFrom(inside, world.Port)
	set(t, "eth0", true)
	set(t, "lan0", true)
	if err := reachFrom(t, world.Internet, to); err != nil {
		t.Fatal("a router leads nowhere: ", err)
	}
	set(t, "eth0", false)
	set(t, "lan0", false)

	n := openWith(t, network.Config{Internet: true})
	t.Cleanup(func() { shut(t, n) }) // after all that is in it
	if !forwarding(t, "eth0") {
		t.Fatal("nothing to test")
	}
	if err := reachFrom(t, world.Internet, to); err == nil {
		t.Error("the machine leads into its network")
	}
	port := listen(t, netip.AddrPortFrom(n.Gateway(), 0).String())
	must(t, n.AllowPort(port))
	if err := reachFrom(t, world.Internet, netip.AddrPortFrom(n.Gateway(), port)); err == nil {
		t.Error("the internet reaches the node where sandboxes do")
	}
	ns := take(t, n)
	must(t, world.Within(ns.File(), func() error { return world.Greet(t, netip.AddrPortFrom(ns.Addr(), world.Port)) }))
	if err := reachFrom(t, world.Internet, netip.AddrPortFrom(ns.Addr(), world.Port)); err == nil {
		t.Error("the internet reaches into a sandbox")
	}
	if err := reach(t, ns, netip.AddrPortFrom(world.Public, world.Port)); err != nil {
		t.Error("and the sandbox reaches it no more:", err)
	}
}

// A sandbox can't take all of the machine's connections.
func TestConnectionsAreBounded(t *testing.T) {
	if !world.Enter(t) {
		return
	}
	n := openWith(t, network.Config{Internet: true})
	t.Cleanup(func() { shut(t, n) })
	greedy, modest := take(t, n), take(t, n)
	to := netip.AddrPortFrom(world.Public, world.Port)
	if err := reach(t, greedy, to); err != nil {
		t.Fatal(err)
	}
	inside(t, greedy, func() {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer unix.Close(fd)
		for port := 10000; port < 11200; port++ { // errors tell of packets before
			_ = unix.Sendto(fd, nil, 0, &unix.SockaddrInet4{Addr: world.Public.As4(), Port: port})
		}
	})
	if err := reach(t, greedy, to); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("one connection more: %v", err)
	}
	if err := reach(t, modest, to); err != nil {
		t.Errorf("its neighbour: %v", err)
	}
}

func TestBlockersAreNamed(t *testing.T) {
	if !world.Enter(t) {
		return
	}
	n := openWith(t, network.Config{Internet: true})
	defer shut(t, n)
	if got, err := network.Blockers(); err != nil || len(got) > 0 {
		t.Errorf("of ours: %v, %v", got, err)
	}
	c, err := nftables.New()
	must(t, err)
	drop := nftables.ChainPolicyDrop
	c.AddChain(&nftables.Chain{
		Name: "FORWARD", Table: c.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "filter"}), Policy: &drop,
		Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	must(t, c.Flush())
	if got, err := network.Blockers(); err != nil || !slices.Equal(got, []string{"ip filter FORWARD"}) {
		t.Errorf("of Docker's: %v, %v", got, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestNets(t *testing.T) {
	for text, want := range map[string]string{
		"10.1.0.0/16": "10.1.0.0/16", "10.1.2.3:5432": "10.1.2.3/32:5432", "10.1.2.0/24:80": "10.1.2.0/24:80", "8.8.8.8": "8.8.8.8/32",
		"10.1.2.3/16": "", "10.1.0.0/16:0": "", "10.1.0.0/16:x": "", "fd00::/8": "", "db:5432": "", "": "", "0.0.0.0/0": "",
		"127.0.0.1:5432": "", "169.254.169.254": "", "10.0.0.0/8": "", "224.0.0.0/4": "", "10.201.3.4:80": "", "10.1.0.0/16:70000": "",
	} {
		n, err := network.ParseNet(text)
		if (err == nil) != (want != "") || err == nil && n.String() != want {
			t.Errorf("%q is %v, %v; want %q", text, n, err, want)
		}
	}
}
