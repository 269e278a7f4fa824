// Package gvisor is the isolation driver that runs each sandbox on its own
// gVisor kernel. gVisor's runsc is linked into this binary and driven through
// its Go packages; no other program is installed or downloaded.
//
// Three kinds of processes take part, all of them this same binary, told apart
// by Dispatch:
//
//	node ──control socket──▶ launcher ──runsc packages──▶ runsc-sandbox, runsc-gofer
//	 │                                                        (one pair a sandbox)
//	 └── control socket, log pipes, cgroup, network namespace ──▶ the sandbox itself
//
// The launcher is the only process that calls runsc's packages. It is the first
// process of a PID namespace of its own, so the kernel ends every sandbox with
// it, and it ends with the node; and it lives in a mount namespace of its own,
// so that every mount and every file made for a sandbox is gone with it as
// well. An ordinary user's launcher lives in a user namespace too: the same
// code, with neither cgroups nor a network.
package gvisor
