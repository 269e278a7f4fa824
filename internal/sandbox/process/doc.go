// Package process is the isolation driver for machines where gVisor can't run:
// each sandbox is a group of ordinary processes of the host's own kernel, in
// namespaces of its own, with a filter on its system calls and Landlock around
// its files. A hole in that kernel is a hole in this wall, so the driver names
// itself weaker wherever it is shown.
//
//	node ──control socket──▶ launcher ──clone──▶ init ══exec══▶ the program
//	 │                                            (the same process)
//	 └── control socket, log pipes, cgroup, network namespace ──▶ the sandbox
//
// An init is the first process of a sandbox's namespaces. It is this binary: it
// makes the sandbox's root its own, gives up every privilege it has, and turns
// into the program. Nothing of ours is left inside. When the program ends, the
// kernel ends what it started; when the launcher ends, every sandbox.
//
// A sandbox lives in a user namespace that maps one user, 1000, and no root. As
// root each sandbox is another user of the host, one that owns nothing; for an
// ordinary user it is that user.
package process
