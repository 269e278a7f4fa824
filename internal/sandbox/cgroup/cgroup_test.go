package cgroup_test

import (
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/cgroup"
)

func open(t *testing.T) *cgroup.Root {
	t.Helper()
	r, err := cgroup.Open(slog.New(slog.DiscardHandler))
	if errors.Is(err, cgroup.ErrUnavailable) && os.Getuid() != 0 {
		t.Skip("needs root")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func group(t *testing.T, r *cgroup.Root) *cgroup.Group {
	t.Helper()
	return named(t, r, "one")
}

func named(t *testing.T, r *cgroup.Root, name string) *cgroup.Group {
	t.Helper()
	g, err := r.Group(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		for _, p := range g.Procs() {
			if _, err := os.Stat(filepath.Dir(p)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("group is left: %v", err)
			}
		}
	})
	return g
}

// run starts a shell command in the group.
func run(t *testing.T, g *cgroup.Group, command string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "read go; "+command)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for _, p := range g.Procs() {
		if err := os.WriteFile(p, []byte(strconv.Itoa(cmd.Process.Pid)), 0); err != nil {
			t.Fatal(err)
		}
	}
	in.Write([]byte("go\n"))
	return cmd
}

func TestNodesHavePlacesOfTheirOwn(t *testing.T) {
	a, b := open(t), open(t)
	ga, gb := group(t, a), group(t, b)
	if ga.Procs()[0] == gb.Procs()[0] {
		t.Errorf("both use %s", ga.Procs()[0])
	}
}

func TestMemoryLimitKillsAndIsSeen(t *testing.T) {
	g := group(t, open(t))
	if err := g.SetMemory(512 << 20); err != nil {
		t.Fatal(err)
	}
	if err := g.SetMemory(32 << 20); err != nil {
		t.Fatal("lower:", err)
	}
	cmd := run(t, g, "head -c 200M /dev/zero | tail -c 100M >/dev/null")
	if err := cmd.Wait(); err == nil {
		t.Error("took 100 MiB of 32")
	}
	if !g.OutOfMemory() {
		t.Error("not seen as out of memory")
	}
	if u := g.Usage(); u.MemoryPeak < 20<<20 || u.MemoryPeak > 33<<20 {
		t.Errorf("peak %d", u.MemoryPeak)
	}
	if err := g.SetMemory(0); err != nil {
		t.Error("lift:", err)
	}
}

func TestCPULimitHolds(t *testing.T) {
	g := group(t, open(t))
	if err := g.SetCPU(0.1); err != nil {
		t.Fatal(err)
	}
	run(t, g, "while :; do :; done")
	const span = time.Second
	before := g.Usage().CPU
	time.Sleep(span) // the time measured over
	if used := g.Usage().CPU - before; used == 0 || used > span/4 {
		t.Errorf("used %v of %v, allowed a tenth", used, span)
	}
	if err := g.SetCPU(0); err != nil {
		t.Error("lift:", err)
	}
}

// Two who want one processor get it in proportion to their shares.
func TestCPUIsSharedInProportion(t *testing.T) {
	root := open(t)
	small, large := named(t, root, "small"), named(t, root, "large")
	if err := errors.Join(small.SetCPUShare(0.25), large.SetCPUShare(1)); err != nil {
		t.Fatal(err)
	}
	for _, g := range []*cgroup.Group{small, large} {
		run(t, g, "exec taskset -c 0 bash -c 'while :; do :; done'")
	}
	const span = time.Second
	a, b := small.Usage().CPU, large.Usage().CPU
	time.Sleep(span) // the time measured over
	a, b = small.Usage().CPU-a, large.Usage().CPU-b
	if ratio := float64(b) / float64(a); ratio < 2.5 || ratio > 6 {
		t.Errorf("%v and %v, want four times as much", a, b)
	}
}

func TestProcessLimitHolds(t *testing.T) {
	g := group(t, open(t))
	if err := g.SetProcesses(1); err != nil {
		t.Fatal(err)
	}
	if err := run(t, g, "/bin/true; :").Wait(); err == nil {
		t.Error("forked past the limit")
	}
}

func TestFreezeStopsAndThawGoesOn(t *testing.T) {
	g := group(t, open(t))
	run(t, g, "while :; do :; done")
	for range 20 {
		if err := g.Freeze(); err != nil {
			t.Fatal(err)
		}
		if err := g.Freeze(); err != nil {
			t.Fatal("again:", err)
		}
		before := g.Usage().CPU
		time.Sleep(20 * time.Millisecond) // a running loop would use most of it
		if used := g.Usage().CPU - before; used > 2*time.Millisecond {
			t.Fatalf("used %v while frozen", used)
		}
		if err := g.Thaw(); err != nil {
			t.Fatal(err)
		}
		for start := g.Usage().CPU; g.Usage().CPU == start; {
			time.Sleep(time.Millisecond)
		}
	}
	if err := g.Freeze(); err != nil { // Close must manage that too
		t.Fatal(err)
	}
}

func TestRestOfDeadNodeIsSwept(t *testing.T) {
	r := open(t)
	g, err := r.Group("left")
	if err != nil {
		t.Fatal(err)
	}
	cmd := run(t, g, "sleep 100")
	if err := r.Close(); err == nil { // as a death does: the lock goes, the rest stays
		t.Fatal("closed with a group in it")
	}
	open(t)
	if err := cmd.Wait(); err == nil {
		t.Error("process of the dead node lives")
	}
	if _, err := os.Stat(filepath.Dir(g.Procs()[0])); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("group of the dead node: %v", err)
	}
}

func BenchmarkFreezeThaw(b *testing.B) {
	r, err := cgroup.Open(slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	g, err := r.Group("bench")
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	for b.Loop() {
		if err := errors.Join(g.Freeze(), g.Thaw()); err != nil {
			b.Fatal(err)
		}
	}
}
