// Package placement decides whether a call may run and where: it keeps the
// account's and each function's concurrency within their limits, and asks a
// node for an environment. With one node there is nothing to choose; which
// environment it is, idle, pooled or new, the node's worker knows best.
package placement
