package launcher

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// gVisor's library makes its control sockets without close-on-exec, so whatever the
// launcher has open of other sandboxes would come along into the next; a sandbox
// must have none of it. keepDescriptors is the launcher's side. What it opens
// between that and the start is closeInherited's, on the other side; alone that
// would not do: hundreds of inherited ones push what a new process opens
// itself to the numbers that gVisor moves its standard streams to.

// keepDescriptors has what this process starts inherit nothing that it isn't given.
func keepDescriptors() error {
	return eachDescriptor(func(fd int) error {
		if fd <= unix.Stderr {
			return nil
		}
		_, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC)
		if errors.Is(err, unix.EBADF) {
			return nil // closed meanwhile
		}
		return err
	})
}

// closeInherited closes every descriptor that this process has from the launcher
// and was not given. It must come first of all: descriptors that were inherited
// are told by lacking close-on-exec, which the runtime sets on its own.
func closeInherited(args []string) error {
	given := lastGiven(args)
	return eachDescriptor(func(fd int) error {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if fd <= given || err != nil || flags&unix.FD_CLOEXEC != 0 {
			return nil // an error: it was the directory's own, closed by now
		}
		return unix.Close(fd)
	})
}

func eachDescriptor(do func(fd int) error) error {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("list descriptors: %w", err)
	}
	for _, e := range fds {
		fd, err := strconv.Atoi(e.Name())
		if err == nil {
			err = do(fd)
		}
		if err != nil {
			return fmt.Errorf("keep descriptor %s to itself: %w", e.Name(), err)
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
