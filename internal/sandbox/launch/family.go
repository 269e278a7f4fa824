package launch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Family lists processes and their descendants. Orphans of a sandbox become
// children of its first process, so that one leads to all.
func Family(pids ...int) ([]int, error) {
	for i := 0; i < len(pids); i++ {
		children, err := Children(pids[i])
		if err != nil {
			return nil, err
		}
		pids = append(pids, children...)
	}
	return pids, nil
}

// Children lists the children of all threads of a process; none if it is gone.
func Children(pid int) ([]int, error) {
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, l := range lists {
		b, err := os.ReadFile(l)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // the thread has ended
		}
		if err != nil {
			return nil, fmt.Errorf("list processes: %w", err)
		}
		for _, f := range strings.Fields(string(b)) {
			n, err := strconv.Atoi(f)
			if err != nil {
				return nil, fmt.Errorf("list processes: %w", err)
			}
			pids = append(pids, n)
		}
	}
	return pids, nil
}
