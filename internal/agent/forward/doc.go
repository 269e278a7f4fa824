// Package forward gives sandboxes without a network the ports of their node. An
// ordinary user's node can make no networks, but its sandboxes have a loopback
// interface of their own, and see a folder of the node's with a unix socket for
// each port:
//
//	SDK ──▶ 127.0.0.1:4566 ──▶ forwarder ──▶ /var/mayfly/ports/4566 ──▶ node
//	         (the sandbox's)                  (a mount, read-only)
//
// The sandbox is started with the agent as its program, and the runtime's command
// behind it:
//
//	mayfly-agent ports DIR PORT[,PORT...] RUNTIME ARGUMENT...
//
// Become listens, starts the forwarder as a process beside it, and turns into the
// runtime: process 1, its descriptors and its exit are what they are elsewhere,
// and calls don't pass through here. Whoever in the sandbox kills the forwarder
// has cut off nobody but himself.
package forward
