// Package launch is what isolation drivers share of their launchers: what a node
// and a launcher say to each other, and the loop that answers on the launcher's
// side. The node's side is launch/node, so that launchers aren't linked with it.
//
// A launcher is a process of sandbox/cmd that starts and ends sandboxes on the
// node's word. It is the first process of a PID namespace of its own, so the kernel
// ends every sandbox with it, and it ends with the node; an ordinary user's is
// root in a user namespace of its own. The two talk in one JSON text a packet,
// on a SOCK_SEQPACKET pair, descriptors beside it:
//
//	node ──▶ Request   Start, Attach, Measure, ...
//	     ◀── Report    the answer to a request, or that a sandbox ended
//
// The launcher's first report, unasked, says that it is ready, or why it isn't.
package launch
