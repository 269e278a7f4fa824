package cgroup

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// limiting are the controllers a v2 group gets.
var limiting = []string{"memory", "cpu", "pids"}

// place is a directory of a hierarchy in which groups can be made.
type place struct {
	v2          bool
	controllers []string
	dir         string
}

// findPlace looks for one. In v1 that is this process's own group. In v2 a
// group with processes can't hand controllers down, the root excepted, so the
// choice is between the own group, the one above it (its parent is ours to use
// when a service manager starts the node in a subgroup) and the root; the first
// with the most controllers is taken.
func findPlace(h hierarchy) (place, bool) {
	if !h.v2 {
		return place{controllers: h.controllers, dir: h.own}, canMake(h.own)
	}
	var best *place
	for _, dir := range []string{h.own, filepath.Dir(h.own), h.mount} {
		if dir != h.mount && !strings.HasPrefix(dir, h.mount+"/") || !canMake(dir) {
			continue
		}
		if c, ok := handDown(dir); ok && (best == nil || len(c) > len(best.controllers)) {
			best = &place{v2: true, controllers: c, dir: dir}
		}
	}
	if best == nil {
		return place{}, false
	}
	return *best, true
}

// canMake tries whether groups can be made in dir.
func canMake(dir string) bool {
	d, err := os.MkdirTemp(dir, "mayfly-try-")
	if err != nil {
		return false
	}
	return os.Remove(d) == nil
}

// handDown makes the limiting controllers a group has available in the groups
// below it, and returns them. It does all or nothing.
func handDown(dir string) ([]string, bool) {
	has := strings.Fields(readFile(filepath.Join(dir, "cgroup.controllers")))
	control := filepath.Join(dir, "cgroup.subtree_control")
	done := strings.Fields(readFile(control))
	var down, missing []string
	for _, c := range limiting {
		if slices.Contains(has, c) {
			down = append(down, c)
			if !slices.Contains(done, c) {
				missing = append(missing, "+"+c)
			}
		}
	}
	if len(missing) > 0 && os.WriteFile(control, []byte(strings.Join(missing, " ")), 0) != nil {
		return nil, false
	}
	return down, true
}

// enable prepares the node's directory in this place for groups in it.
func (p place) enable(dir string) error {
	if !p.v2 {
		return nil
	}
	for _, c := range p.controllers {
		if err := write(filepath.Join(dir, "cgroup.subtree_control"), "+"+c); err != nil {
			return err
		}
	}
	return nil
}
