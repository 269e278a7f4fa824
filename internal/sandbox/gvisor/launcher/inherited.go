package launcher

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// closeInherited closes every descriptor that this process has from the launcher
// and was not given. gVisor's library makes its control sockets without
// close-on-exec, so whatever the launcher has open of other sandboxes comes along;
// a sandbox must have none of it. It must be called first of all: descriptors
// that were inherited are told by that flag, which the runtime sets on its own.
func closeInherited(args []string) error {
	given := lastGiven(args)
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("list descriptors: %w", err)
	}
	for _, e := range fds {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			return fmt.Errorf("list descriptors: %w", err)
		}
		if fd <= given {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			continue // the directory's own, closed by now; or opened since the start
		}
		if err := unix.Close(fd); err != nil {
			return fmt.Errorf("close inherited descriptor %d: %w", fd, err)
		}
	}
	return nil
}

// lastGiven is the highest descriptor that gVisor's arguments name, 2 without
// any: those given are the first, without a gap. Arguments that name one end in
// -fd or -fds; --pass-fd=13:1 names 13.
func lastGiven(args []string) int {
	last := 2
	for _, a := range args {
		name, value, _ := strings.Cut(a, "=")
		if !strings.HasSuffix(name, "-fd") && !strings.HasSuffix(name, "-fds") {
			continue
		}
		for _, v := range strings.Split(value, ",") {
			v, _, _ = strings.Cut(v, ":")
			if n, err := strconv.Atoi(v); err == nil {
				last = max(last, n)
			}
		}
	}
	return last
}
