package network_test

import (
	"testing"

	"github.com/vishvananda/netlink"
)

func addInterface(t *testing.T, name string) {
	t.Helper()
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: "x" + name}); err != nil {
		t.Fatal(err)
	}
}
