package network

import (
	"time"

	"github.com/vishvananda/netlink"
)

const (
	// settling is how many namespaces may be on their way to being fit at once.
	settling = 16
	// settleTimeout is more than the kernel ever takes. After it a namespace is
	// used as it is: TCP sends again what is lost.
	settleTimeout = 2 * time.Second
)

// fresh is a namespace whose interfaces may still drop packets: the kernel puts
// a link into operation in the background, a millisecond after it was made, or
// up to a second when it has just been busy with others.
type fresh struct {
	*Namespace
	inside *netlink.Handle
	outer  int // index of the node's end
}

// wait returns once both ends are in operation.
func (f *fresh) wait(stop <-chan struct{}) {
	deadline := time.Now().Add(settleTimeout)
	for !f.isUp() && time.Now().Before(deadline) {
		select {
		case <-time.After(time.Millisecond):
		case <-stop:
			return
		}
	}
}

func (f *fresh) isUp() bool {
	out, err := netlink.LinkByIndex(f.outer)
	if err != nil || out.Attrs().OperState != netlink.OperUp {
		return false
	}
	in, err := f.inside.LinkByName("eth0")
	return err == nil && in.Attrs().OperState == netlink.OperUp
}

func (f *fresh) close() { f.inside.Close() }
