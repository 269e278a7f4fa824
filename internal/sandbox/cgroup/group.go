package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Group is one group of processes. Its methods are safe for concurrent use,
// but Freeze and Thaw exclude each other.
type Group struct {
	root *Root
	name string

	state, events *os.File // of the freezer, kept open: thawing is on the way of a call
}

// Group makes a group without processes or limits.
func (r *Root) Group(name string) (*Group, error) {
	g := &Group{root: r, name: name}
	for _, t := range r.trees {
		if err := os.Mkdir(filepath.Join(t.dir, name), 0o755); err != nil {
			return nil, errors.Join(fmt.Errorf("make control group: %w", err), g.Close())
		}
	}
	if r.freezer == nil {
		return g, nil
	}
	state, events := "freezer.state", "freezer.state"
	if r.freezer.v2 {
		state, events = "cgroup.freeze", "cgroup.events"
	}
	var err error
	if g.state, err = os.OpenFile(g.path(r.freezer, state), os.O_WRONLY, 0); err == nil {
		g.events, err = os.Open(g.path(r.freezer, events))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open freezer: %w", err), g.Close())
	}
	return g, nil
}

func (g *Group) path(t *tree, file string) string { return filepath.Join(t.dir, g.name, file) }

// Procs are the files into which a process is written to join the group.
func (g *Group) Procs() []string {
	var l []string
	for i := range g.root.trees {
		l = append(l, g.path(&g.root.trees[i], "cgroup.procs"))
	}
	return l
}

// SetMemory bounds what the processes take together, without swap, in bytes;
// zero lifts the bound. It fails if they take more and can't do with less.
func (g *Group) SetMemory(n int64) error {
	t := g.root.memory
	if t == nil {
		return nil
	}
	if t.v2 {
		return errors.Join(
			write(g.path(t, "memory.max"), orMax(n)),
			writeIfThere(g.path(t, "memory.swap.max"), "0"),
			writeIfThere(g.path(t, "memory.oom.group"), "1"))
	}
	value := "-1"
	if n > 0 {
		value = strconv.FormatInt(n, 10)
	}
	// The bound with swap is never below the one without: which goes first
	// depends on the direction.
	limit, both := g.path(t, "memory.limit_in_bytes"), g.path(t, "memory.memsw.limit_in_bytes")
	if err := write(limit, value); err != nil {
		return errors.Join(writeIfThere(both, value), write(limit, value))
	}
	return writeIfThere(both, value)
}

// cpuPeriod is how often the processor time is dealt out. The usual 100 ms let
// a small function stand still for most of that.
const cpuPeriod = 20 * time.Millisecond

// SetCPU bounds the processor time, in processors; zero lifts the bound.
func (g *Group) SetCPU(n float64) error {
	t := g.root.cpu
	if t == nil {
		return nil
	}
	period := strconv.FormatInt(cpuPeriod.Microseconds(), 10)
	quota := max(int64(n*float64(cpuPeriod.Microseconds())), 1000) // the kernel's least
	if t.v2 {
		if n <= 0 {
			quota = 0
		}
		return write(g.path(t, "cpu.max"), orMax(quota)+" "+period)
	}
	if n <= 0 {
		quota = -1
	}
	return errors.Join(
		write(g.path(t, "cpu.cfs_period_us"), period),
		write(g.path(t, "cpu.cfs_quota_us"), strconv.FormatInt(quota, 10)))
}

// SetCPUShare says how the processors are dealt out while they are short: in
// proportion to the shares, of which 1 is usual; zero sets that.
func (g *Group) SetCPUShare(share float64) error {
	t := g.root.cpu
	if t == nil {
		return nil
	}
	if share <= 0 {
		share = 1
	}
	if t.v2 {
		return write(g.path(t, "cpu.weight"), strconv.Itoa(min(max(int(share*100), 1), 10000)))
	}
	return write(g.path(t, "cpu.shares"), strconv.Itoa(max(int(share*1024), 2)))
}

// SetProcesses bounds the number of processes and threads; zero lifts it.
func (g *Group) SetProcesses(n int) error {
	if g.root.pids == nil {
		return nil
	}
	return write(g.path(g.root.pids, "pids.max"), orMax(int64(n)))
}

// Usage is what the processes have taken.
type Usage struct {
	Memory, MemoryPeak int64 // bytes
	CPU                time.Duration
}

// Usage measures. What can't be measured is zero.
func (g *Group) Usage() Usage {
	var u Usage
	if t := g.root.memory; t != nil {
		current, peak := "memory.usage_in_bytes", "memory.max_usage_in_bytes"
		if t.v2 {
			current, peak = "memory.current", "memory.peak"
		}
		u.Memory = readInt(g.path(t, current))
		u.MemoryPeak = max(readInt(g.path(t, peak)), u.Memory)
	}
	if t := g.root.time; t != nil {
		if t.v2 {
			u.CPU = time.Duration(readField(g.path(t, "cpu.stat"), "usage_usec")) * time.Microsecond
		} else {
			u.CPU = time.Duration(readInt(g.path(t, "cpuacct.usage")))
		}
	}
	return u
}

// OutOfMemory says whether the kernel has killed a process for the memory bound.
func (g *Group) OutOfMemory() bool {
	t := g.root.memory
	if t == nil {
		return false
	}
	file := "memory.oom_control"
	if t.v2 {
		file = "memory.events"
	}
	return readField(g.path(t, file), "oom_kill") > 0
}

// Close kills what is left in the group and removes it. Idempotent.
func (g *Group) Close() error {
	var errs []error
	for _, f := range []*os.File{g.state, g.events} {
		if f != nil {
			f.Close() // never written through a buffer
		}
	}
	for i := range g.root.trees {
		t := tree{v2: g.root.trees[i].v2, dir: g.path(&g.root.trees[i], "")}
		errs = append(errs, t.killAndRemove())
	}
	return errors.Join(errs...)
}

// removeTimeout bounds the wait for killed processes to leave a group.
const removeTimeout = 5 * time.Second

func (t *tree) killAndRemove() error {
	deadline := time.Now().Add(removeTimeout)
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		err := os.Remove(t.dir)
		if err == nil || errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if !isBusy(err) || time.Now().After(deadline) {
			return fmt.Errorf("remove control group: %w", err)
		}
		for _, pid := range strings.Fields(readFile(filepath.Join(t.dir, "cgroup.procs"))) {
			if n, err := strconv.Atoi(pid); err == nil && n > 0 {
				_ = unix.Kill(n, unix.SIGKILL) // gone is as good
			}
		}
		if !t.v2 { // where a frozen process doesn't die
			_ = writeIfThere(filepath.Join(t.dir, "freezer.state"), thawed)
		}
		time.Sleep(wait)
	}
}

func write(path, value string) error {
	if err := os.WriteFile(path, []byte(value), 0); err != nil {
		return fmt.Errorf("set control group: %w", err)
	}
	return nil
}

func writeIfThere(path, value string) error {
	err := write(path, value)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func orMax(n int64) string {
	if n <= 0 {
		return "max"
	}
	return strconv.FormatInt(n, 10)
}

func readInt(path string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSpace(readFile(path)), 10, 64)
	return n
}

// readField reads a number from a file of "name number" lines.
func readField(path, name string) int64 {
	for line := range strings.Lines(readFile(path)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == name {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n
		}
	}
	return 0
}
