// Package pebble keeps a store in one folder of one machine, on Pebble, a
// log-structured merge tree that groups the commits of many writers into few
// syncs of its log.
//
// Transactions are optimistic. One reads from a snapshot and gathers its writes
// in memory; at commit, what it read (keys and scanned ranges) is compared with
// what others have committed since its snapshot. If anything was changed it runs
// again, else its writes go to the log as one record:
//
//	Update   snapshot ── fn ── check reads ── apply + log ── sync ── nil
//	                              └────── order lock ──┘
//
// Only check and apply are ordered by a lock; many commits wait for one sync
// together. The order in which commits pass the lock is the serial order.
//
// A commit is visible to readers a moment before it is durable. A reader that
// has read from such a commit waits for its sync before it returns, so nothing a
// View has shown can be taken back by a crash.
//
// Locks, in the order in which they are taken: Store.order, history.mu,
// the watchers'. The engine's own locks are below all of them.
package pebble
