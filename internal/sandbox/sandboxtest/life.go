package sandboxtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest/order"
)

func (s *suite) starts(t *testing.T) {
	p := s.start(t)
	if p.hello.Text != "/tmp" {
		t.Errorf("works in %q", p.hello.Text)
	}
	// A driver may add where home is, and nothing else.
	env := slices.DeleteFunc(p.hello.List, func(v string) bool { return v == "HOME=/tmp" })
	if diff := cmp.Diff([]string{"COLOUR=green"}, env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	select {
	case <-p.Done():
		t.Error("ended")
	default:
	}
}

func (s *suite) startFails(t *testing.T) {
	spec := s.spec()
	spec.Args = []string{"/var/runtime/missing"}
	if box, err := s.Driver.Start(context.Background(), spec); err == nil {
		// It may also start and end at once.
		select {
		case <-box.Done():
		case <-time.After(deadline):
			t.Error("runs a program that isn't there")
		}
		if box.Exit().Code == 0 {
			t.Errorf("exit %+v", box.Exit())
		}
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if box, err := s.Driver.Start(ctx, s.spec()); err == nil {
		t.Error("started although given up")
		box.Close()
	}
	spec = s.spec()
	spec.ID = "../up"
	if box, err := s.Driver.Start(context.Background(), spec); err == nil {
		t.Error("took a path for an id")
		box.Close()
	}
}

func (s *suite) prints(t *testing.T) {
	p := s.start(t)
	p.do(order.Order{Op: order.Print, N: 1, Text: "one\n"})
	p.do(order.Order{Op: order.Print, N: 2, Text: "two\n"})
	p.do(order.Order{Op: order.Print, N: 4, Text: "four"})
	if got, err := p.output(); got != "one\ntwo" || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("output %q, %v", got, err)
	}
	b := make([]byte, 10)
	if n, err := p.Telemetry().Read(b); err != nil || string(b[:n]) != "four" {
		t.Errorf("telemetry %q, %v", b[:n], err)
	}
	if err := p.send(order.Order{Op: order.Exit}); err != nil {
		t.Fatal(err)
	}
	p.ended()
	if got, err := p.output(); got != "" || err != nil {
		t.Errorf("output after the end %q, %v", got, err)
	}
}

func (s *suite) ends(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*program) error
		want sandbox.Exit
	}{
		{"by itself", func(p *program) error { return p.send(order.Order{Op: order.Exit, N: 7}) }, sandbox.Exit{Code: 7}},
		{"killed", func(p *program) error { p.Kill(); p.Kill(); return nil }, sandbox.Exit{Signal: int(syscall.SIGKILL)}},
		{"killed while busy", func(p *program) error {
			p.do(order.Order{Op: order.Spin, N: 2})
			p.Kill()
			return nil
		}, sandbox.Exit{Signal: int(syscall.SIGKILL)}},
		{"closed", func(p *program) error { return p.Close() }, sandbox.Exit{Signal: int(syscall.SIGKILL)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := s.start(t)
			if err := c.end(p); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, p.ended()); diff != "" {
				t.Errorf("exit (-want +got):\n%s", diff)
			}
			if _, err := p.receive(); err == nil {
				t.Error("still talks")
			}
			if err := errors.Join(p.Close(), p.Close()); err != nil {
				t.Error("close:", err)
			}
			if err := p.Attach(t.TempDir(), sandbox.PlaceTask); err == nil {
				t.Error("attached to what has ended")
			}
		})
	}
}

