package sandboxtest

import (
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest/order"
)

func (s *suite) isNobody(t *testing.T) {
	p := s.start(t)
	if p.hello.UID == 0 {
		t.Error("is root")
	}
	status := p.do(order.Order{Op: order.Read, Path: "/proc/self/status"}).Text
	for _, want := range []string{`CapPrm:\s+0+\n`, `CapEff:\s+0+\n`, `CapBnd:\s+0+\n`, `CapAmb:\s+0+\n`, `NoNewPrivs:\s+1\n`} {
		if !regexp.MustCompile(want).MatchString(status) {
			t.Errorf("no %s in\n%s", want, status)
		}
	}
}

func (s *suite) cannotWrite(t *testing.T) {
	p := s.start(t)
	for _, path := range []string{
		"/x", "/usr/x", "/bin/x", "/etc/x", "/etc/passwd", "/var/x", "/var/task/x", "/opt/x", "/var/runtime/guest", "/dev/x",
	} {
		p.fails(order.Order{Op: order.Write, Path: path}, syscall.EROFS, syscall.EACCES, syscall.EPERM, syscall.ETXTBSY)
	}
	if a := p.do(order.Order{Op: order.Write, Path: "/tmp/x", N: 10}); a.Err != "" {
		t.Error("/tmp:", a.Err)
	}
}

func (s *suite) seesNothingElse(t *testing.T) {
	p := s.start(t)
	for _, path := range []string{"/root", "/home", "/etc/shadow", "/etc/ssh", "/run", "/boot", "/sys/fs/cgroup/memory.max"} {
		if a := p.do(order.Order{Op: order.List, Path: path}); a.Err == "" && len(a.List) > 0 {
			t.Errorf("%s: %v", path, a.List)
		}
	}
	for _, path := range []string{"/etc/shadow", "/proc/kcore", "/proc/1/environ", "/dev/mem"} {
		if a := p.do(order.Order{Op: order.Read, Path: path}); a.Err == "" && !strings.HasPrefix(a.Text, "COLOUR=green\x00") {
			t.Errorf("reads %s", path)
		}
	}
	// Its own processes are all there are.
	var pids []string
	for _, name := range p.do(order.Order{Op: order.List, Path: "/proc"}).List {
		if _, err := strconv.Atoi(name); err == nil {
			pids = append(pids, name)
		}
	}
	if len(pids) > 2 {
		t.Errorf("sees processes %v", pids)
	}
	for path, want := range map[string]string{
		"/etc/passwd": "sbx_user1051", "/etc/hosts": "localhost", "/etc/nsswitch.conf": "hosts:",
	} {
		if a := p.do(order.Order{Op: order.Read, Path: path}); !regexp.MustCompile(want).MatchString(a.Text) {
			t.Errorf("%s: %q %s", path, a.Text, a.Err)
		}
	}
}

func (s *suite) reachesNodeAlone(t *testing.T) {
	online := func(s *sandbox.Spec) { s.Network = true }
	p, neighbour := s.start(t, online), s.start(t, online)
	open, shut := listen(t, s.Gateway+":0"), listen(t, s.Gateway+":0")
	everywhere, loopback := listen(t, "0.0.0.0:0"), listen(t, "127.0.0.1:0")
	for _, port := range []int{open, everywhere, loopback} {
		if err := s.Allow(uint16(port)); err != nil {
			t.Fatal(err)
		}
	}
	if p.Addr() == "" || p.Addr() == neighbour.Addr() {
		t.Errorf("addresses %q and %q", p.Addr(), neighbour.Addr())
	}
	for _, c := range []struct {
		name, host string
		port       int
		want       bool
	}{
		{"allowed port of the node", s.Gateway, open, true},
		{"another port of the node", s.Gateway, shut, false},
		{"loopback", "127.0.0.1", loopback, false},
		{"another address of the host", hostAddr(t), everywhere, false},
		{"neighbour", neighbour.Addr(), open, false},
		{"metadata of a cloud", "169.254.169.254", 80, false},
		{"a private network", "10.1.2.3", 5432, false},
		{"the world", "192.175.48.1", 80, false},
	} {
		to := net.JoinHostPort(c.host, strconv.Itoa(c.port))
		if c.want {
			if a := p.do(order.Order{Op: order.Dial, Path: to}); a.Err != "" {
				t.Errorf("%s: %s", c.name, a.Err)
			}
			continue
		}
		p.fails(order.Order{Op: order.Dial, Path: to}, syscall.ECONNREFUSED)
	}
}

// packetsReachNobody asks few enough: the kernel says no to packets of one sender
// six times at once, then every second.
func (s *suite) packetsReachNobody(t *testing.T) {
	online := func(s *sandbox.Spec) { s.Network = true }
	p, neighbour := s.start(t, online), s.start(t, online)
	everywhere := listenPackets(t, "0.0.0.0:0")
	for _, host := range []string{s.Gateway, hostAddr(t), neighbour.Addr(), "169.254.169.254", "192.175.48.1"} {
		p.fails(order.Order{Op: order.Send, Path: net.JoinHostPort(host, everywhere), Text: "?"}, syscall.ECONNREFUSED)
	}
}

func (s *suite) hasNoNetwork(t *testing.T) {
	p := s.start(t)
	if p.Addr() != "" {
		t.Errorf("address %q", p.Addr())
	}
	host := hostAddr(t)
	for _, addr := range []string{
		net.JoinHostPort("127.0.0.1", strconv.Itoa(listen(t, "127.0.0.1:0"))),
		net.JoinHostPort(host, strconv.Itoa(listen(t, "0.0.0.0:0"))),
	} {
		if a := p.do(order.Order{Op: order.Dial, Path: addr}); a.Err == "" {
			t.Errorf("reached %s", addr)
		}
	}
}

// listen listens until the test ends and returns the port.
func listen(t *testing.T, addr string) int {
	t.Helper()
	l, err := net.Listen("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

// hostAddr is an address of this machine that isn't loopback.
func hostAddr(t *testing.T) string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(addrs, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		return ok && n.IP.To4() != nil && !n.IP.IsLoopback()
	})
	if i < 0 {
		return "198.51.100.1" // a machine without any: nowhere
	}
	return addrs[i].(*net.IPNet).IP.String()
}

// listenPackets takes packets, and answers them, until the test ends. It returns
// the port.
func listenPackets(t *testing.T, addr string) string {
	t.Helper()
	p, err := net.ListenPacket("udp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for b := make([]byte, 64); ; {
			n, from, err := p.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = p.WriteTo(b[:n], from)
		}
	}()
	t.Cleanup(func() {
		p.Close()
		<-done
	})
	return strconv.Itoa(p.LocalAddr().(*net.UDPAddr).Port)
}
