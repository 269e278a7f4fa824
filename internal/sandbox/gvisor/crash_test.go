package gvisor_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/cgroup"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/gvisor"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/network"
)

// victimEnv makes the test binary a node that gets killed; it holds the paths
// of the binaries and of the directory to use.
const victimEnv = "MAYFLY_TEST_VICTIM"

// beVictim runs sandboxes, one of them busy, prints what it has on the machine,
// and waits for its end.
func beVictim(conf string) {
	paths := strings.Split(conf, ":")
	exe, program, dir := paths[0], paths[1], paths[2]
	log := slog.New(slog.DiscardHandler)
	ctx := context.Background()
	must := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	groups, err := cgroup.Open(log)
	must(err)
	net, err := network.New(ctx, network.Config{Log: log})
	must(err)
	d, err := gvisor.New(ctx, gvisor.Config{Dir: dir, Exe: exe, Log: log, Cgroups: groups, Network: net})
	must(err)
	for _, id := range []string{"busy", "frozen"} {
		s, err := d.Start(ctx, sandbox.Spec{
			ID: id, Args: []string{"/var/runtime/guest"}, Dir: "/", Network: true,
			Mounts: []sandbox.Mount{{Host: program, Inside: "/var/runtime/guest"}},
		})
		must(err)
		must(s.Attach(filepath.Dir(program), sandbox.PlaceTask))
		in := bufio.NewReader(s.Conn())
		_, err = in.ReadString('\n')
		must(err)
		_, err = s.Conn().Write([]byte(`{"Op":"spin","N":2}` + "\n"))
		must(err)
		_, err = in.ReadString('\n')
		must(err)
		if id == "frozen" {
			must(s.Freeze())
		}
	}
	fmt.Println(net.Gateway())
	select {}
}

func TestKilledNodeTakesItsSandboxesAlong(t *testing.T) {
	newNode(t).Driver.Close() // skips where a node can't be
	cmd := exec.Command("/proc/self/exe")
	dir := t.TempDir()
	cmd.Env = append(os.Environ(), victimEnv+"="+strings.Join([]string{standalone, guest, dir}, ":"))
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gateway, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal("victim:", err, cmd.Wait())
	}
	gateway = strings.TrimSpace(gateway)
	pids := family(t, cmd.Process.Pid)
	if len(pids) < 7 { // itself, its launcher, and at least two processes a sandbox
		t.Errorf("processes %v", pids)
	}
	link := interfaceOf(t, gateway) // the address may soon be another node's

	killed := time.Now()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	for _, pid := range pids[1:] {
		for alive(pid) {
			if time.Since(killed) > 5*time.Second {
				t.Fatalf("process %d lives %v after its node", pid, time.Since(killed))
			}
			time.Sleep(time.Millisecond)
		}
	}
	t.Logf("all %d processes gone after %v", len(pids), time.Since(killed))
	for {
		if _, err := net.InterfaceByIndex(link); err != nil {
			break
		}
		if time.Since(killed) > 10*time.Second {
			t.Fatal("network lives on")
		}
		time.Sleep(time.Millisecond)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left in the directory: %v %v", left, err)
	}
}

// family lists a process and its descendants.
func family(t *testing.T, pid int) []int {
	t.Helper()
	pids := []int{pid}
	for i := 0; i < len(pids); i++ {
		lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pids[i]))
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lists {
			b, _ := os.ReadFile(l)
			for _, f := range strings.Fields(string(b)) {
				var n int
				if _, err := fmt.Sscan(f, &n); err != nil {
					t.Fatal(err)
				}
				pids = append(pids, n)
			}
		}
	}
	return pids
}

func alive(pid int) bool {
	return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

// interfaceOf returns the index of the interface with an address.
func interfaceOf(t *testing.T, addr string) int {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		addrs, _ := i.Addrs() // gone meanwhile: not it
		for _, a := range addrs {
			if strings.HasPrefix(a.String(), addr+"/") {
				return i.Index
			}
		}
	}
	t.Fatalf("no interface has %s", addr)
	return 0
}

