package cgroup

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A hierarchy is one tree of control groups.
type hierarchy struct {
	v2          bool
	controllers []string
	mount       string // where it is mounted
	own         string // the directory of this process's group
}

// hierarchies finds what is mounted, and where in it this process is.
func hierarchies() ([]hierarchy, error) {
	groups, err := ownGroups()
	if err != nil {
		return nil, err
	}
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("read mounts: %w", err)
	}
	defer f.Close()
	var found []hierarchy
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		h, root, ok := parseMount(lines.Text())
		if !ok {
			continue
		}
		key := ""
		if !h.v2 {
			key = h.controllers[0]
		}
		path, ok := groups[key]
		if !ok {
			continue
		}
		if h.own, ok = below(h.mount, root, path); !ok {
			continue
		}
		found = append(found, h)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read mounts: %w", err)
	}
	return found, nil
}

// parseMount reads a line of mountinfo, which ends in " - type source options".
func parseMount(line string) (h hierarchy, root string, ok bool) {
	front, back, ok := strings.Cut(line, " - ")
	f, b := strings.Fields(front), strings.Fields(back)
	if !ok || len(f) < 5 || len(b) < 3 {
		return h, "", false
	}
	h.mount = f[4]
	switch b[0] {
	case "cgroup2":
		h.v2 = true
	case "cgroup":
		known := []string{"memory", "cpu", "cpuacct", "pids", "freezer"}
		for _, o := range strings.Split(b[2], ",") {
			if slices.Contains(known, o) {
				h.controllers = append(h.controllers, o)
			}
		}
	}
	return h, f[3], h.v2 || len(h.controllers) > 0
}

// ownGroups maps each v1 controller, and "" for v2, to this process's group.
func ownGroups() (map[string]string, error) {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, fmt.Errorf("read own groups: %w", err)
	}
	groups := make(map[string]string)
	for line := range strings.Lines(string(b)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, path, ok := strings.Cut(rest, ":")
		if !ok {
			continue
		}
		for _, c := range strings.Split(controllers, ",") {
			groups[c] = path
		}
	}
	return groups, nil
}

// below returns the directory of a group in a mount that shows root.
func below(mount, root, path string) (string, bool) {
	rel, err := filepath.Rel(root, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return "", false
	}
	return filepath.Join(mount, rel), true
}

func readFile(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(b)
}
