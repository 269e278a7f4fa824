// Package postgres keeps a store in a PostgreSQL database, or in any that speaks
// its protocol and has serialisable transactions (CockroachDB, YugabyteDB). Any
// number of nodes may use one database.
//
//	mayfly_store ( key bytea PRIMARY KEY, value bytea )
//
// Keys sort as bytea do: byte by byte. Those too long for an index share rows
// (long.go).
//
// A transaction is the database's own, SERIALIZABLE, with synchronous_commit on.
// Reads go to the server; writes are gathered here, laid over what is read, and
// sent with the COMMIT. Written through they would cost a round trip each; this
// way a transaction takes one for each read, of which the first carries the BEGIN,
// and one for everything it writes. Transactions that read nothing share even that
// one (group.go):
//
//	Update   fn ── BEGIN, read ── read ── ... ── write all, COMMIT ── nil
//	          └── no reads: gathered with others ── BEGIN, write all, COMMIT ── nil
//	View     fn ── BEGIN READ ONLY, read ── read ── ... ── COMMIT ── nil
//
// The database refuses what it can't put into a serial order; an Update then runs
// again, and after the second refusal waits in line with those of this node that
// write the same key, which nobody there overtakes. A View's function is called once, so its reads are repeated
// for it (replay.go). The same cures a connection that was lost. Only one lost
// with a COMMIT under way ends in an error that says that nobody knows.
//
// Each transaction has a connection from its first read to its end: one that
// starts another inside itself needs two, and there are pool_max_conns of them.
//
// Watchers in this process are signalled by its own commits, those in others by
// NOTIFY (bell.go).
//
// What is not here: reading from replicas, and knowing whether the server's disk
// or its replicas keep what they sync (Examine tells what can be asked).
package postgres