func (s *suite) attaches(t *testing.T) {
	p, other := s.start(t), s.start(t)
	code, layer := t.TempDir(), t.TempDir()
	for dir, name := range map[string]string{code: "handler.js", layer: "lib.js"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Attach(code, sandbox.PlaceTask); err != nil {
		t.Fatal(err)
	}
	if err := p.Attach(layer, sandbox.PlaceOpt); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/var/task/handler.js": "handler.js", "/opt/lib.js": "lib.js"} {
		if a := p.do(order.Order{Op: order.Read, Path: path}); a.Text != want {
			t.Errorf("%s: %q %s", path, a.Text, a.Err)
		}
	}
	p.fails(order.Order{Op: order.Write, Path: "/var/task/new"}, syscall.EROFS, syscall.EACCES)
	p.fails(order.Order{Op: order.Write, Path: "/var/task/handler.js"}, syscall.EROFS, syscall.EACCES)
	if err := p.Attach(layer, sandbox.PlaceTask); err == nil {
		t.Error("attached twice")
	}
	if err := other.Attach(code, "/usr"); err == nil {
		t.Error("attached over /usr")
	}
	if err := other.Attach(filepath.Join(code, "missing"), sandbox.PlaceTask); err == nil {
		t.Error("attached nothing")
	}
	if a := other.do(order.Order{Op: order.List, Path: "/var/task"}); len(a.List) > 0 || a.Err != "" {
		t.Errorf("the neighbour sees %v %s", a.List, a.Err)
	}
}

func (s *suite) startsTogether(t *testing.T) {
	const count = 8
	var wg sync.WaitGroup
	for range count {
		wg.Go(func() {
			p, err := s.tryStart(t)
			if err != nil {
				t.Error(err)
				return
			}
			if a := p.do(order.Order{Op: order.Read, Path: "/proc/self/stat"}); !strings.Contains(a.Text, "guest") {
				t.Errorf("%q %s", a.Text, a.Err)
			}
		})
	}
	wg.Wait()
}

// leavesNothing looks at what the machine has before and after sandboxes.
func (s *suite) leavesNothing(t *testing.T) {
	s.start(t).Close() // whatever is made once is made now
	before := inventory(t)
	t.Run("sandboxes", func(t *testing.T) {
		for range 3 {
			p := s.start(t, func(s *sandbox.Spec) { s.Network = true })
			if err := p.Attach(t.TempDir(), sandbox.PlaceTask); err != nil {
				t.Error(err)
			}
			p.do(order.Order{Op: order.Fork, N: 2})
		}
	})
	var diff string
	for end := time.Now().Add(deadline / 3); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if diff = cmp.Diff(before, inventory(t)); diff == "" {
			return
		}
	}
	t.Errorf("left (-before +after):\n%s", diff)
}

// inventory counts what a sandbox could leave: processes, descriptors, mounts.
func inventory(t *testing.T) map[string]int {
	t.Helper()
	count := make(map[string]int)
	self := os.Getpid()
	for _, pid := range descendants(t, self) {
		name, err := os.ReadFile(filepath.Join("/proc", pid, "comm"))
		if err == nil {
			count["process "+strings.TrimSpace(string(name))]++
		}
		if mounts, err := os.ReadFile(filepath.Join("/proc", pid, "mountinfo")); err == nil {
			count["mounts"] = max(count["mounts"], strings.Count(string(mounts), "\n"))
		}
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fds {
		to, err := os.Readlink(filepath.Join("/proc/self/fd", f.Name()))
		kind, _, _ := strings.Cut(to, ":")
		if err == nil && !strings.HasPrefix(to, "/proc/") && !strings.HasPrefix(to, "net:") {
			count["descriptor "+kind]++
		}
	}
	return count
}

// descendants lists the process ids below one.
func descendants(t *testing.T, pid int) []string {
	t.Helper()
	children := make(map[string][]string)
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stats {
		b, err := os.ReadFile(s)
		if err != nil {
			continue // gone meanwhile
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		if f := strings.Fields(rest); len(f) > 1 {
			children[f[1]] = append(children[f[1]], filepath.Base(filepath.Dir(s)))
		}
	}
	found := []string{filepath.Base(mustReadlink(t, "/proc/self"))}
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i]]...)
	}
	return slices.Clip(found[1:])
}

func mustReadlink(t *testing.T, path string) string {
	t.Helper()
	to, err := os.Readlink(path)
	if err != nil {
		t.Fatal(err)
	}
	return to
}
