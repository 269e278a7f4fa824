package cgroup

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrUnavailable is what Open returns where no group can be made at all.
var ErrUnavailable = errors.New("control groups are not available")

// maxNodes bounds how many nodes of one machine can have groups.
const maxNodes = 256

// Root is a node's place in the hierarchies. It is safe for concurrent use.
type Root struct {
	trees []tree
	locks []*os.File

	memory, cpu, pids, time, freezer *tree // nil: can't be done here
}

// tree is the node's directory in one hierarchy.
type tree struct {
	v2  bool
	dir string
}

// Open takes a place for this node and removes what dead nodes left.
func Open(log *slog.Logger) (*Root, error) {
	hs, err := hierarchies()
	if err != nil {
		return nil, err
	}
	hs = slices.DeleteFunc(hs, func(h hierarchy) bool { return !wanted(h, hs) })
	var places []place
	for _, h := range hs {
		if p, ok := findPlace(h); ok {
			places = append(places, p)
		}
	}
	if len(places) == 0 {
		return nil, ErrUnavailable
	}
	for n := range maxNodes {
		r, err := take(places, fmt.Sprintf("mayfly-%d", n), log)
		if err != nil || r != nil {
			return r, err
		}
	}
	return nil, fmt.Errorf("%w: %d nodes have theirs", ErrUnavailable, maxNodes)
}

// wanted leaves out hierarchies that another one makes superfluous: joining one
// costs a start about a millisecond.
func wanted(h hierarchy, all []hierarchy) bool {
	if h.v2 || slices.Contains(h.controllers, "cpu") {
		return true
	}
	hasV2 := slices.ContainsFunc(all, func(o hierarchy) bool { return o.v2 })
	for _, c := range h.controllers {
		if c == "memory" || c == "pids" || !hasV2 {
			return true // v2 freezes and counts time without any controller
		}
	}
	return false
}

// take makes the node's directories under name. It returns nil if they belong
// to another node.
func take(places []place, name string, log *slog.Logger) (*Root, error) {
	r := &Root{}
	for _, p := range places {
		dir := filepath.Join(p.dir, name)
		f, err := lockDir(dir)
		if err != nil || f == nil {
			return nil, errors.Join(err, r.unlock())
		}
		r.locks = append(r.locks, f)
		t := tree{v2: p.v2, dir: dir}
		if err := t.sweep(log); err != nil {
			return nil, errors.Join(err, r.unlock())
		}
		if err := p.enable(dir); err != nil {
			return nil, errors.Join(err, r.unlock())
		}
		r.trees = append(r.trees, t)
	}
	for i, p := range places {
		r.assign(&r.trees[i], p.controllers)
	}
	return r, nil
}

func (r *Root) assign(t *tree, controllers []string) {
	for name, to := range map[string]**tree{"memory": &r.memory, "cpu": &r.cpu, "pids": &r.pids} {
		if slices.Contains(controllers, name) {
			*to = t
		}
	}
	if t.v2 || r.time == nil && slices.Contains(controllers, "cpuacct") {
		r.time = t
	}
	if t.v2 || r.freezer == nil && slices.Contains(controllers, "freezer") {
		r.freezer = t
	}
}

// lockDir makes a directory and locks it; nil if another process holds it.
func lockDir(dir string) (*os.File, error) {
	for {
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, fmt.Errorf("make control group: %w", err)
		}
		f, err := os.Open(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue // its node removed it just now
		}
		if err != nil {
			return nil, fmt.Errorf("open control group: %w", err)
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				return nil, nil
			}
			return nil, fmt.Errorf("lock control group: %w", err)
		}
		if same(f, dir) {
			return f, nil
		}
		f.Close() // removed between Open and Flock
	}
}

func same(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
}

// sweep removes the groups a dead node left.
func (t *tree) sweep(log *slog.Logger) error {
	entries, err := os.ReadDir(t.dir)
	if err != nil {
		return fmt.Errorf("sweep control groups: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		log.Debug("removing control group of a dead node", "dir", filepath.Join(t.dir, e.Name()))
		old := tree{v2: t.v2, dir: filepath.Join(t.dir, e.Name())}
		if err := old.killAndRemove(); err != nil {
			return err
		}
	}
	return nil
}

// Lacks names what the groups of this root can't do: "memory limit", "CPU
// limit", "process limit", "freezing".
func (r *Root) Lacks() []string {
	var l []string
	for _, c := range []struct {
		t    *tree
		name string
	}{{r.memory, "memory limit"}, {r.cpu, "CPU limit"}, {r.pids, "process limit"}, {r.freezer, "freezing"}} {
		if c.t == nil {
			l = append(l, c.name)
		}
	}
	return l
}

// Versions says which versions are in use: "v1", "v2" or "v1 and v2".
func (r *Root) Versions() string {
	var v []string
	for _, t := range r.trees {
		name := "v1"
		if t.v2 {
			name = "v2"
		}
		if !slices.Contains(v, name) {
			v = append(v, name)
		}
	}
	slices.Sort(v)
	return strings.Join(v, " and ")
}

// Close removes the node's directories. The groups must be closed before.
func (r *Root) Close() error {
	var errs []error
	for _, t := range r.trees {
		if err := os.Remove(t.dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove control group: %w", err))
		}
	}
	return errors.Join(append(errs, r.unlock())...)
}

func (r *Root) unlock() error {
	var errs []error
	for _, f := range r.locks {
		errs = append(errs, f.Close())
	}
	r.locks = nil
	return errors.Join(errs...)
}

// isBusy says that a group can't be removed yet.
func isBusy(err error) bool { return errors.Is(err, syscall.EBUSY) }
