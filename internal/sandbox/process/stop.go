package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
)

// Where there is no freezer, processes are stopped by signals one by one.

const stopTimeout = 2 * time.Second

// stop stops a sandbox's program and whatever descends from it, and returns
// when a look at all of them finds nothing that runs. If that can't be had they
// are let go on.
func stop(pid int) error {
	for end := time.Now().Add(stopTimeout); ; time.Sleep(100 * time.Microsecond) {
		pids, err := launch.Family(pid)
		if err != nil {
			return err
		}
		still := true
		for _, p := range pids {
			if stopped(p) {
				continue
			}
			still = false
			if err := signal(p, unix.SIGSTOP); err != nil {
				return err
			}
		}
		if still {
			return nil
		}
		if time.Now().After(end) {
			return errors.Join(fmt.Errorf("stop processes: %w", os.ErrDeadlineExceeded), resume(pid))
		}
	}
}

// resume lets them go on.
func resume(pid int) error {
	pids, err := launch.Family(pid)
	if err != nil {
		return err
	}
	for _, p := range pids {
		if err := signal(p, unix.SIGCONT); err != nil {
			return err
		}
	}
	return nil
}

// signal sends one; a process that isn't there any more needs none.
func signal(pid int, s unix.Signal) error {
	if err := unix.Kill(pid, s); err != nil && err != unix.ESRCH {
		return fmt.Errorf("signal process: %w", err)
	}
	return nil
}

// stopped says whether every thread of a process stands still or is gone.
func stopped(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return false
	}
	for _, t := range threads {
		b, err := os.ReadFile(t)
		// The state follows the name, which is in parentheses and may hold some.
		i := bytes.LastIndexByte(b, ')')
		if err == nil && i > 0 && i+2 < len(b) && !strings.ContainsRune("TtZX", rune(b[i+2])) {
			return false
		}
	}
	return true
}

// pidOf returns the number of a pidfd's process here; below 1 once it is gone.
func pidOf(pidfd *os.File) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", pidfd.Fd()))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "Pid:"); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(v)) // zero is none, too
			return n
		}
	}
	return 0
}
