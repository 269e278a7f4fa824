// Package sandbox is the isolation seam: what a worker asks of whatever keeps
// one execution environment apart from everything else. It knows nothing of
// functions, runtimes or pools; sandbox/gvisor and sandbox/process know nothing
// of them either.
//
// A sandbox's life:
//
//	Start ──▶ running ──Attach──▶ running ──Freeze──▶ frozen ──Thaw──▶ running
//	                                 └──────── Close, crash or limit ────────▶ Done
//
// The only ways in and out of a sandbox are the control socket (descriptor 3
// inside), two log pipes (1 and 2 inside are one of them, 4 is the other),
// the read-only mounts of its Spec, and the network it was given.
package sandbox
