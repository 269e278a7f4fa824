package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// memoryGroup is a memory cgroup for a node: what this process starts while it
// is in there is charged to it, and all that descends from that.
type memoryGroup struct {
	dir, home string // home is where this process belongs
	current   string // the file with what is charged now, in bytes
}

// enterMemoryGroup makes one below the group of this process, and moves in.
func enterMemoryGroup() (*memoryGroup, error) {
	home, current, err := ownMemoryGroup()
	if err != nil {
		return nil, err
	}
	g := &memoryGroup{dir: filepath.Join(home, "bench-"+strconv.Itoa(os.Getpid())), home: home, current: current}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		return nil, fmt.Errorf("make memory cgroup (the table needs root): %w", err)
	}
	if err := join(g.dir); err != nil {
		return nil, errors.Join(err, os.Remove(g.dir))
	}
	return g, nil
}

// ownMemoryGroup finds the group of this process in the hierarchy, v1 or v2, that
// counts memory.
func ownMemoryGroup() (dir, current string, err error) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", "", fmt.Errorf("find own memory cgroup: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(f) != 3:
		case f[1] == "memory":
			return filepath.Join("/sys/fs/cgroup/memory", f[2]), "memory.usage_in_bytes", nil
		case f[1] == "":
			dir := filepath.Join("/sys/fs/cgroup", f[2])
			if _, err := os.Stat(filepath.Join(dir, "memory.current")); err == nil {
				return dir, "memory.current", nil
			}
		}
	}
	return "", "", errors.New("find own memory cgroup: no hierarchy counts memory")
}

func join(dir string) error {
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		return fmt.Errorf("join memory cgroup: %w", err)
	}
	return nil
}

// leave takes this process back to where it belongs; what it started stays.
func (g *memoryGroup) leave() error { return join(g.home) }

// usage is what is charged now, in MiB.
func (g *memoryGroup) usage() (float64, error) {
	text, err := os.ReadFile(filepath.Join(g.dir, g.current))
	if err != nil {
		return 0, fmt.Errorf("read memory cgroup: %w", err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return float64(n) / (1 << 20), err
}

// remove removes the group, which must be empty by now.
func (g *memoryGroup) remove() {
	if err := os.Remove(g.dir); err != nil {
		fmt.Fprintln(os.Stderr, "bench: remove memory cgroup:", err)
	}
}
