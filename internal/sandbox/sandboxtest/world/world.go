// Package world gives a test a machine of its own, on an internet of its own.
//
//	machine (the test's network namespace)        internet (another)
//	  eth0 192.168.77.2/24 ═════════ veth ═════════ 192.168.77.1/24
//	  default via 192.168.77.1                      Public, Private, Metadata, ...
//
// /etc/resolv.conf names Router, in a mount namespace of the test's.
//
// Nothing leads from there to the real machine's networks, so that a test may
// send packets to any address, and set what it likes.
package world

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Addresses of the world. Each answers "hello" at port Port by TCP and UDP, and is
// a name server.
var (
	// Public is a sink that AS112 announces to the real internet (RFC 7534).
	Public   = netip.MustParseAddr("192.175.48.1")
	Private  = netip.MustParseAddr("10.9.9.9")
	Database = netip.MustParseAddr("172.20.0.5")
	Metadata = netip.MustParseAddr("169.254.169.254")
	Router   = netip.MustParseAddr("192.168.77.1")
	// Machine is the test's own address, where the world answers nothing.
	Machine = netip.MustParseAddr("192.168.77.2")
)

// Port is where the world says hello.
const Port = 8080

// Names are what the world's name servers know.
var Names = map[string][]netip.Addr{
	"public.example.":   {Public},
	"internal.example.": {Private},
	"mixed.example.":    {Public, Metadata},
}

const enteredEnv = "MAYFLY_TEST_WORLD"

// Enter runs the test again, alone, where it has a machine of its own; there it
// makes the world and returns true. Here it returns false once that has ended, and
// the test with it. more are added to the environment.
func Enter(t *testing.T, more ...string) bool {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	if os.Getenv(enteredEnv) == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(append(os.Environ(), enteredEnv+"=1"), more...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
		out, err := cmd.CombinedOutput()
		t.Logf("in a world of its own:\n%s", out)
		if err != nil {
			t.Error(err)
		}
		return false
	}
	if err := nameServers(t.TempDir()); err != nil {
		t.Fatal("name the world's name servers: ", err)
	}
	if err := build(t); err != nil {
		t.Fatal("make world: ", err)
	}
	return true
}

// nameServers has the test's /etc/resolv.conf name the world's, by a file in dir.
func nameServers(dir string) error {
	file := filepath.Join(dir, "resolv.conf")
	if err := os.WriteFile(file, []byte("nameserver "+Router.String()+"\n"), 0o644); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return err
	}
	return unix.Mount(file, "/etc/resolv.conf", "", unix.MS_BIND, "")
}

// build makes the internet and joins this namespace to it.
func build(t *testing.T) error {
	internet, err := Elsewhere(func() error {
		if err := up("lo"); err != nil {
			return err
		}
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		for _, a := range []netip.Addr{Public, Private, Database, Metadata} {
			if err := netlink.AddrAdd(lo, &netlink.Addr{IPNet: alone(a)}); err != nil {
				return fmt.Errorf("add %s: %w", a, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	Internet = internet
	t.Cleanup(func() { internet.Close() })
	if err := up("lo"); err != nil {
		return err
	}
	v := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "eth0"}, PeerName: "far", PeerNamespace: netlink.NsFd(internet.Fd())}
	if err := netlink.LinkAdd(v); err != nil {
		return fmt.Errorf("make link: %w", err)
	}
	if err := Within(internet, func() error {
		if err := Address("far", Router); err != nil {
			return err
		}
		return serve(t)
	}); err != nil {
		return err
	}
	if err := Address("eth0", Machine); err != nil {
		return err
	}
	return netlink.RouteAdd(&netlink.Route{LinkIndex: v.Index, Gw: Router.AsSlice()})
}

// Internet is the namespace on the other side.
var Internet *os.File

// Elsewhere runs f in a new namespace and returns that.
func Elsewhere(f func() error) (*os.File, error) {
	var ns *os.File
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		var err error
		if ns, err = os.Open("/proc/thread-self/ns/net"); err != nil {
			return err
		}
		return f()
	})
	return ns, err
}

// Within runs f in a namespace. Sockets it makes stay there.
func Within(ns *os.File, f func() error) error {
	return onThread(func() error {
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		return f()
	})
}

// onThread runs f on a thread that is thrown away, back in the namespace it came
// from: the process's first thread stays, and would keep the other one.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		home, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			done <- err
			return
		}
		defer home.Close()
		err = f()
		done <- errors.Join(err, unix.Setns(int(home.Fd()), unix.CLONE_NEWNET))
	}()
	return <-done
}

func up(name string) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(l)
}

// Address gives an interface of the current namespace an address of a /24.
func Address(name string, a netip.Addr) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(l, &netlink.Addr{IPNet: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(24, 32)}}); err != nil {
		return fmt.Errorf("add %s: %w", a, err)
	}
	return netlink.LinkSetUp(l)
}

func alone(a netip.Addr) *net.IPNet {
	return &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(32, 32)}
}
