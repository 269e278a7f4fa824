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
// when a service manager starts the node in a subgroup) and the root.
func findPlace(h hierarchy) (place, bool) {
	p := place{v2: h.v2, controllers: h.controllers, dir: h.own}
	if !h.v2 {
		return p, canMake(h.own)
	}
	var want []string
	for _, c := range limiting {
		if slices.Contains(h.controllers, c) {
			want = append(want, c)
		}
	}
	for _, dir := range []string{h.own, filepath.Dir(h.own), h.mount} {
		if !strings.HasPrefix(dir, h.mount) || !canMake(dir) {
			continue
		}
		if hands, ok := handDown(dir, want); ok {
			p.dir, p.controllers = dir, hands
			return p, true
		}
	}
	return p, false
}

// canMake tries whether groups can be made in dir.
func canMake(dir string) bool {
	d, err := os.MkdirTemp(dir, "mayfly-try-")
	if err != nil {
		return false
	}
	return os.Remove(d) == nil
}

// handDown makes the controllers available in the groups of dir.
func handDown(dir string, want []string) ([]string, bool) {
	control := filepath.Join(dir, "cgroup.subtree_control")
	has := strings.Fields(readFile(control))
	for _, c := range want {
		if slices.Contains(has, c) {
			continue
		}
		if err := os.WriteFile(control, []byte("+"+c), 0); err != nil {
			return nil, false
		}
	}
	return want, true
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
