// Package network gives each sandbox a network namespace whose only way out is
// through the node that made it.
//
//	sandbox ── eth0 10.201.x.y/32 ══ veth ══ mf3v17 ── node ── mf3gw 10.201.x.1
//	                                                    └─ masquerade ── uplink
//
// A node has a slot on its machine: a number that names its interfaces, its
// packet filter table and its /21 of 10.201.0.0/16, held by a lock for as long
// as the node lives. On the gateway address the node can listen; the filter
// lets sandboxes reach the ports it was told of there and nothing else: no other
// port, no other address or machine, and no other sandbox. What is refused is
// refused at once, so that programs needn't wait to find out.
//
// With Config.Internet they also reach public addresses by way of the machine's
// own, and with Config.Nets the networks named there; never the machine itself,
// private networks, clouds' metadata or each other. That, and nothing else, has the
// node change settings of the machine: forwarding at its uplinks (uplink.go).
// There is no IPv6.
//
// Namespaces are held open by descriptors, not by files, so the kernel removes
// them, and their interfaces, when the node ends, however it ends. What a killed
// node leaves is its filter, which keeps refusing, and forwarding at uplinks, for
// nobody's packets; the machine's next node removes both.
package network
