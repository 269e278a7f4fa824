// Package network gives each sandbox a network namespace whose only way out is
// to the node that made it.
//
//	sandbox ── eth0 10.201.x.y/21 ══ veth ══ mf3v17 ── node ── mf3gw 10.201.x.1
//
// A node has a slot on its machine: a number that names its interfaces, its
// packet filter table and its /21 of 10.201.0.0/16, held by a lock for as long
// as the node lives. On the gateway address the node can listen; the filter
// lets sandboxes reach the ports it was told of there and nothing else: no other
// port, no other address or machine, and no other sandbox.
//
// Namespaces are held open by descriptors, not by files, so the kernel removes
// them, and their interfaces, when the node ends, however it ends.
package network