func TestEverySandboxProcessIsInItsCgroup(t *testing.T) {
	n := newNode(t)
	s, err := n.Start(context.Background(), sandbox.Spec{
		ID: "counted", Args: []string{"/var/runtime/guest"}, Dir: "/",
		Mounts: []sandbox.Mount{{Host: guest, Inside: "/var/runtime/guest"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Conn().Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	inside := 0
	for _, pid := range family(t, os.Getpid()) {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		groups, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		in := strings.Contains(string(groups), "/counted\n")
		if in {
			inside++
		}
		ours := pid == os.Getpid() || strings.HasPrefix(string(name), "mayfly-launcher")
		if in == ours {
			t.Errorf("process %d %q in cgroup: %v", pid, name, in)
		}
	}
	if inside < 3 {
		t.Errorf("only %d processes in the cgroup", inside)
	}
}

// A sandbox's processes have descriptors of their own, and none of another's:
// who breaks out into one kernel must not find the way into the next.
func TestSandboxesShareNoDescriptors(t *testing.T) {
	n := newNode(t)
	const count = 4
	for i := range count {
		s, err := n.Start(context.Background(), sandbox.Spec{
			ID: fmt.Sprintf("apart-%d", i), Args: []string{"/var/runtime/guest"}, Dir: "/", Network: true,
			Mounts: []sandbox.Mount{{Host: guest, Inside: "/var/runtime/guest"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { check(t, s.Close()) }()
		if _, err := s.Conn().Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	owner := map[string]string{}
	for _, pid := range family(t, os.Getpid())[1:] {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		args := strings.Split(strings.TrimSuffix(string(name), "\x00"), "\x00")
		if !strings.HasPrefix(args[0], "runsc-") {
			continue // the launcher, which has what it gave; or a guest's, which its kernel made
		}
		who := args[len(args)-1]
		fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, fd := range fds {
			to, err := os.Readlink(fd)
			if err != nil || !strings.HasPrefix(to, "socket:") && !strings.HasPrefix(to, "pipe:") {
				continue // closed meanwhile; or neither leads anywhere
			}
			if other, ok := owner[to]; ok && other != who {
				t.Errorf("%s and %s both have %s", who, other, to)
			}
			owner[to] = who
		}
	}
	if len(owner) < 2*count {
		t.Errorf("only %d descriptors seen", len(owner))
	}
}

func TestLauncherIsReplaced(t *testing.T) {
	n := newNode(t)
	start := func() (sandbox.Sandbox, error) {
		return n.Start(context.Background(), sandbox.Spec{
			ID: "same", Args: []string{"/var/runtime/guest"}, Dir: "/",
			Mounts: []sandbox.Mount{{Host: guest, Inside: "/var/runtime/guest"}},
		})
	}
	s, err := start()
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range family(t, os.Getpid())[1:] {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if strings.HasPrefix(string(name), "mayfly-launcher") {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	select {
	case <-s.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("sandbox outlives its launcher")
	}
	if e := s.Exit(); e.Signal != int(syscall.SIGKILL) {
		t.Errorf("exit %+v", e)
	}
	check(t, s.Close())
	if s, err = start(); err != nil {
		t.Fatal("after the launcher's death:", err)
	}
	check(t, s.Close())
}

func TestGivenUpStartsLeaveNothing(t *testing.T) {
	n := newNode(t)
	before := len(family(t, os.Getpid()))
	for i := range 12 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i*20)*time.Millisecond)
		s, err := n.Start(ctx, sandbox.Spec{
			ID: "brief", Args: []string{"/var/runtime/guest"}, Dir: "/", Network: true,
			Mounts: []sandbox.Mount{{Host: guest, Inside: "/var/runtime/guest"}},
		})
		if err == nil {
			check(t, s.Close())
		} else if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %d ms: %v", i*20, err)
		}
		cancel()
	}
	for end := time.Now().Add(5 * time.Second); len(family(t, os.Getpid())) > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d processes left", len(family(t, os.Getpid()))-before)
		}
	}
}
