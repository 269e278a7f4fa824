// Package agent is about the program that is process 1 of sandboxes whose runtime
// can't speak Mayfly's own protocol: custom runtimes, which know Lambda's Runtime
// API over HTTP, and any runtime beside which extensions run.
//
// The program is built from agent/cmd, small and static; package program embeds it,
// and workers mount it into sandboxes. Its insides:
//
//	agent/frame   the protocol on the control socket, shared with the worker
//	agent/guest   serves Lambda's APIs at 127.0.0.1:9001 and translates
//	agent/http1   the HTTP it speaks
//	agent/forward ports of the node in sandboxes without a network
//
// Managed runtimes (Node.js, Python, Java) without extensions speak frames
// themselves and need no agent, but for starting them where sandboxes have no
// network.
package agent
