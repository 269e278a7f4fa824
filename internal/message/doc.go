// Package message is the one engine under everything that waits for its turn:
// durable messages with visibility, delay, order within groups, deduplication,
// receive counts, retention and dead letters, on the store.
//
// # A message's life
//
// Where a message stands is the place of its key in "due", which is sorted by the
// time from which it may be given out. Time passing is what makes it visible: nothing
// has to be moved, so there is no timer, goroutine or memory for a queue at rest.
//
//	         Send                  Receive                   Delete
//	(none) ───────▶ due at now ───────────────▶ due at now  ────────▶ (none)
//	                 + delay     a new lease      + visibility
//	                    ▲                             │
//	                    └───── time passes, Hide ─────┘
//	                                                  │ received as often as allowed,
//	                                                  ▼ when its turn comes again
//	                                      due in the dead-letter queue, its count zero
//
// Each arrow is one transaction. What a crash leaves behind:
//
//	Send      all of the message or nothing; an acknowledged one is there
//	Receive   the lease, without anybody who has the message: it is due again after
//	          its visibility, and the receive counts
//	Delete    all of the message or nothing; acknowledged, it never comes back
//	Hide      the old time or the new one
//	move      the message in one of the two queues, never in both or neither
//	Purge     everything that was there or nothing
//
// A lease is a number that only the receiver's Receipt knows. Whoever is received by
// another since, on this node or another, no longer matches it.
//
// In a FIFO queue it is groups that stand in "due", at the time from which their first
// message may be given out: while any message of a group is leased that is the end of
// the last lease, so the group is blocked behind it. Its messages stand in "line" in
// the order of their numbers, which rise within a group, after it was empty too.
//
// # Speed
//
// Transactions of many callers are joined: while some wait for the disk, the others
// gather and share the next one (combine.go). Receivers on one node take messages from
// a line of candidates (line.go), filled by this node's own sends and by scans, so that
// they neither look for the same message nor read what another is about to take. The
// line is only a hint: what counts is the key in "due", read in the transaction that
// takes it. No key is written by all, so nodes collide only on the very same message,
// and one that loses often looks elsewhere than at the front.
//
// A receiver that waits is woken by a send on its node when that is durable, by any
// other commit through store.Watch, and by a timer at the next time something is due.
//
// # Time
//
// The engine reads the clock once and then only counts what has passed, so a clock that
// is set neither hides nor releases anything. A node that starts goes on from the latest
// time another run of it, or another node, has left in the store.
//
// # Bounds
//
// A body has up to MaxBody bytes. Messages and leases are laid out by hand, not by
// record: they are written and read several times for each message.
//
// Not here: priorities, and the change of a message that was sent.
package message
