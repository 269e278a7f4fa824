// Package agent is the inner end of a sandbox for what can't speak Mayfly's own
// protocol: custom runtimes, which know Lambda's Runtime API over HTTP, and
// extensions. Package frame is the protocol on the control socket; agent is the
// program that serves Lambda's APIs at 127.0.0.1:9001 inside and translates;
// agent/cmd is its main, built small and embedded in the mayfly binary.
//
// Managed runtimes (Node.js, Python, Java) without extensions speak frames
// themselves and need no agent.
package agent
