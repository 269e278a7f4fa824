// Package launch is what isolation drivers share: a node's end of a launcher,
// the process of this binary that starts and ends sandboxes on the node's word.
//
// A launcher is the first process of a PID namespace of its own, so the kernel
// ends every sandbox with it, and it ends with the node; an ordinary user's is
// root in a user namespace of its own. The two talk in one JSON text a packet,
// on a SOCK_SEQPACKET pair, descriptors beside it:
//
//	node ──▶ Request   Start, Attach or Abandon
//	     ◀── Report    the answer to a request, or that a sandbox ended
//
// The launcher's first report, unasked, says that it is ready, or why it isn't.
package launch
