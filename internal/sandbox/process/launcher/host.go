package launcher

import (
	"fmt"
	"syscall"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/rootfs"
)

// host is what all sandboxes of a launcher have in common.
type host struct {
	launch.Setup
	root  *rootfs.Root
	users uint32 // handed out so far
}

func (h *host) Prepare(s launch.Setup) error {
	h.Setup = s
	if err := rootfs.Own(h.Dir); err != nil {
		return err
	}
	if !h.Rootless {
		// Groups come along into a sandbox's user namespace. An ordinary user
		// has only such as may read what the user may.
		if err := syscall.Setgroups(nil); err != nil {
			return fmt.Errorf("leave groups: %w", err)
		}
	}
	if err := makeDevices(h.Dir + devices); err != nil {
		return err
	}
	var err error
	h.root, err = rootfs.New(h.Dir, h.Gateway)
	return err
}

func (h *host) Box(id string) launch.Box {
	b := &box{id: id, host: h, number: h.users}
	h.users++
	return b
}
