package network

import (
	"errors"
	"fmt"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// watchPause is the least time between two looks at the machine's routes, which
// change with every sandbox.
const watchPause = time.Second

// watch keeps uplinks right while the machine's networks come, change and go,
// until the network is closed.
func (n *Network) watch() error {
	events, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV4_NETCONF)
	if err != nil {
		return fmt.Errorf("watch routes: %w", err)
	}
	if err := n.adjust(); err != nil {
		events.Close()
		return err
	}
	changed := make(chan struct{}, 1)
	n.watching.Go(func() {
		for {
			// What was lost by not being read in time is a change as well.
			if _, _, err := events.Receive(); err != nil && !errors.Is(err, unix.ENOBUFS) {
				return
			}
			select {
			case changed <- struct{}{}:
			default:
			}
		}
	})
	n.watching.Go(func() {
		defer events.Close()
		for {
			select {
			case <-changed:
			case <-n.stop:
				return
			}
			if err := n.adjust(); err != nil {
				n.log.Warn("following the machine's routes failed", "error", err)
			}
			select {
			case <-time.After(watchPause):
			case <-n.stop:
				return
			}
		}
	})
	return nil
}
