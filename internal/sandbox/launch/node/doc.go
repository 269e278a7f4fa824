// Package node is the node's side of isolation drivers: a Driver keeps a launcher
// and the sandboxes it runs, a Guest is one of those. A driver of the house wraps
// the two with what is its own: how it proves that it works, what it bounds, how
// it freezes.
package node
