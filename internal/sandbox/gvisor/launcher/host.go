package launcher

import (
	"fmt"
	"io"
	"os"

	"gvisor.dev/gvisor/pkg/log"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/rootfs"
)

// diagnostics is the launcher's standard error, a pipe to the node's log;
// os.Stderr becomes something that can be given away.
var diagnostics = os.Stderr

// host is what all sandboxes of a launcher have in common.
type host struct {
	launch.Setup
	rules rules
	root  *rootfs.Root
}

func (h *host) Prepare(s launch.Setup) error {
	h.Setup = s
	log.SetTarget(log.GoogleEmitter{Writer: &log.Writer{Next: io.Discard}})
	// What runsc finds in os.Stdin and its kin it gives away to sandboxes.
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	os.Stdin, os.Stdout, os.Stderr = null, null, null
	if err := rootfs.Own(h.Dir); err != nil {
		return err
	}
	if _, err := os.Stat("/proc/thread-self/children"); err != nil {
		return fmt.Errorf("find a sandbox's processes: %w", err)
	}
	if h.root, err = rootfs.New(h.Dir, h.Gateway); err != nil {
		return err
	}
	h.rules, err = newRules(h.Setup)
	return err
}

func (h *host) Box(id string) launch.Box { return &box{id: id, host: h} }
